"""What is worth a warning in events that would be delivered, gathered in memory that doesn't grow with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from personalize_relay.events import Interaction
from personalize_relay_cli.advice import Weakness
from personalize_relay_cli.checking.schemas import Schema
from personalize_relay_cli.checking.sketches import KeySample
from personalize_relay_cli.checking.spellings import Names, names
from personalize_relay_cli.input.reading import Line

MOST_NAMES = 20
"""Of members and properties, to show."""
NEARLY_ALL = 0.9
ENOUGH_SESSIONS = 20
"""Fewer show no habit of a producer."""
ENOUGH_EVENTS = 100
"""Of fewer, a type seen once is nothing special."""

_REPEATS = {Weakness.REUSED_EVENT_ID, Weakness.IDENTICAL_EVENT}
_NO_NAMES = Names(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many of each are known one by one; beyond, a sample stands for all."""

    sessions: int = 2**15
    event_ids: int = 2**17
    event_types: int = 2**10


@dataclass(frozen=True, slots=True)
class Warned:
    """A weakness of the input as a whole; it holds nothing of an event but `names`."""

    weakness: Weakness
    count: int
    """How many have it."""
    of: int | None = None
    """Of how many; None where that says nothing."""
    approximately: bool = False
    """Whether the counts are estimates, from a sample."""
    first: tuple[str, int] | None = None
    """The file and line where it first shows."""
    fields: tuple[str, ...] = ()
    """The schema's fields that it is about."""
    names: tuple[str, ...] = ()
    """The members or properties that it is about, by the producer's names."""


@dataclass(slots=True)
class _Session:
    events: int = 0
    stamped: int = 0
    whole_seconds: int = 0
    has_user: bool = False


@dataclass(slots=True)
class _Type:
    events: int = 0
    first: tuple[str, int] | None = None


@dataclass(slots=True)
class _Distinct:
    content: int | None = None


@dataclass(slots=True)
class _Seen:
    count: int = 0
    first: tuple[str, int] | None = None
    names: set[str] = field(default_factory=set)

    def see(self, line: Line, count: int = 1, names: Iterable[str] = ()) -> None:
        self.count += count
        self.first = self.first or (line.file, line.number)
        self.names.update(islice(names, max(0, MOST_NAMES - len(self.names))))


class Observations:
    """All that was seen of the good events so far."""

    def __init__(self, arrival: float, schema: Schema | None, bounds: Bounds, *, derived: str, names: bool) -> None:
        """`derived` is how the id of an event begins whose producer gave none; `names` asks for those of members."""
        self._arrival = arrival
        self._schema = schema
        self._derived = derived
        self._names = names
        self._events = 0
        self._sessions = KeySample(bounds.sessions, _Session)
        self._types = KeySample(bounds.event_types, _Type)
        self._distinct = KeySample(bounds.event_ids, _Distinct)
        self._seen = {weakness: _Seen() for weakness in Weakness}

    def see(self, line: Line, interaction: Interaction) -> None:
        """Take note of an event that would be delivered."""
        event = interaction.event
        self._events += 1
        self._see_session(interaction)
        kind = self._types.of(event.event_type)
        if kind is not None:
            kind.events += 1
            kind.first = kind.first or (line.file, line.number)
        self._see_again(line, interaction)
        if not interaction.sent_at_given:
            self._seen[Weakness.NO_SENT_AT].see(line)
        elif event.sent_at > self._arrival:
            self._seen[Weakness.IN_THE_FUTURE].see(line)
        if self._schema and (foreign := self._schema.compare(interaction)):
            self._seen[Weakness.PROPERTY_NOT_IN_SCHEMA].see(line, len(foreign), sorted(foreign) if self._names else ())

    def see_names(self, line: Line, *, unknown: int, renamed: int) -> None:
        """Take note of how many of a payload's members the contract has not, or not in that spelling."""
        if not (unknown or renamed):
            return
        seen = names(line.data) if self._names else _NO_NAMES
        if unknown:
            self._seen[Weakness.UNKNOWN_MEMBER].see(line, unknown, sorted(seen.unknown))
        if renamed:
            self._seen[Weakness.RENAMED_MEMBER].see(line, renamed, sorted(seen.renamed))

    def warnings(self) -> Iterator[Warned]:
        """What is worth a warning by now."""
        if not self._events:
            yield Warned(Weakness.NO_EVENTS, 0)
            return
        yield from self._of_sessions()
        yield from self._of_types()
        for weakness, of in (
            (Weakness.REUSED_EVENT_ID, None),
            (Weakness.IDENTICAL_EVENT, None),
            (Weakness.IN_THE_FUTURE, self._events),
            (Weakness.NO_SENT_AT, self._events),
            (Weakness.RENAMED_MEMBER, None),
            (Weakness.UNKNOWN_MEMBER, None),
            (Weakness.PROPERTY_NOT_IN_SCHEMA, None),
        ):
            seen = self._seen[weakness]
            scale = self._distinct.scale if weakness in _REPEATS else 1
            if seen.count:
                names = tuple(sorted(seen.names))
                yield Warned(weakness, seen.count * scale, of, scale > 1, seen.first, names=names)
        if self._schema and self._schema.unfilled:
            fields = tuple(sorted(self._schema.unfilled))
            yield Warned(Weakness.FIELD_NEVER_FILLED, len(fields), fields=fields)

    def _see_session(self, interaction: Interaction) -> None:
        session = self._sessions.of(interaction.session_id)
        if session is None:
            return
        session.events += 1
        session.has_user = session.has_user or interaction.user_id is not None
        if interaction.sent_at_given:
            session.stamped += 1
            session.whole_seconds += interaction.event.sent_at.is_integer()

    def _see_again(self, line: Line, interaction: Interaction) -> None:
        """Compare an event with an earlier one of its id; without an id, its content stands for one."""
        event = interaction.event
        named = not event.event_id.startswith(self._derived)
        if not named:
            event = msgspec.structs.replace(event, event_id="")
        content = hash((interaction.session_id, interaction.user_id, event))
        known = self._distinct.of(f"{interaction.tracking_id}\0{event.event_id or content}")
        if known is None:
            return
        if known.content is None:
            known.content = content
        elif not named:
            self._seen[Weakness.IDENTICAL_EVENT].see(line)
        elif known.content != content:
            self._seen[Weakness.REUSED_EVENT_ID].see(line)

    def _of_sessions(self) -> Iterator[Warned]:
        scale, sessions = self._sessions.scale, list(self._sessions.values())

        def warned(weakness: Weakness, count: int, of: int) -> Warned:
            return Warned(weakness, count * scale, of * scale, approximately=scale > 1)

        singles = sum(session.events == 1 for session in sessions)
        if len(sessions) >= ENOUGH_SESSIONS and singles >= NEARLY_ALL * len(sessions):
            yield warned(Weakness.SESSION_PER_EVENT, singles, len(sessions))
        unjoined = sum(not session.has_user for session in sessions)
        if 2 * unjoined > len(sessions):
            yield warned(Weakness.SESSION_WITHOUT_USER, unjoined, len(sessions))
        several = [session for session in sessions if session.stamped > 1]
        stamped = sum(session.stamped for session in several)
        whole = sum(session.whole_seconds for session in several)
        if len(several) >= ENOUGH_SESSIONS and whole >= NEARLY_ALL * stamped:
            yield warned(Weakness.WHOLE_SECONDS, whole, stamped)

    def _of_types(self) -> Iterator[Warned]:
        once = [kind.first for kind in self._types.values() if kind.events == 1]
        if once and self._events >= ENOUGH_EVENTS:
            scale = self._types.scale
            yield Warned(Weakness.EVENT_TYPE_ONCE, len(once) * scale, len(self._types) * scale, scale > 1, once[0])
