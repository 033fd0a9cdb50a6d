"""How a setting is refused: by its name, with what is allowed, and where to set it."""

import re

SECRETS = {"mappingSalt"}
"""Settings whose value nothing repeats."""


class InvalidSetting(Exception):
    """A setting that a person must mend; the message names it, what is allowed and where to set it."""


def invalid(name: str, rule: str, value: object, stage: str | None) -> InvalidSetting:
    """What is wrong with a setting of a stage, or of RelaySettings, and where to set it; a secret isn't repeated."""
    found = "and is not set" if value is None else "not what it is" if name in SECRETS else f"not {value!r}"
    return InvalidSetting(f"{name} must be {rule}, {found}; {_place(name, stage)}")


def field_of(name: str) -> str:
    """The field of a setting."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def _place(name: str, stage: str | None) -> str:
    if stage is None:
        return f"set it as RelaySettings({field_of(name)}=…)"
    return f"set it in cdk.json under stages.{stage} or by -c {name}=…"
