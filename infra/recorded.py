"""The settings as the template records them, so that the next deployment can tell what it changes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

SECTION = "RelaySettings"
"""In the template's Metadata.

CloudFormation keeps the old one where a deployment changes no resource ("Metadata syntax" in its user guide): what
differs then is a setting that no resource has.
"""

type Texts = Mapping[str, str]
"""The text of each setting that has a value, as `-c` would give it, by its name; no secret."""


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """The text of each value that is one."""
    return {name: _text(value) for name, value in values.items() if value not in (None, ())}


def recorded(template: Mapping[str, Any]) -> Texts | None:
    """What a template records; None where a version made it that recorded nothing."""
    found: Texts | None = template.get("Metadata", {}).get(SECTION)
    return found


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Enum():
            return value.name
        case datetime():
            return value.astimezone(UTC).isoformat()
        case tuple():
            return ",".join(":".join(each) if isinstance(each, tuple) else str(each) for each in value)
        case _:
            return str(value)
