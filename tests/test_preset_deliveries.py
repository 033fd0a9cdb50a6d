"""Every payload that a preset is tested with, as its function and `relay validate` take it: both as they are installed.

The function's process gets a Lambda event and calls Personalize over HTTP; what arrives there is what the preset's own
tests expect, and as many are filtered and rejected as they say.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.personalize.server import PersonalizeFake
from personalize_relay import times
from personalize_relay.mapping_file import PRESETS, read, source
from personalize_relay.mapping_tests import Test
from tests.simulation.world import record
from tests.test_handler import Invocation

pytestmark = pytest.mark.slow  # each preset's payloads go through a process of the function

RELAY = Path(sys.executable).with_name("relay")
TRACKERS = ("tracker", "t-1", "tracker-1", "c60")
ARRIVAL = 1_795_512_660.0
"""A minute after what the presets' tests tell of, 2026-11-24T09:31:00Z; they are up to an hour younger."""
LATE = ARRIVAL + 86400
SAMPLE = ("dynamodb", "segment", "snowplow")
"""Rows of a table, JSON of many shapes, and tab-separated lines."""
SAMPLED = [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.whole) for name in PRESETS]


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    """The service, on loopback."""
    with PersonalizeFake() as running:
        yield running


def expected(tests: tuple[Test, ...]) -> Counter[tuple[object, ...]]:
    """The events of the tests, as Personalize gets them; without an eventId, which the function would derive."""
    return Counter(_told(event, event) for test in tests for event in test.events or ())


def arrived(personalize: PersonalizeFake, since: float = LATE) -> Counter[tuple[object, ...]]:
    """What Personalize got, in the same form; the payloads arrived at that time or after, and tell of times before."""
    return Counter(
        _told(each.event, {"sessionId": each.session_id, "userId": each.user_id}, since)
        for each in personalize.accepted.values()
    )


def _told(event: dict[str, Any], request: dict[str, Any], arrival: float = LATE) -> tuple[object, ...]:
    user, session, item = (None if given is None else str(given) for given in (*_ids(request), event.get("itemId")))
    value = event.get("eventValue")
    sent_at = times.seconds("sentAt", event["sentAt"]) if event.get("sentAt") is not None else arrival
    properties = event.get("properties") or {}
    told = json.loads(properties) if isinstance(properties, str) else properties
    return (
        *(session, user, str(event["eventType"]), item, sent_at if sent_at < arrival else "its arrival"),
        None if value is None else float(value),
        json.dumps(told, sort_keys=True),
    )


def _ids(request: dict[str, Any]) -> tuple[object, object]:
    return request.get("userId") or None, request["sessionId"]


@pytest.mark.parametrize("name", SAMPLED)
def test_the_function_delivers_what_a_presets_tests_expect(personalize: PersonalizeFake, name: str) -> None:
    tests = read(source(name), file=name).tests
    # What is rejected would have to be written to a bucket: it comes again, as none is in reach.
    batch = [record(number, test.input.encode(), arrival=LATE) for number, test in enumerate(tests)]
    environment = {"TRACKING_ID": TRACKERS[0], "ALLOWED_TRACKING_IDS": ",".join(TRACKERS[1:]), "MAPPING": name}
    got = Invocation({"Records": batch}, personalize, **environment)
    assert arrived(personalize) == expected(tests)
    assert got.metrics["EventsFiltered"] == sum(test.dropped is not None for test in tests)
    rejected = [str(number) for number, test in enumerate(tests) if test.reason]
    assert got.answer == {"batchItemFailures": [{"itemIdentifier": number} for number in rejected]}


@pytest.mark.parametrize("name", SAMPLED)
def test_validate_counts_what_a_presets_tests_expect(tmp_path: Path, name: str) -> None:
    tests = read(source(name), file=name).tests
    (tmp_path / "a.jsonl").write_text("".join(f"{_line(test)}\n" for test in tests))
    words = ["validate", "a.jsonl", "--mapping", name, "--format", "json", "--arrival", "2026-11-25T09:31:00Z"]
    run = subprocess.run(  # noqa: S603 - our own command
        [RELAY, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (1, "")
    told = json.loads(run.stdout)
    assert told["events"]["good"] == expected(tests).total()
    assert told["filtered"] == Counter(test.dropped for test in tests if test.dropped)
    assert told["reasons"] == Counter(test.reason for test in tests if test.reason)
    assert [each["line"] for each in told["rejections"]] == [at for at, test in enumerate(tests, 1) if test.reason]


def _line(test: Test) -> str:
    """The input in one line: line breaks in JSON mean nothing."""
    return test.input.strip("\n").replace("\n", " ")
