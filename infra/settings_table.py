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

Each stage has a block in `cdk.json`, and `make deploy STAGE=prod ARGS="-c name=value"` overrides a value of it. A wrong
one stops the synth with a sentence that names the setting.

The last column says whether a deployed setting may change. `make deploy` shows each that differs from what is deployed,
and stops before a change that can't be made, or that costs something, with a sentence that says what and how. One that
costs something is confirmed by name: `make deploy … CONFIRM=shadow,streamArn`. `make diff` shows the same and stops at
nothing.

| setting | default | allowed | what it is | may change later |
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
