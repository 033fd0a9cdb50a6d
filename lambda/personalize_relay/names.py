"""The names of the contract's members, and which other spellings mean one of them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.members import absent

REQUEST_MEMBERS = frozenset({"trackingId", "userId", "sessionId", "eventList"})
EVENT_MEMBERS = frozenset(
    {
        "eventId",
        "eventType",
        "eventValue",
        "itemId",
        "properties",
        "sentAt",
        "recommendationId",
        "impression",
        "metricAttribution",
    }
)
FLAT_MEMBERS = REQUEST_MEMBERS | EVENT_MEMBERS
"""The members of a payload that is one event."""
MARK = "$schema"
"""The member that marks a payload which keeps the contract, whatever the function's mapping."""
CONTRACT = "personalize-relay.event/1"
"""The value of that member."""

MOST_NAMES = 1024
"""The most names whose meaning is remembered: a stream has few, the same in every event."""
LONGEST_NAME = 64
"""The most characters of a name that may mean a member."""
_BLANKS = str.maketrans("", "", "_- ")


def normal(name: str) -> str:
    """A name in the form that all its spellings share: without `_`, `-` and spaces, in lower case."""
    return name.translate(_BLANKS).lower()


ATTRIBUTION_MEMBERS = frozenset({"eventAttributionSource"})
_MEANT = {
    **{normal(name): name for name in FLAT_MEMBERS | ATTRIBUTION_MEMBERS},
    "timestamp": "sentAt",  # its name in the interactions schema of Personalize
}


def meant(name: str) -> str | None:
    """The member that a name is a spelling of; None if there is none."""
    return _meant(name) if len(name) <= LONGEST_NAME else None


@lru_cache(MOST_NAMES)
def _meant(name: str) -> str | None:
    return _MEANT.get(normal(name))


def respelt(given: Mapping[str, Any], known: frozenset[str]) -> tuple[dict[str, Any], int]:
    """The members under the contract's names, and how many were respelt; the exact name wins, if it has a value.

    Raises InvalidRecord if two other spellings of a member have different values.
    """
    found: dict[str, Any] = {}
    kept = dict(given)
    of_attribution = ATTRIBUTION_MEMBERS - known
    for name, value in given.items():
        if name in known:
            continue
        member = meant(name)
        if member in of_attribution:  # a column of its own in the interactions schema
            member, value = "metricAttribution", {member: value}  # noqa: PLW2901 - the same value, in its place
        if member not in known or not absent(given.get(member)):
            continue
        del kept[name]
        if absent(value):
            continue
        if not _are_same(found.setdefault(member, value), value):
            raise InvalidRecord(Reason.AMBIGUOUS_MEMBER, f"{member} is there in two spellings, with two values")
    return kept | found, len(given) - len(kept)


def _are_same(one: object, other: object) -> bool:
    """Whether two values are equal in JSON; in Python, 1 equals true."""
    if one is other:
        return True
    try:
        return msgspec.json.encode(one) == msgspec.json.encode(other)
    except ValueError:  # a number out of range, or half a surrogate pair: a rule of its own rejects either
        return False
