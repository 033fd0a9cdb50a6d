"""The relay's promises, held over random batches, faults, crashes and redeliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.stream import HOWS, KINDS, POISON, SESSIONS, Kind, Packed, Stream
from tests.simulation.world import Reply, World

FAULTS = {
    "throttled": Reply(Answer(429, "ThrottlingException"), taken=False),
    "busy": Reply(Answer(503, "ServiceUnavailable"), taken=False),
    "taken, answer lost": Reply(Answer(0, "ReadTimeoutError"), taken=True, after=5),
    "reset": Reply(Answer(0, "ConnectionClosedError"), taken=False),
    "denied": Reply(Answer(403, "AccessDeniedException"), taken=False),
    "hangs": Reply(Answer(0, "ReadTimeoutError"), taken=False, after=500),
    "hangs, taken": Reply(Answer(200), taken=True, after=500),
}
REJECTION = Reply(Answer(400, "InvalidInputException"), taken=False)


class Faults:
    """A script that lives through a list of faults, a call each, and then answers well."""

    def __init__(self, faults: Sequence[str]) -> None:
        self._faults = list(faults)

    def __call__(self, request: Request, _number: int) -> Reply:
        """See Script."""
        fault = FAULTS.get(self._faults.pop(0)) if self._faults else None
        if any(event.event_type == POISON for event in request.events):
            return replace(fault, taken=False) if fault else REJECTION
        return fault or Reply()


single = st.sampled_from(["click", "click", *KINDS])


def packed(of: st.SearchStrategy[Kind], *wrappers: str | None) -> st.SearchStrategy[Kind]:
    """Two or three payloads in one."""
    parts = st.lists(of, min_size=2, max_size=3).map(tuple)
    return st.builds(Packed, st.sampled_from(HOWS), parts, st.sampled_from(wrappers))


several = packed(single | packed(single, None, "gzip", "zlib"), None, "gzip", "base64")
kinds = st.lists(single | single | single | several, min_size=1, max_size=12)
faults = st.lists(st.sampled_from(["none", *FAULTS]), max_size=12)
batch_sizes = st.lists(st.integers(1, 14), min_size=1, max_size=5)
crashes = st.sets(st.integers(0, 4), max_size=2)


@settings(max_examples=3 * settings().max_examples)
@given(
    start=st.sampled_from([1, 95, 9_990]),
    step=st.integers(1, 3),
    kinds=kinds,
    faults=faults,
    batch_sizes=batch_sizes,
    crashes=crashes,
    refusals=st.integers(0, 2),
)
def test_every_event_is_settled_exactly_as_promised(  # noqa: PLR0913 - one argument for each thing that varies
    *,
    start: int,
    step: int,
    kinds: list[Kind],
    faults: list[str],
    batch_sizes: list[int],
    crashes: set[int],
    refusals: int,
) -> None:
    """P1 conservation, P2 no false ack, P3 one id an event, P5 order, whatever the API, the bucket and Lambda do."""
    stream = Stream(start, step, kinds)
    world = World(Faults(faults))
    world.bucket.refusals = refusals
    _relay(world, stream, batch_sizes, crashes)
    _check_conservation(world, stream)
    _check_ids(world, stream)
    _check_order(world, stream)


def _relay(world: World, stream: Stream, batch_sizes: Sequence[int], crashes: set[int]) -> None:
    """Do as the event source mapping does, until the shard is drained."""
    position, invocation = 0, 0
    while position < len(stream.records):
        assert invocation < 100, "the shard is stuck"
        batch = stream.records[position : position + batch_sizes[invocation % len(batch_sizes)]]
        failed = world.invoke(batch, seconds=15)
        _check_acknowledged(world, stream, batch, failed)
        if invocation in crashes:
            # The answer is lost with the process: all of it comes again.
            world.fresh_sandbox()
        else:
            position += _settled(batch, failed)
        invocation += 1
        # A tracker that has taken nothing is doubted for half an hour.
        world.clock.now += 60


def _settled(batch: Sequence[Mapping[str, Any]], failed: Sequence[str]) -> int:
    numbers = [int(each["kinesis"]["sequenceNumber"]) for each in batch]
    return numbers.index(min(map(int, failed))) if failed else len(batch)


def _check_acknowledged(
    world: World, stream: Stream, batch: Sequence[Mapping[str, Any]], failed: Sequence[str]
) -> None:
    """P2: what isn't reported is taken by the API or stored; and nothing is stored that comes again."""
    answered = {
        event.item_id
        for call in world.api.calls
        if call.reply.answer.status == 200 and call.request in world.api.taken
        for event in call.request.events
    }
    stored = world.bucket.rejections().keys()
    for number in (each["kinesis"]["sequenceNumber"] for each in batch):
        if number not in failed:
            items = {item: stream.sent[item] for item in stream.whole[number]}
            assert all(sent.bad or item in answered for item, sent in items.items())
            assert {place for place in stored if place[0] == number} == {
                sent.place for sent in items.values() if sent.bad
            }
    if failed and world.bucket.latest:
        stored_now = [int(line["source"]["sequenceNumber"]) for line in world.bucket.lines(world.bucket.latest)]
        assert max(stored_now) < min(map(int, failed)), "stored, though it comes again"


def _check_conservation(world: World, stream: Stream) -> None:
    """P1: at the end each event is delivered or quarantined, and not both."""
    delivered = {event.item_id for request in world.api.taken for event in request.events}
    assert delivered == {item for item, sent in stream.sent.items() if not sent.bad}
    assert world.bucket.rejections().keys() == {sent.place for sent in stream.sent.values() if sent.bad}


def _check_ids(world: World, stream: Stream) -> None:
    """P3: an event has the same id each time it is sent or set aside: its place, which no other event has."""
    pairs = {(event.item_id, event.event_id) for request in world.api.taken for event in request.events}
    assert pairs == {(item, sent.event_id) for item, sent in stream.sent.items() if not sent.bad}
    set_aside = {(place, each["eventId"]) for place, each in world.bucket.rejected().items()}
    assert set_aside == {(sent.place, sent.event_id) for sent in stream.sent.values() if sent.bad}


def _check_order(world: World, stream: Stream) -> None:
    """P5: the events of a session are first taken in stream order, one call at a time."""
    assert world.api.most_per_session <= 1
    for session in SESSIONS:
        taken = [event.item_id for request in world.api.taken for event in request.events]
        first = dict.fromkeys(item for item in taken if item and stream.sent[item].session == session)
        assert list(first) == [item for item, sent in stream.sent.items() if item in first]
