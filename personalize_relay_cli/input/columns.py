"""The columns of a CSV file: the member of an event that each one holds, by its name in the header."""

from collections.abc import Sequence
from dataclasses import dataclass

from personalize_relay.names import ATTRIBUTION_MEMBERS, FLAT_MEMBERS, meant
from personalize_relay_cli.input.separators import SEPARATORS
from personalize_relay_cli.printing import shown
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.slips import nearest

REQUIRED = ("sessionId", "eventType")
"""Every event has them."""
ATTRIBUTION = "metricAttribution"
"""Its one member is a column of its own in the interactions schema of Personalize."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a CSV file that isn't blank."""

    place: str
    """The file and the line."""
    separator: str
    names: Sequence[str]

    @property
    def is_numbered(self) -> bool:
        """Whether the first column has no name, as pandas and R write the rows' numbers."""
        return len(self.names) > 1 and not self.names[0]

    def paths(self, *, reveal: bool) -> list[list[str]]:
        """The path of the member that each column holds, but for the rows' numbers; raises Misuse."""
        named = list(self.names[self.is_numbered :])
        members = [_member(name, named) for name in named]
        for column, member in enumerate(members, start=1 + self.is_numbered):
            twice = members.count(member) > 1 or any(other.startswith(f"{member}.") for other in members)
            self._check(column, member if all(member.split(".")) else "", twice=twice)
        self._require(members, reveal=reveal)
        return [member.split(".") for member in members]

    def as_named(self) -> list[list[str]]:
        """The same where a mapping reads them: each is a member of its very name; raises Misuse."""
        names = list(self.names[self.is_numbered :])
        for column, name in enumerate(names, start=1 + self.is_numbered):
            self._check(column, name, twice=names.count(name) > 1)
        return [[name] for name in names]

    def _check(self, column: int, name: str, *, twice: bool) -> None:
        if not name:
            raise Misuse(f"{self.place}: column {column} of the header has no name")
        if twice:
            raise Misuse(f"{self.place}: column {column} of the header is there twice")

    def _require(self, members: list[str], *, reveal: bool) -> None:
        missing = [name for name in REQUIRED if name not in members]
        if missing:
            slips = "".join(self._slip(name) for name in missing)
            known = bool(slips) or any(member.partition(".")[0] in FLAT_MEMBERS for member in members)
            raise Misuse(
                f"{self.place}: no column is named {' or '.join(missing)}, which every event needs{slips}"
                + ("" if known else ", and none as any other member: is this line a header?")
                + f"{';' * known} it has {self._described(reveal=reveal)}"
            )

    def _slip(self, member: str) -> str:
        name = nearest(member, self.names)
        return f"; column {self.names.index(name) + 1} is nearly {member}" if name else ""

    def _described(self, *, reveal: bool) -> str:
        count = len(self.names)
        apart = f"separated by {SEPARATORS[self.separator]}" if count > 1 else "without a comma, semicolon or tab"
        names = f": {shown(', '.join(self.names))}" if reveal else ", which --reveal names"
        return f"{count} column{'s' * (count > 1)} {apart}{names}"


def _member(name: str, names: Sequence[str]) -> str:
    """The contract's name for a column, unless another column has that very name."""
    first, *inner = name.split(".")
    path = [meant(first) or first, *inner]
    if path[0] == ATTRIBUTION:
        path[1:] = [meant(each) or each for each in inner]
    elif path[0] in ATTRIBUTION_MEMBERS:
        path.insert(0, ATTRIBUTION)
    member = ".".join(path)
    return name if member in names else member
