"""How a setting is refused: by its name, with what is allowed, and where to set it."""

SECRETS = {"mappingSalt"}
"""Settings whose value nothing repeats."""


class InvalidSetting(Exception):
    """A setting that a person must mend; the message names it, what is allowed and where to set it."""


def invalid(name: str, rule: str, value: object, stage: str) -> InvalidSetting:
    """What is wrong with a setting, and where to set it; a secret isn't repeated."""
    found = "and is not set" if value is None else "not what it is" if name in SECRETS else f"not {value!r}"
    return InvalidSetting(f"{name} must be {rule}, {found}; set it in cdk.json under stages.{stage} or by -c {name}=…")
