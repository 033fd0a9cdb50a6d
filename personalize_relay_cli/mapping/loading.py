"""The mapping that an option names, with its tests passed."""

import os

from personalize_relay.errors import MappingError
from personalize_relay.mapping import Mapping
from personalize_relay.mapping_file import TEST_SALT, named
from personalize_relay_cli.problems import Misuse

SALT = "RELAY_MAPPING_SALT"
"""The variable that holds the salt of a mapping's `hash`: the deployment's own, so that ids are the same."""


def tried(name: str | None) -> Mapping | None:
    """The mapping, to see what it makes of payloads, whatever the salt; None where none is named. Raises Misuse."""
    return _loaded(name, os.environ.get(SALT) or TEST_SALT)


def to_send(name: str | None, salt: str | None = None) -> Mapping | None:
    """The mapping, to send what it makes, with the salt given or the variable's; as `tried` otherwise."""
    return _loaded(name, salt or os.environ.get(SALT) or None)


def _loaded(name: str | None, salt: str | None) -> Mapping | None:
    try:
        return None if name is None else named(name, salt)
    except MappingError as exc:
        hint = "" if salt else f" (here: {SALT} in the environment)" if "mappingSalt" in str(exc) else ""
        raise Misuse(f"{exc}{hint}") from exc
