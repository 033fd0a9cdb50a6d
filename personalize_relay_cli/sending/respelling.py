"""A payload under the contract's names, where its producer has others; else every byte of it as it is.

The function takes other spellings, too. But what looks into a payload on its way, for the session or the id, knows the
contract's names only.
"""

from typing import Any

import msgspec

from personalize_relay import envelopes
from personalize_relay.errors import InvalidRecord
from personalize_relay.members import absent
from personalize_relay.names import ATTRIBUTION_MEMBERS, EVENT_MEMBERS, FLAT_MEMBERS, MARK, meant, respelt

_OF_A_PAYLOAD = FLAT_MEMBERS | {MARK}

type Object = dict[str, Any]


def respelled(data: bytes, decoded: Object) -> tuple[bytes, Object]:
    """The payload and what it is decoded, both under the contract's names, numbers written as they were.

    What can't be taken apart without a change, or has a member in two spellings, stays as it is; and so does another
    system's event, which the function is to know for what it is.
    """
    try:
        named = _named(decoded)
        if named is decoded or envelopes.system(decoded):
            return data, decoded
        return msgspec.json.encode(_rewritten(data, decoded, named)), named
    except (InvalidRecord, ValueError, RecursionError):
        return data, decoded


def _named(payload: Object) -> Object:
    """The same object where all names are the contract's or unknown."""
    named = _renamed(payload, _OF_A_PAYLOAD)
    listed = named.get("eventList")
    if not isinstance(listed, list):
        return named
    entries = [_renamed(each, EVENT_MEMBERS) if isinstance(each, dict) else each for each in listed]
    if all(entry is each for entry, each in zip(entries, listed, strict=True)):
        return named
    return named | {"eventList": entries}


def _renamed(given: Object, known: frozenset[str]) -> Object:
    if given.keys() <= known:
        return given
    named, renamed = respelt(given, known)
    return named if renamed else given


def _rewritten(data: bytes, decoded: Object, named: Object) -> Object:
    raw = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    written = _taken(raw, decoded, named)
    listed = named.get("eventList")
    if isinstance(listed, list):
        before = msgspec.json.decode(written["eventList"], type=list[msgspec.Raw])
        was = decoded.get(_source(decoded, named, "eventList"), listed)
        triples = zip(before, was, listed, strict=True)
        written["eventList"] = [_entry(text, given, entry) for text, given, entry in triples]
    return written


def _entry(text: msgspec.Raw, given: object, named: object) -> object:
    if not (isinstance(given, dict) and isinstance(named, dict)) or named is given:
        return text
    return _taken(msgspec.json.decode(text, type=dict[str, msgspec.Raw]), given, named)


def _taken(raw: dict[str, msgspec.Raw], given: Object, named: Object) -> Object:
    """The text of each member that the object has under the contract's names."""
    if named is given:
        return dict(raw)
    names = {_source(given, named, name): name for name in named}
    return {names[each]: _member(each, names[each], raw[each]) for each in given if each in names}


def _member(given: str, name: str, text: msgspec.Raw) -> object:
    return {meant(given): text} if _is_attribution(given, name) else text


def _source(given: Object, named: Object, name: str) -> str:
    """Under which name an object gave a member."""
    if name in given and (not absent(given[name]) or absent(named[name])):
        return name
    return next(each for each in given if each != name and (meant(each) == name or _is_attribution(each, name)))


def _is_attribution(given: str, name: str) -> bool:
    return name == "metricAttribution" and meant(given) in ATTRIBUTION_MEMBERS
