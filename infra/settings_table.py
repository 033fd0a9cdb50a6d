"""Writes docs/settings.md from the settings themselves: `make docs`."""

import ast
import inspect
import sys
from dataclasses import MISSING, fields
from enum import Enum
from itertools import pairwise

from infra.settings import RULES, StackSettings, field_of

HEAD = """# Settings

Each stage has a block in `cdk.json`, and `make deploy STAGE=prod ARGS="-c name=value"` overrides a value of it. A wrong
one stops the synth with a sentence that names the setting.

| setting | default | allowed | what it is |
|---|---|---|---|
"""


def table() -> str:
    """The document, one row a setting."""
    meanings = _meanings()
    rows = [
        f"| `{name}` | {_default(name)} | {rule.says} | {meanings[field_of(name)]} |\n" for name, rule in RULES.items()
    ]
    return HEAD + "".join(rows)


def _default(name: str) -> str:
    (default,) = [each.default for each in fields(StackSettings) if each.name == field_of(name)]
    if default is MISSING or default in (None, ()):
        return ""
    text = default.name if isinstance(default, Enum) else str(default)
    return f"`{text.lower() if isinstance(default, bool) else text}`"


def _meanings() -> dict[str, str]:
    """The docstring below each field."""
    (body,) = [node.body for node in ast.parse(inspect.getsource(StackSettings)).body if isinstance(node, ast.ClassDef)]
    return {
        field.target.id: " ".join(str(ast.literal_eval(text.value)).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }


if __name__ == "__main__":
    sys.stdout.write(table())
