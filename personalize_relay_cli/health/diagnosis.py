"""What a check of a deployment found."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from personalize_relay_cli.problems import Problem, translating


class State(StrEnum):
    """How what was checked is."""

    OK = "ok"
    WRONG = "wrong"
    WARNING = "warning"
    """It may be meant, and would be wrong where it isn't: somebody should know."""
    UNKNOWN = "unknown"
    """It could not be checked, which says nothing of how it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and how it is; `do` is what to do about it."""

    check: str
    state: State
    says: str
    do: str = ""


class Blocked(Problem):
    """What has failed for a check before, and is not tried again."""


type Check[Subject] = Callable[[Subject], Iterable[Finding]]
"""Looks at one thing; a Problem that it raises is why it couldn't."""


def run[Subject](checks: Iterable[tuple[str, Check[Subject]]], subject: Subject) -> Iterator[Finding]:
    """Make the checks one after another, each whatever the others found; the same is said once."""
    said: dict[str, str] = {}
    for name, check in checks:
        try:
            with translating():
                for finding in check(subject):
                    said.setdefault(finding.says, name)
                    yield finding
        except Problem as exc:
            first = said.setdefault(str(exc), name)
            why = f"{exc}" if first == name or isinstance(exc, Blocked) else f"the {first} must be right first"
            yield unknown(name, f"can't be checked here: {why}")


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, says)


def wrong(check: str, says: str, do: str) -> Finding:
    """Somebody must act."""
    return Finding(check, State.WRONG, says, do)


def warning(check: str, says: str, do: str) -> Finding:
    """Somebody should know, and may have meant it."""
    return Finding(check, State.WARNING, says, do)


def unknown(check: str, says: str, do: str = "") -> Finding:
    """It couldn't be told."""
    return Finding(check, State.UNKNOWN, says, do)


def code(problem: Problem) -> str:
    """The error code that a service refused with; empty where none was reached."""
    response = getattr(problem.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def absent(problem: Problem) -> bool:
    """Whether a service said that what was asked for isn't there."""
    return code(problem).startswith(("ResourceNotFound", "NoSuch", "404"))
