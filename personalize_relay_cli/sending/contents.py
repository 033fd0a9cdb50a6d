"""What a line becomes on the stream: data, the partition key that keeps its order, and how many events that is.

Without a mapping a line is sent as it is, under the contract's names; with one, what the mapping makes of it.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from personalize_relay import members, payloads
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.framing import unframe
from personalize_relay.mapping import Mapping
from personalize_relay.names import CONTRACT, MARK
from personalize_relay.parsing import CONTROL_MESSAGE
from personalize_relay.reshaping import contract
from personalize_relay_cli.sending.event_ids import Stamper
from personalize_relay_cli.sending.respelling import respelled


@dataclass(frozen=True, slots=True)
class Content:
    """A line as a record of the stream, to be sent unless it is empty or bad."""

    data: bytes
    key: str
    events: int
    filtered: tuple[str, ...] = ()
    """For each payload that the mapping drops, the rule that does."""
    bad: InvalidRecord | None = None
    """Why there is nothing to send."""

    @property
    def is_dropped(self) -> bool:
        """Whether the mapping drops all of it."""
        return not self.events and not self.bad


class Contents(Protocol):
    """Makes records of lines."""

    @property
    def mapping(self) -> Mapping | None:
        """What makes events of the lines."""

    def of(self, data: bytes, stamper: Stamper | None) -> Content:
        """What a line becomes, its events stamped by the stamper if there is one."""


class AsGiven:
    """Lines as they are, but for the names of members."""

    mapping: Mapping | None = None

    def of(self, data: bytes, stamper: Stamper | None) -> Content:
        """See Contents."""
        try:
            decoded = payloads.decode(data)
        except InvalidRecord:
            return Content(data, _hash(data), 1)
        named_data, named = respelled(data, decoded)
        stamped = stamper.stamp(named_data, named) if stamper else named_data
        return Content(stamped, _session(named) or _hash(data), _count(named))


class ByMapping:
    """The events that a mapping makes, each marked as one of the contract, so that no other mapping touches it."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping

    def of(self, data: bytes, stamper: Stamper | None) -> Content:
        """See Contents."""
        framed = unframe(data, self.mapping.rows)
        filtered = [CONTROL_MESSAGE] * framed.control
        made: list[dict[str, Any]] = []
        try:
            for payload in framed.payloads:
                events, dropped = self._made(payload.value)
                made += events
                filtered += dropped
            record = b"\n".join(_written(event, stamper) for event in made)
        except InvalidRecord as bad:
            return Content(b"", "", 0, bad=bad)
        key = (_session(made[0]) if made else None) or _hash(data)
        return Content(record, key, sum(map(_count, made)), tuple(filtered))

    def _made(self, value: Any) -> tuple[list[dict[str, Any]], list[str]]:  # noqa: ANN401 - whatever JSON may hold
        """The events of a payload, and the rule that drops it."""
        if isinstance(value, InvalidRecord):
            raise value
        if value.get(MARK) == CONTRACT:
            return [contract(value)], []
        mapped = self.mapping.map(value)
        return [_good(event) for event in mapped.events], [] if mapped.dropped is None else [mapped.dropped]


def _good(made: dict[str, Any] | InvalidRecord) -> dict[str, Any]:
    if isinstance(made, InvalidRecord):
        raise made
    return made


def _written(event: dict[str, Any], stamper: Stamper | None) -> bytes:
    data = _encoded({MARK: CONTRACT} | event)
    return stamper.stamp(data, event) if stamper else data


def _encoded(event: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(event)
    except (ValueError, OverflowError):
        pass  # an unpaired surrogate, which JSON may escape, or a number that no double holds
    try:
        return json.dumps(event, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as exc:
        raise InvalidRecord(Reason.INVALID_NUMBER, "a number is out of range") from exc


def _session(event: dict[str, Any]) -> str | None:
    """The session, else the user, as the function takes them; None where there is neither."""
    for name in ("sessionId", "userId"):
        value = event.get(name)
        if members.absent(value):
            continue
        try:
            return members.text(name, value)
        except InvalidRecord:
            continue
    return None


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _count(event: dict[str, Any]) -> int:
    listed = event.get("eventList")
    return len(listed) if isinstance(listed, list) else 1
