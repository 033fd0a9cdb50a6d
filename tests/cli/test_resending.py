"""Both ways back: each event of a chunk comes to one thing, and what the stream turns away is put again, alone."""

import json
from typing import Any, cast

from botocore.exceptions import ClientError

from personalize_relay.clients import Answer
from personalize_relay.delivery import Delivery
from personalize_relay.requests import Request
from personalize_relay_cli.recovery.mending import Mended, Mender
from personalize_relay_cli.recovery.resending import SECONDS_FOR_A_CHUNK, ToPersonalize, ToStream
from tests.cli.s3_bucket import TRACKERS
from tests.cli.test_mending import pieces
from tests.cli.test_produce import THROTTLED
from tests.simulation.world import OK, Api, Clock, Reply


class Kinesis:
    """A stream that turns records away by the first event in them, so many times."""

    def __init__(self, **turned_away: int) -> None:
        self.calls: list[list[list[str]]] = []
        """The ids of the events of the records of each call."""
        self.keys: list[str] = []
        self.refusals: list[Exception] = []
        """What the next calls end in, whole."""
        self._left = turned_away

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """See boto3."""
        assert StreamName == "stream"
        if self.refusals:
            raise self.refusals.pop()
        records = [_ids(json.loads(each["Data"])) for each in Records]
        self.calls.append(records)
        self.keys.extend(each["PartitionKey"] for each in Records)
        return {"Records": [self._answer(first) for first, *_ in records]}

    def _answer(self, event_id: str) -> dict[str, str]:
        if self._left.get(event_id, 0) > 0:
            self._left[event_id] -= 1
            return {"ErrorCode": THROTTLED}
        return {"SequenceNumber": "1"}


def _ids(payload: dict[str, Any]) -> list[str]:
    return [each["eventId"] for each in payload.get("eventList", [payload])]


def events(*ids: str, apart: bool = False) -> list[Mended]:
    """Events of a session; `apart` each of another user, so that no two can share a request."""
    listed = [
        {"eventType": "click", "eventId": each, "sentAt": 1_790_000_000, "userId": each if apart else "u"}
        for each in ids
    ]
    return [Mender(TRACKERS).mend(each) for each in pieces({"sessionId": "s", "eventList": listed})]


def to_stream(kinesis: Kinesis) -> ToStream:
    clock = Clock()
    return ToStream(
        cast("Any", kinesis), "stream", clock=clock, wait=lambda seconds: clock.wait_until(clock() + seconds)
    )


def to_personalize(answer: dict[str, Answer]) -> tuple[ToPersonalize, Api]:
    """Straight to a scripted PutEvents, which answers so to a call with such an event."""

    def script(request: Request, _number: int) -> Reply:
        found = [answer[each.event_id] for each in request.events if each.event_id in answer]
        return Reply(found[0], taken=False) if found else Reply(OK)

    clock = Clock()
    api = Api(clock, script)
    return ToPersonalize(Delivery(api, clock=clock, jitter=lambda most: most, max_in_flight=4)), api


def test_events_of_a_session_share_a_record_and_stay_in_order_whatever_the_stream_turns_away() -> None:
    kinesis = Kinesis(a=1)
    outcome = to_stream(kinesis).send(events("a", "b", "c"))
    assert kinesis.calls == [[["a", "b", "c"]]] * 2
    assert set(kinesis.keys) == {"s"}
    assert outcome.sent == {("7", 0), ("7", 1), ("7", 2)}
    assert not outcome.failed


def test_events_that_cannot_share_a_record_go_one_after_another() -> None:
    """Sent in one call, the second would overtake the first when that is turned away: 1, 2, 0."""
    kinesis = Kinesis(a=1)
    to_stream(kinesis).send(events("a", "b", "c", apart=True))
    assert kinesis.calls == [[["a"]], [["a"]], [["b"]], [["c"]]]


def test_events_of_many_sessions_share_calls_and_only_what_was_turned_away_is_put_again() -> None:
    kinesis = Kinesis(b=1)
    listed = [
        {"eventType": "click", "eventId": each, "sessionId": f"s-{each}", "sentAt": 1_790_000_000} for each in "abc"
    ]
    mended = [Mender(TRACKERS).mend(each) for each in pieces({"eventList": listed})]
    assert len(to_stream(kinesis).send(mended).sent) == 3
    assert kinesis.calls == [[["a"], ["b"], ["c"]], [["b"]]]


def test_a_call_that_is_throttled_whole_is_made_again() -> None:
    kinesis = Kinesis()
    answer: Any = {"Error": {"Code": THROTTLED}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    kinesis.refusals = [ClientError(answer, "PutRecords")] * 3
    assert len(to_stream(kinesis).send(events("a")).sent) == 1


def test_a_stream_that_takes_nothing_fails_the_rest_and_is_tried_no_more() -> None:
    kinesis = Kinesis(b=10**9)
    sender = to_stream(kinesis)
    outcome = sender.send(events("a", "b", "c", apart=True))
    assert outcome.sent == {("7", 0)}
    assert outcome.failed == {("7", 1): THROTTLED, ("7", 2): THROTTLED}
    calls = len(kinesis.calls)
    assert calls > SECONDS_FOR_A_CHUNK / 10
    assert sender.send(events("d")).failed == {("7", 0): THROTTLED}
    assert len(kinesis.calls) == calls


def test_straight_to_personalize_each_event_is_delivered_rejected_or_failed() -> None:
    refused = Answer(400, "InvalidInputException")
    sender, api = to_personalize({"b": refused})
    outcome = sender.send(events("a", "b", "c"))
    assert outcome.sent == {("7", 0), ("7", 2)}
    assert outcome.rejected == {("7", 1): "rejected_by_personalize"}
    assert sorted(each.event_id for call in api.taken for each in call.events) == ["a", "c"]


def test_straight_to_personalize_a_refused_event_is_said_to_be_one_though_nothing_else_went_through() -> None:
    """The function would doubt its tracker first; here a person asks about this event."""
    sender, _ = to_personalize({"a": Answer(400, "InvalidInputException")})
    assert sender.send(events("a")).rejected == {("7", 0): "rejected_by_personalize"}


def test_straight_to_personalize_a_refused_access_is_named() -> None:
    sender, _ = to_personalize({"a": Answer(403, "AccessDeniedException")})
    outcome = sender.send(events("a", "b"))
    assert set(outcome.failed.values()) == {"AccessDeniedException"}
    assert not outcome.sent
