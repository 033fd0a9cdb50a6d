"""The relay's promises, held over random batches, faults, crashes and redeliveries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from personalize_relay.clients import Answer
from personalize_relay.requests import Request
from tests.simulation.world import ARRIVAL, Reply, World, click, record

SESSIONS = ("one", "two", "three")
POISON = "poison"
"""An event type that keeps the record contract and that the scripted API rejects."""

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


@dataclass(frozen=True)
class Sent:
    """One event that the test put on the stream."""

    session: str
    bad: bool


class Stream:
    """Records on a shard, and what each of their events should come to; every event has an item id of its own."""

    def __init__(self, start: int, step: int, kinds: Sequence[str]) -> None:
        self.records: list[dict[str, Any]] = []
        self.sent: dict[str, Sent] = {}
        self.whole: dict[str, list[str]] = {}
        """The item ids in each record, by sequence number."""
        self._items = 0
        for number, kind in enumerate(kinds):
            self._add(start + number * step, kind, SESSIONS[number % len(SESSIONS)])

    def _add(self, sequence_number: int, kind: str, session: str) -> None:
        before = set(self.sent)
        self.records.append(record(sequence_number, self._payload(kind, session)))
        self.whole[str(sequence_number)] = sorted(self.sent.keys() - before)

    def _payload(self, kind: str, session: str) -> Mapping[str, Any]:
        match kind:
            case "bad":
                return self._event(session, bad=True, eventType="null")
            case "poison":
                return self._event(session, bad=True, eventType=POISON)
            case "login":
                return self._event(session, userId="user")
            case "request":
                bad: dict[int, dict[str, Any]] = {3: {"properties": {"timestamp": 1}}, 7: {"eventType": POISON}}
                events = [self._event(session, bad=index in bad, **bad.get(index, {})) for index in range(12)]
                return {"sessionId": session, "eventList": events}
            case _:
                return self._event(session)

    def _event(self, session: str, *, bad: bool = False, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        self._items += 1
        item = f"item-{self._items}"
        self.sent[item] = Sent(session, bad)
        return click(session, itemId=item, sentAt=ARRIVAL - 1000 + self._items, **members)


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


kinds = st.lists(
    st.sampled_from(["click", "click", "click", "login", "bad", "poison", "request"]), min_size=1, max_size=14
)
faults = st.lists(st.sampled_from(["none", *FAULTS]), max_size=12)
batch_sizes = st.lists(st.integers(1, 14), min_size=1, max_size=5)
crashes = st.sets(st.integers(0, 4), max_size=2)


@settings(max_examples=5 * settings().max_examples)
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
    kinds: list[str],
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
    _check_ids(world)
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
    numbers = [each["kinesis"]["sequenceNumber"] for each in batch]
    rejections = world.bucket.rejections()
    for number in numbers:
        stored = sum(of == number for of, _ in rejections)
        bad = sum(stream.sent[item].bad for item in stream.whole[number])
        if number not in failed:
            assert all(stream.sent[item].bad or item in answered for item in stream.whole[number])
            assert stored == bad
    if failed and world.bucket.latest:
        stored_now = [int(line["source"]["sequenceNumber"]) for line in world.bucket.lines(world.bucket.latest)]
        assert max(stored_now) < min(map(int, failed)), "stored, though it comes again"


def _check_conservation(world: World, stream: Stream) -> None:
    """P1: at the end each event is delivered or quarantined, and not both."""
    delivered = {event.item_id for request in world.api.taken for event in request.events}
    assert delivered == {item for item, sent in stream.sent.items() if not sent.bad}
    quarantined = Counter(of for of, _ in world.bucket.rejections())
    expected = {of: sum(stream.sent[item].bad for item in items) for of, items in stream.whole.items()}
    assert quarantined == Counter({of: bad for of, bad in expected.items() if bad})


def _check_ids(world: World) -> None:
    """P3: an event has the same id each time it is sent, and no other event has it."""
    pairs = {(event.item_id, event.event_id) for request in world.api.taken for event in request.events}
    assert len({item for item, _ in pairs}) == len(pairs) == len({event_id for _, event_id in pairs})


def _check_order(world: World, stream: Stream) -> None:
    """P5: the events of a session are first taken in stream order, one call at a time."""
    assert world.api.most_per_session <= 1
    for session in SESSIONS:
        taken = [event.item_id for request in world.api.taken for event in request.events]
        first = dict.fromkeys(item for item in taken if item and stream.sent[item].session == session)
        assert list(first) == [item for item, sent in stream.sent.items() if item in first]
