"""Writes docs/settings.md from the settings themselves: `make docs`."""

import ast
import inspect
import sys
from dataclasses import MISSING, fields
from enum import Enum
from itertools import pairwise

from .allowed import RULES
from .changes import LATER
from .refusal import field_of
from .relay_settings import RelaySettings
from .settings import StackSettings

HEAD = """# Settings

Set these in `cdk.json`, in the block of a stage. `make deploy STAGE=prod ARGS="-c name=value"` overrides a value for
one deployment. A wrong value stops the synth, with a sentence that names the setting.

The last column says whether you can change a setting once it is deployed. `make deploy` lists the settings that differ
from the deployed ones, refuses a change that can't work, and stops before a change that has a price. In both cases it
says why, and what to do. Confirm a change that has a price by name: `make deploy … CONFIRM=shadow,streamArn`.
`make diff` says the same, but never stops.

| setting | default | allowed | meaning | may change later |
|---|---|---|---|---|
"""


def table() -> str:
    """The document, one row a setting."""
    meanings = _meanings()
    rows = [
        f"| `{name}` | {_default(name)} | {rule.says} | {meanings[field_of(name)]} | {LATER[name].says} |\n"
        for name, rule in RULES.items()
    ]
    return HEAD + "".join(rows)


def _default(name: str) -> str:
    (default,) = [each.default for each in fields(StackSettings) if each.name == field_of(name)]
    if default is MISSING or default in (None, ()):
        return ""
    text = default.name if isinstance(default, Enum) else str(default)
    return f"`{text.lower() if isinstance(default, bool) else text}`"


def _meanings() -> dict[str, str]:
    """The docstring below each field, of any relay and of the stack."""
    return _texts_below(RelaySettings) | _texts_below(StackSettings)


def _texts_below(settings: type) -> dict[str, str]:
    (body,) = [node.body for node in ast.parse(inspect.getsource(settings)).body if isinstance(node, ast.ClassDef)]
    return {
        field.target.id: " ".join(str(ast.literal_eval(text.value)).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }


if __name__ == "__main__":
    sys.stdout.write(table())
