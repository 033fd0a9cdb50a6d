"""Take the members out of a table of a TOML file, or raise MappingError with their fault.

Each message begins with the table's place: the file, the rule or test, the member.
"""

from collections.abc import Collection, Iterator
from typing import Any

from personalize_relay.errors import MappingError

LONGEST_NAME = 64
"""The most characters of the name of a rule or test."""


class Table:
    """A table of the file, and how a message names its place."""

    def __init__(self, place: str, values: dict[str, Any]) -> None:
        self.place = place
        self.values = values

    def wrong(self, said: str) -> MappingError:
        """The error of the whole table: `said` is the end of a sentence that begins with the table's place."""
        return MappingError(f"{self.place}: {said}")

    def at(self, key: str, said: str) -> MappingError:
        """The error of one member."""
        return self.wrong(f"{key} {said}")

    def refuse_others(self, known: Collection[str]) -> None:
        """Raise MappingError for the first member that isn't one of these."""
        for key in self.values:
            if key not in known:
                raise self.at(key, f"is not known: {_did_you_mean(key, known)}")

    def text(self, key: str, otherwise: str | None = None) -> str | None:
        """A text that isn't blank, or `otherwise` if there is none."""
        value = self.values.get(key, otherwise)
        if value is not None and not isinstance(value, str):
            raise self.at(key, f"is {kind(value)}: it must be a text in quotes")
        if value is not None and not value.strip(" "):
            raise self.at(key, "is empty: fill it in, or leave it out")
        return value

    def tables(self, key: str) -> Iterator["Table"]:
        """The tables of a list, each named by its `name` or, if it has none, by its number."""
        listed = self.values.get(key, [])
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise self.at(key, f"must be a list of tables: write [[{key}]] before each")
        for number, values in enumerate(listed, start=1):
            named = f'"{values["name"]}"' if is_name(values.get("name")) else str(number)
            yield Table(f"{self.place}: {key} {named}", values)

    def table(self, key: str) -> "Table":
        """A member that is a table."""
        values = self.values[key]
        if not isinstance(values, dict):
            raise self.at(key, f"is {kind(values)}: it must be a table of members")
        return Table(self.place, values)


def is_name(value: object) -> bool:
    """Whether a value can name a rule or test, also in a line of the log."""
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= len(value) <= LONGEST_NAME


def kind(value: object) -> str:
    """TOML's name for the type of a value."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or a time")


def _did_you_mean(key: str, known: Collection[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong file needs it

    lowered = {each.lower(): each for each in known}
    close = get_close_matches(key.lower().replace("_", ""), lowered, n=1)
    return f"did you mean {lowered[close[0]]}?" if close else f"there are {', '.join(known)}"
