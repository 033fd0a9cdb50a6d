"""Read a payload of the contract (docs/events.md): one event, or a PutEvents request."""

from collections.abc import Callable
from typing import Any

import msgspec

from personalize_relay import envelopes, members, plain
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import (
    Event,
    Interaction,
    MetricAttribution,
    Origin,
    Parsed,
    Rejection,
    Source,
    SubSequence,
    Trackers,
)
from personalize_relay.names import ATTRIBUTION_MEMBERS, EVENT_MEMBERS, FLAT_MEMBERS, MARK, respelt

MAX_EVENTS_PER_PAYLOAD = 500
MAX_EVENTS_PER_RECORD = 20_000
ADDRESSEE = ("trackingId", "userId", "sessionId")
IN_THE_LIST = "in the list"
_OF_AN_EVENT = FLAT_MEMBERS | {MARK}


class _Addressee(msgspec.Struct, frozen=True):
    tracking_id: str
    user_id: str | None
    session_id: str


class Reader:
    """Reads the payloads of one record, and keeps their interactions and rejections."""

    __slots__ = (
        "_interactions",
        "_origin",
        "_position",
        "_rejections",
        "_renamed",
        "_trackers",
        "_unknown",
        "filtered",
        "sub_sequence",
    )

    def __init__(self, origin: Origin, trackers: Trackers) -> None:
        self.sub_sequence: SubSequence = ()
        """The sub-sequence of the payload being read."""
        self.filtered: list[str] = []
        self._origin = origin
        self._trackers = trackers
        self._position = origin.position
        self._interactions: list[Interaction] = []
        self._rejections: list[Rejection] = []
        self._unknown = 0
        self._renamed = 0

    def parsed(self, inflated: int) -> Parsed:
        """Everything that the reader has found."""
        return Parsed(
            interactions=tuple(self._interactions),
            rejections=tuple(self._rejections),
            filtered=tuple(self.filtered),
            unknown_members=self._unknown,
            renamed_members=self._renamed,
            inflated=inflated,
        )

    def reject(self, bad: InvalidRecord, index: int | None = None, event_id: str | None = None) -> None:
        """Reject the payload, or an event of it."""
        self._rejections.append(
            Rejection(
                sub_sequence=self.sub_sequence, index=index, event_id=event_id, reason=bad.reason, detail=bad.detail
            )
        )

    @property
    def is_full(self) -> bool:
        """Whether the record holds more events than a record may."""
        return len(self._interactions) + len(self._rejections) > MAX_EVENTS_PER_RECORD

    def read(self, payload: dict[str, Any]) -> None:
        """Read an event or a request; raises InvalidRecord if no event of it can be delivered."""
        if self.sub_sequence and self._take_usual(payload, None):  # `parsing` has tried a payload that is alone
            return
        given, renamed = self._named(payload, _OF_AN_EVENT)
        listed = given.get("eventList")
        if listed is None or members.absent(listed):
            self._event(given, payload, None, alone=True, renamed=renamed)
        else:
            self._request(given, payload, listed)

    def read_event(self, event: dict[str, Any], index: int | None, *, alone: bool) -> None:
        """Read an event that a mapping made; `alone` if its payload has no other event."""
        if not self._take_usual(event, index):
            self._event(event, event, index, alone=alone)

    def _take_usual(self, event: dict[str, Any], index: int | None) -> bool:
        """Take an event by the short way if plain.py can read it; return whether it did."""
        source = Source(self._position, self.sub_sequence, index)
        interaction = plain.take(event, self._origin, source, self._trackers.default)
        if interaction:
            self._interactions.append(interaction)
        return interaction is not None

    def _named(self, given: dict[str, Any], known: frozenset[str]) -> tuple[dict[str, Any], int]:
        """The members under the contract's names, and how many were spelt otherwise; counts the unknown members."""
        if given.keys() <= known:
            return given, 0
        named, renamed = respelt(given, known)
        self._renamed += renamed
        self._unknown += len(named.keys() - known)
        return named, renamed

    def _event(
        self, given: dict[str, Any], payload: dict[str, Any], index: int | None, *, alone: bool, renamed: int = 0
    ) -> None:
        taken = _Members(given, payload)
        try:
            if renamed and not ("sessionId" in payload and "eventType" in payload):
                _refuse_foreign(payload)
            if given is not payload:
                _refuse_half(given, given, payload)
            addressee = self._addressee(taken)
            self._take(taken, addressee, index, alone=alone)
        except InvalidRecord as bad:
            self._reject_event(given, index, bad)

    def _request(self, given: dict[str, Any], payload: dict[str, Any], listed: object) -> None:
        self._unknown += len(given.keys() & EVENT_MEMBERS)
        if given is not payload:
            _refuse_half(given, {"eventType": IN_THE_LIST, "itemId": IN_THE_LIST, **given}, payload)
        events = list(map(self._named_entry, _event_list(listed)))
        shared = {name: given[name] for name in ADDRESSEE if not members.absent(given.get(name))}
        addressee = None
        if not any(isinstance(each, dict) and not each.keys().isdisjoint(ADDRESSEE) for each in events):
            taken = _Members(given, payload)
            addressee = self._addressee(taken)
            taken.check()
        for index, each in enumerate(events):
            try:
                self._entry(each, shared, addressee, index, alone=len(events) == 1)
            except InvalidRecord as bad:
                self._reject_event(each, index, bad)

    def _named_entry(self, entry: object) -> object:
        """An entry under the contract's names, or the error in these names, which `_entry` raises in its turn."""
        try:
            return self._named(entry, _OF_AN_EVENT)[0] if isinstance(entry, dict) else entry
        except InvalidRecord as bad:
            return bad.anew()

    def _entry(
        self, entry: object, shared: dict[str, Any], addressee: _Addressee | None, index: int, *, alone: bool
    ) -> None:
        """Read an entry; `addressee` is the request's, or None if each entry has its own."""
        if isinstance(entry, InvalidRecord):
            raise entry.anew()
        if not isinstance(entry, dict):
            raise InvalidRecord(Reason.NOT_AN_OBJECT, "an entry of eventList must be an object")
        if addressee is None:
            for name, value in shared.items():
                if not members.absent(entry.get(name)) and entry[name] != value:
                    raise InvalidRecord(Reason.AMBIGUOUS_MEMBER, f"{name} is another one in its request")
            entry = {**entry, **shared}
        if not entry.keys() <= _OF_AN_EVENT:
            _refuse_half(entry, {**entry, **shared}, entry)
        taken = _Members(entry, entry)
        self._take(taken, addressee or self._addressee(taken), index, alone=alone)

    def _addressee(self, taken: "_Members") -> _Addressee:
        tracking_id = taken.optional("trackingId", members.identity) or self._trackers.default
        if tracking_id != self._trackers.default and tracking_id not in self._trackers.allowed:
            taken.fault(Reason.TRACKER_NOT_ALLOWED, "trackingId is neither TRACKING_ID nor one of ALLOWED_TRACKING_IDS")
        return _Addressee(tracking_id, taken.optional("userId", members.identity), taken.required("sessionId"))

    def _take(self, taken: "_Members", addressee: _Addressee, index: int | None, *, alone: bool) -> None:
        """Take an event, or raise all its faults."""
        given = taken.given
        members.check_nesting("the event", given)
        arrival = self._origin.arrival
        sent_at = taken.optional("sentAt", self._sent_at)
        sent_at_given = not members.absent(given.get("sentAt"))
        if not (sent_at_given or alone):
            # If all events had the arrival as their time, Personalize would keep only one of two with equal properties.
            taken.fault(Reason.MISSING_MEMBER, "sentAt is missing: required where a payload has several events")
        source = taken.optional("metricAttribution", _attribution_source)
        event = Event(
            event_id=taken.optional("eventId", members.identity) or self._origin.event_id(self.sub_sequence, index),
            event_type=taken.required("eventType"),
            sent_at=arrival if sent_at is None else sent_at,
            event_value=taken.optional("eventValue", members.number),
            item_id=taken.optional("itemId", members.identity),
            properties=taken.optional("properties", members.properties),
            recommendation_id=taken.optional("recommendationId", members.identity),
            impression=taken.optional("impression", members.impression),
            metric_attribution=None if source is None else MetricAttribution(source),
        )
        taken.check()
        self._interactions.append(
            Interaction(
                event=event,
                source=Source(self._position, self.sub_sequence, index),
                tracking_id=addressee.tracking_id,
                user_id=addressee.user_id,
                session_id=addressee.session_id,
                arrival=arrival,
                sent_at_given=sent_at_given,
            )
        )

    def _sent_at(self, name: str, value: object) -> float:
        return members.sent_at(name, value, self._origin.arrival)

    def _reject_event(self, given: object, index: int | None, bad: InvalidRecord) -> None:
        self.reject(bad, index, _claimed_id(given) or self._origin.event_id(self.sub_sequence, index))


class _Members:
    """Takes the members of an object one by one, and keeps the faults of all."""

    __slots__ = ("_faults", "_payload", "given")

    def __init__(self, given: dict[str, Any], payload: dict[str, Any]) -> None:
        """`given` has the contract's names, `payload` the producer's."""
        self.given = given
        self._payload = payload
        self._faults: list[InvalidRecord] = []

    def optional[T](self, name: str, rule: Callable[[str, object], T | None]) -> T | None:
        value = self.given.get(name)
        if value is None or (not value and members.absent(value)) or (type(value) is str and value.isspace()):
            return None
        try:
            return rule(name, value)
        except InvalidRecord as bad:
            self._faults.append(bad.anew())
            return None

    def required(self, name: str) -> str:
        taken = self.optional(name, members.identity)
        if taken is None and members.absent(self.given.get(name)):
            self.fault(Reason.MISSING_MEMBER, f"{name} is missing")
        return taken or ""

    def fault(self, reason: Reason, detail: str) -> None:
        self._faults.append(InvalidRecord(reason, detail))

    def check(self) -> None:
        """Raise all faults in one error; if a member is missing, the error says what the payload looks like instead."""
        if not self._faults:
            return
        details = [each.detail for each in self._faults]
        if any(each.reason is Reason.MISSING_MEMBER for each in self._faults):
            details += filter(None, [envelopes.seen(self._payload)])
        raise InvalidRecord(self._faults[0].reason, "; ".join(details))


def _refuse_foreign(payload: dict[str, Any]) -> None:
    """Refuse another system's event that happens to have every member that the contract requires."""
    if system := envelopes.system(payload):
        raise InvalidRecord(Reason.FOREIGN_FORMAT, system)


def _refuse_half(given: dict[str, Any], event: dict[str, Any], payload: dict[str, Any]) -> None:
    """Refuse an event if an object beside its members holds its other half, which the relay would not send.

    `event` has all the members known so far, under the contract's names.
    """
    for name, value in given.items():
        if name not in FLAT_MEMBERS and isinstance(value, dict):
            lacking = [each for each in envelopes.held(value) if members.absent(event.get(each))]
            if lacking:
                raise InvalidRecord(Reason.FOREIGN_FORMAT, envelopes.system(payload) or envelopes.envelope(lacking))


def _event_list(listed: object) -> list[Any]:
    if not isinstance(listed, list):
        raise InvalidRecord(Reason.WRONG_TYPE, "eventList must be a list of events")
    if len(listed) > MAX_EVENTS_PER_PAYLOAD:
        raise InvalidRecord(
            Reason.TOO_MANY_EVENTS, f"eventList has {len(listed)} events, may have {MAX_EVENTS_PER_PAYLOAD}"
        )
    return listed


def _attribution_source(name: str, value: object) -> str | None:
    named = respelt(value, ATTRIBUTION_MEMBERS)[0] if isinstance(value, dict) else value
    return members.attribution_source(name, named)


def _claimed_id(given: object) -> str | None:
    """The id of a rejected event, if the id is valid."""
    return _Members(given, given).optional("eventId", members.identity) if isinstance(given, dict) else None
