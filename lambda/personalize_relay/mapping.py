"""Take a payload of any shape to events of the contract, by the first rule that matches it.

Pure. The expressions come compiled from mapping_file.py; the same payload always gives the same events.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from personalize_relay import members
from personalize_relay.errors import InvalidRecord, Reason

MEMBERS = (
    *("trackingId", "userId", "sessionId", "eventType", "eventValue", "itemId", "properties", "sentAt", "eventId"),
    *("recommendationId", "impression", "metricAttribution"),
)
"""What a rule may have an expression for."""


class Mapped(msgspec.Struct, frozen=True):
    """What a mapping makes of a payload."""

    events: tuple[dict[str, Any], ...] = ()
    """Flat events, as a payload of the contract would hold them; they keep none of its rules yet."""
    several: bool = False
    """Whether the rule takes several events out of a payload, so that each has its index."""
    dropped: str | None = None
    """The name of the rule that dropped the payload."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the payloads that match."""

    name: str
    when: Callable[[Any], bool] | None = None
    """Whether a payload matches; None where every payload does."""
    each: Callable[[Any], Any] | None = None
    """The list that makes an event of each of its entries."""
    members: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    """An expression for each member of an event; none in a rule that drops."""
    numbered: bool = False
    """Whether all entries of `each` have one `eventId`, so that their places must make it several."""

    def matches(self, value: dict[str, Any]) -> bool:
        """Whether the rule is the payload's."""
        if self.when is None:
            return True
        try:
            return self.when(value)
        except Exception as exc:  # noqa: BLE001 - a function raises whatever its values make Python raise
            raise self._failed("when", exc) from None  # the cause may show a value

    def mapped(self, value: dict[str, Any]) -> Mapped:
        """The payload's events; raises InvalidRecord for what the rule's expressions can't be applied to."""
        if not self.members:
            return Mapped(dropped=self.name)
        if self.each is None:
            return Mapped(events=(self._event(value),))
        events = [self._event({**value, "each": entry}) for entry in self._entries(self.each, value)]
        if self.numbered:
            _number(events)
        return Mapped(events=tuple(events), several=True)

    def _entries(self, each: Callable[[Any], Any], value: dict[str, Any]) -> list[Any]:
        try:
            entries = each(value)
        except Exception as exc:  # noqa: BLE001 - as above
            raise self._failed("each", exc) from None
        if type(entries) is not list or not entries:
            said = "an empty list" if entries == [] else "no list"
            raise InvalidRecord(Reason.NOT_MAPPED, f'rule "{self.name}": each gives {said}')
        return entries

    def _event(self, scope: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        name = ""
        try:
            for name, expression in self.members:
                value = expression(scope)
                if type(value) is dict:
                    value = _filled(value)
                if value is not None:
                    made[name] = value
        except Exception as exc:  # noqa: BLE001 - as above
            raise self._failed(name, exc) from None
        return made

    def _failed(self, part: str, exc: Exception) -> InvalidRecord:
        return _failed(f'rule "{self.name}": {part}', exc)


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in the order in which they are tried."""

    name: str
    let: tuple[tuple[str, Callable[[Any], Any]], ...] = ()
    """What the rules see as if it were a member of the payload: worked out once, each seeing those before it."""
    rules: tuple[Rule, ...]
    rows: Callable[[str], dict[str, Any] | None] | None = None
    """Reads a line of text that is no JSON into an object, None where it can't; where the mapping says how."""

    def map(self, payload: dict[str, Any]) -> Mapped:
        """The payload's events, or by which rule it is dropped; raises InvalidRecord where no rule makes any of it."""
        scope = self._scope(payload) if self.let else payload
        return self._rule(scope).mapped(scope)

    def rule(self, payload: dict[str, Any]) -> Rule:
        """The rule that a payload is for; raises InvalidRecord where there is none."""
        return self._rule(self._scope(payload))

    def _rule(self, scope: dict[str, Any]) -> Rule:
        for rule in self.rules:
            if rule.matches(scope):
                return rule
        raise InvalidRecord(Reason.NOT_MAPPED, "no rule of the mapping matches")

    def _scope(self, payload: dict[str, Any]) -> dict[str, Any]:
        scope, name = {**payload}, ""
        try:
            for name, expression in self.let:
                scope[name] = expression(scope)
        except Exception as exc:  # noqa: BLE001 - as in a rule
            raise _failed(f"let: {name}", exc) from None
        return scope


def _failed(where: str, exc: Exception) -> InvalidRecord:
    if isinstance(exc, InvalidRecord):
        return InvalidRecord(exc.reason, f"{where}: {exc.detail}")
    return InvalidRecord(Reason.NOT_MAPPED, f"{where}: the expression can't be applied to the payload's values")


def _filled(value: dict[str, Any]) -> dict[str, Any] | None:
    """An object without its null members, or null where it has no others."""
    if None not in value.values():
        return value or None
    return {name: each for name, each in value.items() if each is not None} or None


def _number(events: list[dict[str, Any]]) -> None:
    """Make one id for all events an id for each, as the relay does with the ids that it derives."""
    for place, event in enumerate(events):
        with suppress(KeyError, InvalidRecord):  # there is none, or the contract's rules will refuse it for what it is
            event["eventId"] = f"{members.identity('eventId', event['eventId'])}:{place}"
