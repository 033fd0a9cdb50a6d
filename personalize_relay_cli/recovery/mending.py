"""Make an event that is set aside fit to be sent again: mend it, stamp it with what it was, and check it.

What is stamped makes it the same event to Personalize however often it is sent: its id, its time, its tracker.
"""

import json
from typing import Any

import msgspec
from jmespath.exceptions import JMESPathError

from personalize_relay import members
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import Interaction, Origin, Source, Trackers
from personalize_relay.expressions import Expressions, WrongExpression
from personalize_relay.functions import Functions
from personalize_relay.names import CONTRACT, MARK
from personalize_relay.parsing import parse
from personalize_relay.projections import Expression
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.recovery.selection import Piece
from personalize_relay_cli.recovery.set_aside import EventPosition

TRANSFORM_FAILED = "transform_failed"
"""The reason of an event that the transform can't be applied to, or makes no event of."""


class NotMended(Exception):
    """The function would reject the event; `reason` is its word for why, or TRANSFORM_FAILED, `detail` says more."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """An event to send: as a payload of the stream, and as the function would read that."""

    position: EventPosition
    payload: bytes
    interaction: Interaction
    """Its source is its place in the original record."""

    @property
    def partition_key(self) -> str:
        """The session, as for every event."""
        return self.interaction.session_id


def compiled(transform: str) -> Expression:
    """The expression, which may call what a mapping's may; raises Misuse for what is none."""
    try:
        return Expressions(Functions()).compiled(transform)
    except WrongExpression as exc:
        raise Misuse(f"--transform {exc}") from exc


class Mender:
    """Mends events by an expression, or leaves them as they are; `trackers` are those of the deployed function.

    With `marking` each says that it is of the contract, for a function that has a mapping.
    """

    def __init__(self, trackers: Trackers, transform: Expression | None = None, *, marking: bool = False) -> None:
        self._trackers = trackers
        self._transform = transform
        self._mark = {MARK: CONTRACT} if marking else {}

    def mend(self, piece: Piece) -> Mended:
        """The event to send; raises NotMended for what the function would still reject."""
        if piece.not_mapped:
            raise NotMended(piece.not_mapped)
        if piece.event is None:
            raise NotMended(Reason.NOT_AN_OBJECT)
        stamped = self._stamp(self._transformed(_dated(piece.event, piece)), piece.event, piece)
        payload = _encode(stamped | self._mark)
        return Mended(position=piece.position, payload=payload, interaction=self._checked(payload, piece))

    def _transformed(self, event: dict[str, Any]) -> dict[str, Any]:
        if self._transform is None:
            return event
        try:
            made = self._transform(event)
        except (
            JMESPathError,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as exc:
            # Its text may hold the event; jmespath's functions raise whatever their values make Python raise.
            raise NotMended(TRANSFORM_FAILED) from exc
        if not isinstance(made, dict):
            raise NotMended(TRANSFORM_FAILED)
        return made

    def _stamp(self, made: dict[str, Any], original: dict[str, Any], piece: Piece) -> dict[str, Any]:
        """What the transform made, with what the original event was known by.

        `eventId` is always the original's, or its position where that is none. A tracker, session or user that the
        transform left out is the original's; it may change them, and say null.
        """
        origin = piece.record.origin
        kept = {name: original[name] for name in ("trackingId", "sessionId", "userId") if name in original}
        stamped = kept | made | {"eventId": _valid_id(original) or origin.event_id(piece.sub_sequence, piece.index)}
        if members.absent(stamped.get("trackingId")):
            stamped["trackingId"] = self._trackers.default
        if members.absent(stamped.get("sentAt")):
            stamped["sentAt"] = _original_time(original, piece)
        return stamped

    def _checked(self, payload: bytes, piece: Piece) -> Interaction:
        # By the original arrival: a time after that was wrong then, and time makes it no better.
        parsed = parse(payload, piece.record.origin, self._trackers)
        if parsed.rejections:
            raise NotMended(parsed.rejections[0].reason, parsed.rejections[0].detail)
        if len(parsed.interactions) != 1 or parsed.interactions[0].source.index is not None:
            raise NotMended(TRANSFORM_FAILED)  # it made an eventList
        source = Source(int(piece.record.origin.sequence_number), piece.sub_sequence, piece.index)
        return msgspec.structs.replace(parsed.interactions[0], source=source)


def _dated(event: dict[str, Any], piece: Piece) -> dict[str, Any]:
    """The event as the transform sees it: with the time that the function would have given it."""
    if not members.absent(event.get("sentAt")) or piece.several:
        return event
    return event | {"sentAt": piece.record.origin.arrival}


def _original_time(original: dict[str, Any], piece: Piece) -> object:
    """The time given, where the function takes it, else the arrival; None where that would be the same for several."""
    arrival = piece.record.origin.arrival
    given = original.get("sentAt")
    if not members.absent(given) and _takes_time(given, piece.record.origin):
        return given
    if piece.several:
        raise NotMended(Reason.MISSING_MEMBER)
    return arrival


def _takes_time(given: object, origin: Origin) -> bool:
    try:
        members.sent_at("sentAt", given, origin.arrival)
    except InvalidRecord:
        return False
    return True


def _valid_id(original: dict[str, Any]) -> str | None:
    given = original.get("eventId")
    try:
        return None if members.absent(given) else members.identity("eventId", given)
    except InvalidRecord:
        return None


def _encode(event: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except TypeError as exc:  # an expression, `&name`, is no value
        raise NotMended(TRANSFORM_FAILED) from exc
    except ValueError as exc:  # beyond a double, which stands for a number out of range
        raise NotMended(Reason.INVALID_NUMBER) from exc
    try:
        return text.encode()
    except UnicodeEncodeError:  # an unpaired surrogate: the parser says whether it may be where it is
        return json.dumps(event, separators=(",", ":")).encode()
