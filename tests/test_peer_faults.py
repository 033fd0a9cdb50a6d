"""What comparable systems were found to get wrong, each shown right here.

Two more of their faults lie in the template: tests/infra shows that no policy grants more than is listed, and that the
mapping bounds its retries, bisects, and has a destination.
"""

import time
from collections.abc import Iterator

import pytest

from local.personalize.server import PersonalizeFake
from personalize_relay.boto3_client import Boto3Client
from personalize_relay.clients import Answer
from personalize_relay.delivery import Delivery
from personalize_relay.events import Origin, Trackers
from personalize_relay.parsing import parse
from personalize_relay.requests import Request, lanes
from tests.simulation.world import ARRIVAL, Reply, World, click, good, record

BUSY = Reply(Answer(503), taken=False)


@pytest.fixture
def personalize(monkeypatch: pytest.MonkeyPatch) -> Iterator[PersonalizeFake]:
    """The service, on loopback, and an environment that leads to it."""
    with PersonalizeFake() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PERSONALIZE_EVENTS", running.endpoint)
        for name, value in {
            "DEFAULT_REGION": "eu-west-1",
            "ACCESS_KEY_ID": "test",
            "SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield running


def test_one_call_carries_up_to_ten_events() -> None:
    """Eight of nine send one event a call: 1,000 calls a second are then 1,000 events."""
    world = World()
    world.invoke([record(n, click()) for n in range(30)])
    assert len(world.api.calls) == 3


def test_every_record_of_a_batch_is_sent_not_the_last_or_the_first_alone() -> None:
    world = World()
    world.invoke([record(n, click(itemId=str(n))) for n in range(5)])
    assert [event.item_id for request in world.api.taken for event in request.events] == list("01234")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"[]", b'"text"', b"null"])
def test_what_is_not_json_ends_in_the_quarantine_and_crashes_nothing(data: bytes) -> None:
    world = World()
    assert world.invoke([record(1, data), record(2, click())]) == []
    assert len(world.bucket.lines()) == 1
    assert len(world.api.taken) == 1


def test_each_product_of_an_order_has_an_id_of_its_own() -> None:
    world = World()
    order = [{"eventType": "purchase", "itemId": item, "sentAt": ARRIVAL} for item in "abc"]
    world.invoke([record(1, {"sessionId": "s", "eventList": order})])
    assert len({event.event_id for event in world.api.taken[0].events}) == 3


def test_text_that_is_not_ascii_arrives_as_it_was(personalize: PersonalizeFake) -> None:
    payload = (
        '{"sessionId":"s","eventType":"k\u00f6p","itemId":"\u6771\u4eac","properties":{"a":"\U0001f600"}}'.encode()
    )
    deliver(payload)
    (accepted,) = personalize.accepted.values()
    assert (accepted.event["eventType"], accepted.event["itemId"]) == ("k\u00f6p", "\u6771\u4eac")
    assert accepted.event["properties"] == '{"a":"\U0001f600"}'


def test_sent_at_is_when_it_happened_not_when_it_was_processed() -> None:
    world = World()
    world.invoke([record(1, click(sentAt=1_700_000_000)), record(2, click("other", sentAt=None), arrival=ARRIVAL)])
    assert [event.sent_at for request in world.api.taken for event in request.events] == [1_700_000_000, ARRIVAL]


def test_no_session_is_made_up() -> None:
    world = World()
    world.invoke([record(1, click(sessionId=None))])
    assert not world.api.calls
    assert world.bucket.lines()[0]["reason"] == "missing_member"


def test_no_item_is_made_up() -> None:
    world = World()
    world.invoke([record(1, click(itemId=None))])
    assert world.api.taken[0].events[0].item_id is None


def test_ids_are_never_joined_and_split_again() -> None:
    world = World()
    world.invoke([record(1, click("a#b", userId="c#d")), record(2, click("a", userId="b#c#d"))])
    assert [(each.session_id, each.user_id) for each in world.api.taken] == [("a#b", "c#d"), ("a", "b#c#d")]


@pytest.mark.parametrize("count", [10, 11, 21, 500])
def test_a_call_never_carries_eleven_events(count: int) -> None:
    world = World()
    events = [{"eventType": "a", "sentAt": 1e9 + n} for n in range(count)]
    world.invoke([record(1, {"sessionId": "s", "eventList": events}), record(2, click("s"))])
    assert max(len(request.events) for request in world.api.taken) == 10
    assert sum(len(request.events) for request in world.api.taken) == count + 1


def test_a_metric_attribution_arrives(personalize: PersonalizeFake) -> None:
    deliver(b'{"sessionId":"s","eventType":"a","metricAttribution":{"eventAttributionSource":"mail"}}')
    (accepted,) = personalize.accepted.values()
    assert accepted.event["metricAttribution"] == {"eventAttributionSource": "mail"}


@pytest.mark.parametrize("most", [1, 3, 8])
def test_the_limit_of_calls_in_flight_is_kept(most: int) -> None:
    open_calls: list[int] = []

    def script(_request: Request, number: int) -> Reply:
        open_calls.append(number + 1 - sum(call.due <= world.clock.now for call in world.api.calls))
        return Reply(after=1.0)

    world = World(script, max_in_flight=most)
    world.invoke([record(n, click(f"s{n}")) for n in range(40)])
    assert max(open_calls) == most


def test_after_a_failure_only_the_failed_request_is_sent_again() -> None:
    """One sends the whole poll again, an event a call."""
    world = World(lambda _request, number: BUSY if number == 1 else Reply())
    world.invoke([record(n, click(f"s{n % 4}")) for n in range(40)])
    assert len(world.api.calls) == 5


def test_a_failure_leaves_the_relay_fit_for_the_next_batch() -> None:
    """One closes its client on an error, and goes on using it."""
    world = World(lambda _request, _number: BUSY)
    assert world.invoke([record(1, click())]) == ["1"]
    world.api.script = good
    assert world.invoke([record(1, click())]) == []


def test_what_cannot_be_set_aside_is_not_dropped() -> None:
    world = World()
    world.bucket.refusals = 100
    assert world.invoke([record(1, b"bad")]) == ["1"]


def test_an_error_is_reported_not_logged_and_acknowledged() -> None:
    world = World(lambda _request, _number: BUSY)
    assert world.invoke([record(1, click())]) == ["1"]


def test_two_trackers_at_once_get_each_its_own(personalize: PersonalizeFake) -> None:
    """One fills a dict that both sending threads share."""
    payloads = [
        b'{"trackingId":"%s","sessionId":"s%d","eventType":"%s"}' % (tracker, number, tracker)
        for number in range(40)
        for tracker in (b"one", b"two")
    ]
    deliver(*payloads)
    assert len(personalize.accepted) == 80
    assert all(each.tracking_id == each.event["eventType"] for each in personalize.accepted.values())


def test_nothing_of_a_payload_is_kept_for_the_log() -> None:
    world = World()
    world.invoke([record(1, click("canary")), record(2, b"canary"), record(3, click(userId=["canary"]))])
    assert "canary" not in str(world.processor.outcome)


def deliver(*payloads: bytes) -> None:
    """Parse payloads and deliver them through the real client."""
    engine = Delivery(Boto3Client(max_in_flight=8), clock=time.monotonic, jitter=lambda most: most, max_in_flight=8)
    parsed = [
        parse(payload, Origin(stream="s", shard_id="0", sequence_number=str(number), arrival=ARRIVAL), TRACKERS)
        for number, payload in enumerate(payloads)
    ]
    result = engine.deliver(
        lanes(each for one in parsed for each in one.interactions), end=time.monotonic() + 30, wall=ARRIVAL
    )
    assert len(result.delivered) == len(payloads)


TRACKERS = Trackers(default="one", allowed=frozenset({"two"}))
