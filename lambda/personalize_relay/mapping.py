"""Turn a payload of any form into events of the contract, by the first rule that matches it.

Pure: the same payload always gives the same events. The expressions come compiled from mapping_file.py.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from personalize_relay import members
from personalize_relay.contract import MAX_EVENTS_PER_PAYLOAD
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.events import shortened
from personalize_relay.projections import NUMBERS, Expression

MEMBERS = (
    *("trackingId", "userId", "sessionId", "eventType", "eventValue", "itemId", "properties", "sentAt", "eventId"),
    *("recommendationId", "impression", "metricAttribution"),
)
"""The members that a rule may have an expression for."""

_MOST_MEMBERS = 1_024
"""The most members of an object to take nulls out of: a larger object is too long for any member of the contract."""

type Made = dict[str, Any] | InvalidRecord
"""An event, or why an entry of `each` becomes no event."""


class Mapped(msgspec.Struct, frozen=True):
    """The result of mapping a payload."""

    events: tuple[Made, ...] = ()
    """Flat events, as a payload of the contract would hold them; nobody has checked them against its rules yet."""
    several: bool = False
    """Whether the rule takes several events out of a payload, so that each has its index."""
    dropped: str | None = None
    """The name of the rule that dropped the payload."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Makes events of the payloads that match, or drops them."""

    name: str
    when: Expression | None = None
    """Finds something true in a payload that matches; None if every payload does."""
    each: Expression | None = None
    """Gives the list whose entries each become an event."""
    paths: tuple[tuple[Expression, tuple[tuple[str, str], ...]], ...] = ()
    """How to find each object that plain paths end in, and which members of an event are which fields of it."""
    members: tuple[tuple[str, Expression], ...] = ()
    """An expression for each other member."""
    keeps_scope: bool = False
    """Whether an expression may put its whole scope into an event, so that no other entry may share that object."""

    @property
    def drops(self) -> bool:
        """Whether the rule makes no events."""
        return not self.paths and not self.members

    def mapped(self, value: dict[str, Any]) -> Mapped:
        """The payload's events; raises InvalidRecord if the rule's expressions can't be applied to the payload."""
        if self.drops:
            return Mapped(dropped=self.name)
        if self.each is None:
            return Mapped(events=(self._event(value),))
        entries, scope = self._entries(self.each, value), {**value}
        events = [self._of_entry(entry, scope) for entry in entries]
        _number(events)
        return Mapped(events=tuple(events), several=True)

    def _entries(self, each: Expression, value: dict[str, Any]) -> list[Any]:
        try:
            entries = each(value)
        except Exception as exc:  # noqa: BLE001 - as above
            raise self.failed("each", exc) from None
        if type(entries) is not list or not entries:
            said = "an empty list" if entries == [] else "no list"
            raise InvalidRecord(Reason.NOT_MAPPED, f'rule "{self.name}": each gives {said}')
        if len(entries) > MAX_EVENTS_PER_PAYLOAD:
            said = f"{len(entries)} events, may give {MAX_EVENTS_PER_PAYLOAD}"
            raise InvalidRecord(Reason.TOO_MANY_EVENTS, f'rule "{self.name}": each gives {said}')
        return entries

    def _of_entry(self, entry: Any, scope: dict[str, Any]) -> Made:  # noqa: ANN401 - JSON may be anything
        """The event of an entry; entries share one scope, because copying a wide payload takes long."""
        scope["each"] = entry
        try:
            return self._event({**scope} if self.keeps_scope else scope)
        except InvalidRecord as bad:
            return bad.anew()

    def _event(self, scope: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        name = ""
        try:
            for owner, fields in self.paths:
                whole = owner(scope)
                if type(whole) is dict:
                    for name, field in fields:  # as below, without a call for each
                        value = whole.get(field)
                        if type(value) is dict:
                            value = _filled(value)
                        if value is not None:
                            made[name] = value
            for name, expression in self.members:
                value = expression(scope)
                if type(value) is dict:
                    value = _filled(value)
                if value is not None:
                    made[name] = value
        except Exception as exc:  # noqa: BLE001 - as above
            raise self.failed(name, exc) from None
        return made

    def failed(self, part: str, exc: Exception) -> InvalidRecord:
        """Why the rule can't be applied to a payload; `part` names the expression that raised `exc`."""
        return _failed(f'rule "{self.name}": {part}', exc)


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in the order in which they are tried."""

    name: str
    let: tuple[tuple[str, Expression], ...] = ()
    """Values that the rules see like members of the payload: computed once, each from those before it."""
    rules: tuple[Rule, ...]
    rows: Callable[[str], dict[str, Any] | None] | None = None
    """Turns a line of text that isn't JSON into an object, or gives None if it can't; None without columns."""

    def map(self, payload: dict[str, Any]) -> Mapped:
        """The payload's events, or the rule that drops it; raises InvalidRecord if no rule takes the payload."""
        scope = self._scope(payload) if self.let else payload
        return self._rule(scope).mapped(scope)

    def rule(self, payload: dict[str, Any]) -> Rule:
        """The rule that takes a payload; raises InvalidRecord if there is none."""
        return self._rule(self._scope(payload))

    def _rule(self, scope: dict[str, Any]) -> Rule:
        rule = self.rules[0]
        try:
            for rule in self.rules:
                found = True if rule.when is None else rule.when(scope)
                if found or type(found) in NUMBERS:
                    return rule
        except Exception as exc:  # noqa: BLE001 - a function raises whatever its values make Python raise
            raise rule.failed("when", exc) from None  # the cause may show a value
        raise InvalidRecord(Reason.NOT_MAPPED, "no rule of the mapping matches")

    def _scope(self, payload: dict[str, Any]) -> dict[str, Any]:
        scope, name = {**payload}, ""
        try:
            for name, expression in self.let:
                found = expression(scope)
                scope[name] = {**scope} if found is scope else found
        except Exception as exc:  # noqa: BLE001 - as in a rule
            raise _failed(f"let: {name}", exc) from None
        return scope


def _failed(where: str, exc: Exception) -> InvalidRecord:
    if isinstance(exc, InvalidRecord):
        return InvalidRecord(exc.reason, f"{where}: {exc.detail}")
    return InvalidRecord(Reason.NOT_MAPPED, f"{where}: the expression can't be applied to the payload's values")


def _filled(value: dict[str, Any]) -> dict[str, Any] | None:
    """An object without its null members, or null if it has no others."""
    if None not in value.values():
        return value or None
    if len(value) - list(value.values()).count(None) > _MOST_MEMBERS:
        return value
    return {name: each for name, each in value.items() if each is not None} or None


def _number(events: list[Made]) -> None:
    """Append the place to each id that several events share, as the relay does in the ids that it derives."""
    if len(events) == 1:
        return
    made = [(place, event) for place, event in enumerate(events) if not isinstance(event, InvalidRecord)]
    given = [(place, event, event_id) for place, event in made if (event_id := _id(event))]
    ids: set[str] = set()
    several: set[str] = set()
    for _, _, event_id in given:
        (several if event_id in ids else ids).add(event_id)
    if any(event_id in several and f"{event_id}:{place}" in ids for place, _, event_id in given):
        several = ids  # if every event has its place, no two can have the same id
    for place, event, event_id in given:
        if event_id in several:
            event["eventId"] = shortened(f"{event_id}:{place}")


def _id(event: dict[str, Any]) -> str | None:
    """The id of an event as the contract takes it; None if there is none, or if the contract refuses it."""
    given = event.get("eventId")
    if members.absent(given):
        return None
    try:
        return members.identity("eventId", given)
    except InvalidRecord:
        return None
