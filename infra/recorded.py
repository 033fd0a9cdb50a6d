"""The settings as the template records them, so that the next deployment can tell what it changes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

SECTION = "RelaySettings"
"""In the template's Metadata.

If a deployment changes no resource, CloudFormation keeps the old Metadata ("Metadata syntax" in its user guide). So a
setting that no resource depends on may differ for ever.
"""

type Texts = Mapping[str, str]
"""The text of each setting that has a value, as one would give it to `-c`, by the setting's name; no secrets."""


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """The text of each value that isn't empty."""
    return {name: _text(value) for name, value in values.items() if value not in (None, ())}


def recorded(template: Mapping[str, Any]) -> Texts | None:
    """The settings that a template records; None if the version that made it recorded none."""
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
