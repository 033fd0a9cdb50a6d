"""The versions of the function, and the alias that makes one of them live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from personalize_relay_cli.deployment import Deployment
from personalize_relay_cli.problems import Problem, translating

_LATEST = "$LATEST"
_NAMED = 10
"""Versions that a message names."""


@dataclass(frozen=True, slots=True)
class Version:
    """A published version: the function's code and its own settings, as they were then."""

    number: int
    published: str
    """When, in UTC, as Lambda writes it."""
    description: str
    """What the stack says of it: the tracker that it sends to."""

    def __str__(self) -> str:
        described = f", tracker {self.description}" if self.description else ""
        return f"version {self.number}, published {self.published[:19].replace('T', ' ')} UTC{described}"


@dataclass(frozen=True, slots=True)
class Versions:
    """All that are published, oldest first, and the one that the alias points to."""

    all: tuple[Version, ...]
    live: Version
    revision: str
    """Of the alias: it changes with each change of the alias."""

    @property
    def newest(self) -> Version:
        """The one that was published last."""
        return self.all[-1]

    @property
    def before(self) -> Version:
        """The one published before the live one; raises Problem where none is."""
        older = [each for each in self.all if each.number < self.live.number]
        if not older:
            raise Problem(
                f"version {self.live.number} is live, and there is none before it to go back to: deploy the commit "
                "before it (git checkout, make deploy)"
            )
        return older[-1]

    def chosen(self, number: int) -> Version:
        """The one of this number; raises Problem where it isn't there, or is live."""
        if number == self.live.number:
            raise Problem(f"version {number} is live already")
        found = [each for each in self.all if each.number == number]
        if not found:
            last = ", ".join(str(each.number) for each in self.all[-_NAMED:])
            raise Problem(f"there is no version {number}: the last ones are {last}")
        return found[0]


def versions(deployment: Deployment) -> Versions:
    """Those of a deployment's function; raises Problem where they can't be had."""
    name, alias = deployment.output("FunctionName"), deployment.output("AliasName")
    functions = deployment.client("lambda")
    with translating():
        pointed = functions.get_alias(FunctionName=name, Name=alias)
        pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        listed = [_version(each) for page in pages for each in page["Versions"] if each["Version"] != _LATEST]
    listed.sort(key=lambda each: each.number)
    live = next((each for each in listed if str(each.number) == pointed["FunctionVersion"]), None)
    if live is None:
        raise Problem(f"the alias {alias} points to no version that is published: deploy the stage again")
    return Versions(tuple(listed), live, pointed["RevisionId"])


def make_live(deployment: Deployment, version: Version, seen: Versions) -> None:
    """Point the alias to a version; raises Problem where somebody has moved it since it was seen."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as in problems

    with translating():
        try:
            deployment.client("lambda").update_alias(
                FunctionName=deployment.output("FunctionName"),
                Name=deployment.output("AliasName"),
                FunctionVersion=str(version.number),
                # All of it goes there, whatever shares somebody has set by hand.
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=seen.revision,
            )
        except ClientError as exc:
            if exc.response.get("Error", {}).get("Code") != "PreconditionFailedException":
                raise
            raise Problem("somebody else has moved the alias meanwhile, and nothing was done: look again") from exc


def _version(listed: Mapping[str, Any]) -> Version:
    return Version(int(listed["Version"]), str(listed["LastModified"]), str(listed.get("Description", "")))
