"""A check says of a payload what the function says of it, and counts it right."""

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.errors import Reason
from personalize_relay.events import Parsed
from personalize_relay.records import Record
from personalize_relay_cli.checking.checks import Checks, trackers
from personalize_relay_cli.input.reading import Line
from tests.cli import corpus
from tests.simulation.world import ARRIVAL, click, record
from tests.test_events import json_values, nearly_events

TRACKERS = trackers("tracker", ["other"])


def line(data: bytes | dict[str, object]) -> Line:
    return Line("a.jsonl", 1, 0, data if isinstance(data, bytes) else json.dumps(data).encode())


def by_the_function(data: bytes) -> Parsed:
    """What becomes of the data in the function, which gets it as a record in base64."""
    return Record.read(record(7, data)).parse(TRACKERS)


def agrees(checks: Checks, data: bytes) -> bool:
    """Whether a check says the same of it: which events are rejected, and why, and how many are not."""
    good, bad = checks.good_events, checks.bad_events
    ours = [(each.index, each.reason, each.detail) for each in checks.take(line(data))]
    theirs = by_the_function(data)
    assert ours == [(each.index, each.reason, each.detail) for each in theirs.rejections]
    assert checks.good_events - good == len(theirs.interactions)
    assert checks.bad_events - bad == len(theirs.rejections)
    return True


def test_it_agrees_with_the_function_on_every_payload_of_the_corpus() -> None:
    checks = Checks(TRACKERS, ARRIVAL)
    payloads = corpus.payloads()
    assert all(agrees(checks, each) for each in payloads)
    assert checks.good_lines + checks.bad_lines == len(payloads)
    of_the_stream = {Reason.INVALID_BASE64, Reason.TOO_LARGE, Reason.NOT_MAPPED}
    of_personalize = {Reason.REJECTED_BY_PERSONALIZE, Reason.REFUSED_BY_PERSONALIZE, Reason.FAILED_REPEATEDLY}
    assert checks.reasons.keys() == set(Reason) - of_the_stream - of_personalize


@given(st.lists(st.binary(max_size=60) | (nearly_events | json_values).map(lambda value: json.dumps(value).encode())))
def test_it_agrees_with_the_function_on_any_payload(payloads: list[bytes]) -> None:
    checks = Checks(TRACKERS, ARRIVAL, names=True)
    assert all(agrees(checks, each) for each in payloads)
    checks.warnings()


def test_lines_and_events_are_counted_good_and_bad() -> None:
    checks = Checks(TRACKERS, ARRIVAL)
    good = {"eventType": "a", "sentAt": 1e9}
    checks.take(line(click()))
    checks.take(line(b"{"))
    checks.take(line({"sessionId": "s", "eventList": [good, 3, good, {}]}))
    assert (checks.good_lines, checks.bad_lines, checks.good_events, checks.bad_events) == (1, 2, 3, 3)
    assert checks.reasons == Counter({Reason.INVALID_JSON: 1, Reason.NOT_AN_OBJECT: 1, Reason.MISSING_MEMBER: 1})


def test_without_a_tracker_named_any_will_do_else_only_those() -> None:
    def rejected(default: str | None, allowed: list[str], **members: str) -> int:
        return len(Checks(trackers(default, allowed), ARRIVAL).take(line(click(**members))))

    assert not rejected(None, [], trackingId="any")
    assert not rejected(None, [])
    assert not rejected("mine", [], trackingId="mine")
    assert rejected("mine", [], trackingId="any")
    assert not rejected("mine", ["any"], trackingId="any")
    assert rejected(None, ["mine"], trackingId="any")
    assert not rejected(None, ["mine"])
