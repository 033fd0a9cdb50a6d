"""Which of the records that are set aside a command works on, and the events of a record that it is about."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cli.problems import Misuse
from cli.recovery.set_aside import Cause, Position, SetAside, is_time
from personalize_relay.errors import InvalidRecord
from personalize_relay.names import REQUEST_MEMBERS

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_NO_TIME = "a time is ISO 8601 and after 1970, as 2026-11-24T09:30:00Z, or so long ago: 90m, 2h, 3d"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One event that is set aside, flat; or a record that no event can be read from (`event` None)."""

    record: SetAside
    index: int | None
    reason: str
    event: dict[str, Any] | None
    several: bool = False
    """Whether its record holds others: then its `sentAt` can't be the arrival, which is the same for all."""

    @property
    def position(self) -> Position:
        """What names it in its object."""
        return self.record.origin.sequence_number, self.index


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; what is None or empty excludes nothing. Times of arrival in epoch seconds."""

    since: float | None = None
    until: float | None = None
    reasons: frozenset[str] = frozenset()
    shard: str | None = None
    sequence_number: str | None = None
    tracker: str | None = None
    default_tracker: str | None = None
    """The tracker of events that name none; needed with `tracker`."""

    def causes(self, record: SetAside) -> tuple[Cause, ...]:
        """Those of a record's causes that are asked for; none where the record isn't."""
        origin = record.origin
        if (
            not self.covers(origin.arrival)
            or self.shard not in {None, origin.shard_id}
            or self.sequence_number not in {None, origin.sequence_number}
            or (self.tracker is not None and self.tracker != self._tracker_of(record))
        ):
            return ()
        return tuple(cause for cause in record.causes if not self.reasons or cause.reason in self.reasons)

    def pieces(self, record: SetAside) -> Iterator[Piece]:
        """The events of a record that are asked for, in order."""
        causes = self.causes(record)
        if not causes:
            return
        try:
            payload = record.decoded()
        except InvalidRecord:
            yield from (Piece(record=record, index=each.index, reason=each.reason, event=None) for each in causes)
            return
        for cause in causes:
            yield from _pieces(record, cause, payload)

    def covers(self, arrival: float) -> bool:
        """Whether a record of this arrival may be asked for."""
        return (self.since is None or arrival >= self.since) and (self.until is None or arrival < self.until)

    def _tracker_of(self, record: SetAside) -> object:
        """What is named by the record; no tracker at all where it can't be read."""
        try:
            return record.decoded().get("trackingId") or self.default_tracker
        except InvalidRecord:
            return ""


def _pieces(record: SetAside, cause: Cause, payload: dict[str, Any]) -> Iterator[Piece]:
    listed = payload.get("eventList")
    if not isinstance(listed, list) or not listed:
        yield Piece(record=record, index=None, reason=cause.reason, event=payload)
        return
    request: dict[str, Any] = {name: payload[name] for name in ("trackingId", "userId", "sessionId") if name in payload}
    for index, event in enumerate(listed):
        if cause.index in {None, index}:
            flat = _flat(event, request) if isinstance(event, dict) else None
            several = len(listed) > 1
            yield Piece(record=record, index=index, reason=cause.reason, event=flat, several=several)


def _flat(event: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """The event beside its request's members; members of that name in the event itself count for nothing."""
    return {name: value for name, value in event.items() if name not in REQUEST_MEMBERS} | request


def moment(text: str, now: datetime) -> float:
    """Epoch seconds of an ISO 8601 time, UTC unless it says otherwise, or of so long before now: `90m`, `2h`, `3d`."""
    try:
        seconds = _moment(text, now).timestamp()
    except (ValueError, OverflowError) as exc:
        raise Misuse(_NO_TIME) from exc
    if not is_time(seconds):
        raise Misuse(_NO_TIME)
    return seconds


def _moment(text: str, now: datetime) -> datetime:
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)
