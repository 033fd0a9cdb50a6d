"""Both ways back: each event of a chunk comes to one thing, and what the stream turns away is put again, alone."""

import json
from typing import Any, cast

from personalize_relay.clients import Answer
from personalize_relay.delivery import Delivery
from personalize_relay.requests import Request
from personalize_relay_cli.recovery.mending import Mended, Mender
from personalize_relay_cli.recovery.resending import MAX_ATTEMPTS, ToPersonalize, ToStream
from tests.cli.s3_bucket import TRACKERS
from tests.cli.test_mending import pieces
from tests.simulation.world import OK, Api, Clock, Reply


class Kinesis:
    """A stream that turns events away by their id, so many times."""

    def __init__(self, **turned_away: int) -> None:
        self.calls: list[list[str]] = []
        self.keys: list[str] = []
        self._left = turned_away

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """See boto3."""
        assert StreamName == "stream"
        ids = [json.loads(each["Data"])["eventId"] for each in Records]
        self.calls.append(ids)
        self.keys.extend(each["PartitionKey"] for each in Records)
        return {"Records": [self._answer(each) for each in ids]}

    def _answer(self, event_id: str) -> dict[str, str]:
        if self._left.get(event_id, 0) > 0:
            self._left[event_id] -= 1
            return {"ErrorCode": "ProvisionedThroughputExceededException"}
        return {"SequenceNumber": "1"}


def events(*ids: str, **members: Any) -> list[Mended]:  # noqa: ANN401 - JSON
    listed = [{"eventType": "click", "eventId": each, "sentAt": 1_790_000_000, **members} for each in ids]
    return [Mender(TRACKERS).mend(each) for each in pieces({"sessionId": "s", "eventList": listed})]


def to_stream(kinesis: Kinesis) -> ToStream:
    return ToStream(cast("Any", kinesis), "stream", wait=lambda _seconds: None)


def to_personalize(answer: dict[str, Answer]) -> tuple[ToPersonalize, Api]:
    """Straight to a scripted PutEvents, which answers so to a call with such an event."""

    def script(request: Request, _number: int) -> Reply:
        found = [answer[each.event_id] for each in request.events if each.event_id in answer]
        return Reply(found[0], taken=False) if found else Reply(OK)

    clock = Clock()
    api = Api(clock, script)
    return ToPersonalize(Delivery(api, clock=clock, jitter=lambda most: most, max_in_flight=4)), api


def test_events_of_a_session_stay_in_order_whatever_the_stream_turns_away() -> None:
    kinesis = Kinesis(a=1, c=2)
    outcome = to_stream(kinesis).send(events("a", "b", "c"))
    assert kinesis.calls == [["a"], ["a"], ["b"], ["c"], ["c"], ["c"]]
    assert set(kinesis.keys) == {"s"}
    assert outcome.sent == {("7", 0), ("7", 1), ("7", 2)}
    assert not outcome.failed


def test_events_of_many_sessions_share_calls_and_only_what_was_turned_away_is_put_again() -> None:
    kinesis = Kinesis(b=1)
    listed = [
        {"eventType": "click", "eventId": each, "sessionId": f"s-{each}", "sentAt": 1_790_000_000} for each in "abc"
    ]
    mended = [Mender(TRACKERS).mend(each) for each in pieces({"eventList": listed})]
    assert len(to_stream(kinesis).send(mended).sent) == 3
    assert kinesis.calls == [["a", "b", "c"], ["b"]]


def test_what_is_turned_away_to_the_end_has_failed_and_nothing_behind_it_overtakes_it() -> None:
    kinesis = Kinesis(b=MAX_ATTEMPTS)
    sender = to_stream(kinesis)
    outcome = sender.send(events("a", "b", "c"))
    assert outcome.sent == {("7", 0)}
    code = "ProvisionedThroughputExceededException"
    assert outcome.failed == {("7", 1): code, ("7", 2): code}
    assert sender.send(events("d")).failed == {("7", 0): code}
    assert kinesis.calls == [["a"], *[["b"]] * MAX_ATTEMPTS]


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
