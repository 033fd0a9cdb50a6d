"""What is left of a record once a person's events are out of it, each event of others in the place that it had.

Places matter: an event's derived id, the reasons beside a quarantined record and the ledger of a redrive go by them.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import SubSequence, dotted
from personalize_relay.framing import Payload, Rows, unframe
from personalize_relay.names import meant
from personalize_relay_cli.erasure.whom import Whom
from personalize_relay_cli.recovery.selection import ERASED, PayloadEvent, Selection, events_made
from personalize_relay_cli.recovery.set_aside import FailureCause, SetAside

NOBODY = "erased"
"""The partition key of what is left of a record whose key was theirs."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A payload, and how much of it goes."""

    place: SubSequence
    value: Any
    """What is left of it."""
    gone: bool = False
    entries: frozenset[int] = frozenset()
    """The places in `eventList` that go, where the payload itself stays."""
    unreadable: str | None = None
    """The function's word for why it can't be told whose it is."""
    along: int = 0
    """The events of others that go with it, as a vendor's payload can't be written without one of its events."""


class Remainder(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a record."""

    data: str | None = None
    """In base64; None where the record goes as a whole."""
    partition_key: str = NOBODY
    causes: tuple[bool, ...] = ()
    """Which of the record's causes stay."""
    along: int = 0
    """What of others, or of nobody that can be told, goes with it."""


class Eraser:
    """Tells what of a record is a person's; `selection` has the mapping of payloads that aren't of the contract.

    With `unreadable` a record that can't be read goes, whosever it is.
    """

    def __init__(self, whom: Whom, selection: Selection, *, unreadable: bool = False) -> None:
        self._whom = whom
        self._selection = selection
        self._rows = selection.mapping.rows if selection.mapping else None
        self._unreadable = unreadable

    def tell(self, record: SetAside) -> Remainder | str | None:
        """What becomes of a record of theirs; of another nothing, or why nobody can tell whose it is.

        Raises Misuse where it takes a mapping that isn't known here.
        """
        parts = [self._part(payload, record.partition_key) for payload in record.payloads(self._rows)]
        keyed = self._whom.is_key(record.partition_key)
        why = next((part.unreadable for part in parts if part.unreadable not in {None, Reason.EMPTY_RECORD}), None)
        if not (keyed or any(part.gone or part.entries for part in parts)):
            return why
        return self._remainder(record, parts)

    def _remainder(self, record: SetAside, parts: list[Part]) -> Remainder:
        if not any(part.gone or part.entries for part in parts):  # only its key is theirs
            return Remainder(data=record.data, causes=(True,) * len(record.causes))
        along = sum(part.along + bool(part.unreadable) for part in parts)
        left = {part.place: part for part in parts if not (part.gone or part.unreadable)}
        causes = tuple(_stays(cause, parts, left) for cause in record.causes)
        if not any(causes):
            return Remainder(along=along)
        data = _written({place: part.value for place, part in left.items()}, self._rows)
        if data is None:
            return Remainder(along=along + len(left))
        key = NOBODY if self._whom.is_key(record.partition_key) else record.partition_key
        return Remainder(data=data, partition_key=key, causes=causes, along=along)

    def _part(self, payload: Payload, key: str) -> Part:
        place, value = payload.sub_sequence, payload.value
        keyed = self._whom.is_key(key)
        if isinstance(value, InvalidRecord):
            holds_nothing = value.reason == Reason.EMPTY_RECORD
            goes = keyed or (self._unreadable and not holds_nothing)
            return Part(place=place, value=ERASED, gone=goes, unreadable=None if goes else value.reason)
        mapping = self._selection.mapping_of(value)
        if mapping is not None:
            return self._mapped(place, value, events_made(mapping, value), key)
        return self._given(place, value, key)

    def _mapped(self, place: SubSequence, value: dict[str, Any], made: list[PayloadEvent], key: str) -> Part:
        """A payload that a mapping reads: it goes as a whole, as an event can't be taken out of it."""
        theirs = [self._is_theirs(each.event, key) for each in made if each.event is not None]
        unsure = len(theirs) < len(made) and not self._is_free(value, key)
        goes = any(theirs) or unsure or self._whom.is_named(value)
        # Where a mapping hashes ids, the payload may name them and none of its events does: then all are theirs.
        return Part(place=place, value=value, gone=goes, along=theirs.count(False) if any(theirs) or unsure else 0)

    def _given(self, place: SubSequence, value: dict[str, Any], key: str) -> Part:
        """A payload of the contract, or of none, where any value may be the id."""
        lists = {name: each for name, each in value.items() if meant(name) == "eventList" and isinstance(each, list)}
        name, listed = next(((name, each) for name, each in lists.items() if each), ("", []))
        if not listed:
            is_event = any(meant(each) == "sessionId" for each in value)
            return Part(
                place=place,
                value=value,
                gone=self._is_theirs(value, key) or not (is_event or self._is_free(value, key)),
            )
        about = {each: said for each, said in value.items() if each != name}
        entries = {
            index
            for index, each in enumerate(listed)
            if self._is_theirs(about | (each if isinstance(each, dict) else {}), key)
        }
        left = [ERASED if index in entries else each for index, each in enumerate(listed)]
        return Part(
            place=place, value=value | {name: left}, gone=len(entries) == len(listed), entries=frozenset(entries)
        )

    def _is_theirs(self, event: dict[str, Any], key: str) -> bool:
        keyed = self._whom.is_key(key) and not self._whom.is_anothers(event, key)
        return keyed or self._whom.is_named(event)

    def _is_free(self, value: dict[str, Any], key: str) -> bool:
        """Whether nothing of what gives no event is theirs, whatever its names."""
        return not (self._whom.is_key(key) or self._whom.is_held(value))


def _stays(cause: FailureCause, parts: list[Part], left: Mapping[SubSequence, Part]) -> bool:
    """Whether an event is left that a record was set aside for."""
    places = [part.place for part in parts if cause.sub_sequence in {None, dotted(part.place)}]
    return not places or any(place in left and cause.index not in left[place].entries for place in places)


def _written(left: Mapping[SubSequence, Any], rows: Rows | None) -> str | None:
    """The payloads that are left as a record, in base64; None where it would not be read as just these."""
    try:
        data = json.dumps(_nested(left), allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # a number that no double holds
        return None
    if unframe(data, rows).payloads != tuple(Payload(place, value) for place, value in left.items()):
        return None
    return base64.b64encode(data).decode()


def _nested(places: Mapping[SubSequence, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Lists within lists, in which each payload has its place, as what is erased keeps its own.

    A list of one would give it none.
    """
    if () in places:
        return places[()]
    length = max(2, *(place[0] + 1 for place in places))
    lists: list[dict[SubSequence, Any]] = [{} for _ in range(length)]
    for place, value in places.items():
        lists[place[0]][place[1:]] = value
    return [_nested(each) if each else ERASED for each in lists]
