"""The message that refuses a setting: its name, the allowed values, and where to set it."""

import re

SECRETS = {"mappingSalt"}
"""Settings whose value nothing repeats."""


class InvalidSetting(Exception):
    """A setting that a person must change; the message has its name, the allowed values, and where to set it."""


def invalid(name: str, rule: str, value: object, stage: str | None) -> InvalidSetting:
    """Refuse a setting of a stage, or of RelaySettings if there is none; the message doesn't repeat a secret."""
    found = "and is not set" if value is None else "not what it is" if name in SECRETS else f"not {value!r}"
    return InvalidSetting(f"{name} must be {rule}, {found}; {_place(name, stage)}")


def field_of(name: str) -> str:
    """The field of a setting."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def _place(name: str, stage: str | None) -> str:
    if stage is None:
        return f"set it as RelaySettings({field_of(name)}=…)"
    return f"set it in cdk.json under stages.{stage} or by -c {name}=…"
