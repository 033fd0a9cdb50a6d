"""Whose events are erased: known by parsed ids, never by bytes, in which `u-7` is a part of `u-70`."""

from collections.abc import Iterator
from typing import Any

import msgspec

from personalize_relay.members import absent
from personalize_relay.names import meant

_BEYOND_IDS = 10**256
"""No id has so many digits."""


class Whom(msgspec.Struct, frozen=True, kw_only=True):
    """A user, a session, or a user and a session, whose events go alike."""

    user_id: str | None = None
    session_id: str | None = None

    @property
    def _ids(self) -> dict[str, str]:
        given = {"userId": self.user_id, "sessionId": self.session_id}
        return {member: each for member, each in given.items() if each is not None}

    def is_key(self, partition_key: str) -> bool:
        """Whether a partition key is theirs."""
        return partition_key in self._ids.values()

    def is_named(self, value: object) -> bool:
        """Whether a member that means a user or a session, in any spelling and at any depth, is theirs."""
        return any(
            _is_same(each, own) and meant(name) == member
            for member, own in self._ids.items()
            for name, each in _leaves(value)
        )

    def is_held(self, value: object) -> bool:
        """Whether any value at all is one of their ids, whatever its name."""
        return any(_is_same(each, own) for own in self._ids.values() for _, each in _leaves(value))

    def is_anothers(self, event: dict[str, Any], partition_key: str) -> bool:
        """Whether an event that doesn't name them names another, although its record has their id for its key."""
        members = {member for member, own in self._ids.items() if own == partition_key}
        return any(meant(name) in members and not absent(value) for name, value in event.items())


def _leaves(value: object) -> Iterator[tuple[str, object]]:
    """Each plain value with the name of the member that it is in; not by recursion, as JSON may be deep."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        name, each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.items())
        elif isinstance(each, list):
            waiting.extend((name, entry) for entry in each)
        else:
            yield name, each


def _is_same(value: object, own: str) -> bool:
    """As the function reads an id: a text, or the digits of a whole number."""
    if isinstance(value, str):
        return value == own
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BEYOND_IDS:
        return str(value) == own
    return False
