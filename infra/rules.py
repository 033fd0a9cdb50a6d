"""Rules for the values of settings: each reads a setting's text, and says in words what it allows."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingRule:
    """The values that a setting allows, in words and as a reader of text, which raises ValueError or KeyError."""

    says: str
    read: Callable[[str], object]


def whole(low: int, high: int) -> SettingRule:
    """A whole number within a range."""

    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError
        return number

    return SettingRule(f"a whole number from {low} to {high}", read)


def one_of[Value](choices: Mapping[str, Value]) -> SettingRule:
    """One of some words, each of which stands for a value."""
    return SettingRule(f"one of {', '.join(choices)}", choices.__getitem__)


def names(names: Iterable[str]) -> SettingRule:
    """One of some words."""
    return one_of({name: name for name in names})


def matching(pattern: str, says: str) -> SettingRule:
    """Text that matches a pattern."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return SettingRule(says, read)


def list_of(rule: SettingRule, says: str) -> SettingRule:
    """A list, with commas, of values that a rule allows."""
    return SettingRule(says, lambda text: tuple(rule.read(part.strip()) for part in text.split(",") if part.strip()))
