"""The names of a payload's members that the contract has not, or in another spelling: as the function tells them."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from personalize_relay.events import Rejection, SubSequence
from personalize_relay.framing import unframe
from personalize_relay.members import absent
from personalize_relay.names import ATTRIBUTION_MEMBERS, EVENT_MEMBERS, FLAT_MEMBERS, MARK, meant
from personalize_relay_cli.slips import nearest

_MISSING = re.compile(r"(?:^|; )(\w+) is missing")
"""As the details of a rejection have it."""


class Names(msgspec.Struct, frozen=True):
    """Names that a producer gave."""

    unknown: frozenset[str]
    renamed: frozenset[str]
    """Other spellings of the contract's own."""


def names(data: bytes) -> Names:
    """The names in all payloads that a line holds."""
    given = {pair for payload in unframe(data).payloads for pair in _of_payload(payload.value)}
    renamed = frozenset(name for name, means_one in given if means_one)
    return Names(frozenset(name for name, _ in given) - renamed, renamed)


def slips(data: bytes, rejection: Rejection) -> dict[str, str]:
    """For each member that a rejected event lacks, the name that it is likely under, where there is one."""
    missing = _MISSING.findall(rejection.detail)
    names = list(_names_of(data, rejection)) if missing else []
    found = {member: nearest(member, names) for member in missing}
    return {member: name for member, name in found.items() if name}


def _names_of(data: bytes, rejection: Rejection) -> Iterator[str]:
    """The names of a rejected event's own members, and of its request's."""
    payload = _by_place(data).get(rejection.sub_sequence)
    if not isinstance(payload, dict):
        return
    yield from payload
    for name, value in payload.items():
        if meant(name) == "eventList" and isinstance(value, list) and rejection.index is not None:
            yield from (each for entry in value[rejection.index :][:1] if isinstance(entry, dict) for each in entry)


@lru_cache(1)  # a line may hold thousands of events, each of them rejected
def _by_place(data: bytes) -> dict[SubSequence, object]:
    """The payloads of a line, by their place in it."""
    return {each.sub_sequence: each.value for each in unframe(data).payloads}


def _of_payload(payload: object) -> Iterator[tuple[str, bool]]:
    """Each name that is not the contract's, and whether it is another spelling of one."""
    if not isinstance(payload, dict):
        return
    yield from _of_object(payload, FLAT_MEMBERS | {MARK})
    for name, value in payload.items():
        if meant(name) == "eventList" and isinstance(value, list):
            # What belongs to an event isn't sent from beside the list.
            yield from ((each, False) for each in payload.keys() & EVENT_MEMBERS)
            for entry in value:
                if isinstance(entry, dict):
                    yield from _of_object(entry, EVENT_MEMBERS)


def _of_object(given: dict[str, Any], known: frozenset[str]) -> Iterator[tuple[str, bool]]:
    for name in given.keys() - known:
        member = meant(name)
        yield name, member in known | ATTRIBUTION_MEMBERS and absent(given.get(str(member)))
