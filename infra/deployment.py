"""`make deploy` and `make diff`: compare the settings with the deployed ones, then run the CDK command."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

from .changes import Difference, compare, differences, objections
from .deployed import AccountOptions, Unreadable, deployed_template
from .recorded import recorded

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Order:
    """The order on the command line: the CDK command, the settings, the confirmed changes, and words for the CDK."""

    command: str
    context: tuple[str, ...]
    """Name and value of the stage and of each setting that is overridden."""
    confirmed: frozenset[str]
    app: str | None
    output: str
    credentials: AccountOptions
    rest: tuple[str, ...]
    """Every other word for the CDK command, in its order."""

    @classmethod
    def read(cls, words: Sequence[str]) -> Self:
        """Read the command line: the words after `--` are for the CDK command."""
        own = argparse.ArgumentParser(prog="python -m infra.deployment", description=__doc__, allow_abbrev=False)
        own.add_argument("command", choices=("deploy", "diff"))
        own.add_argument("--stage", required=True)
        own.add_argument("--confirm", default="", help="settings whose change is wanted, with commas")
        passed = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
        passed.add_argument("--app", "-a")
        passed.add_argument("--output", "-o", default=str(ROOT / "cdk.out"))
        passed.add_argument("--context", "-c", action="append", default=[])
        passed.add_argument("--profile")
        passed.add_argument("--region")
        end = words.index("--") if "--" in words else len(words)
        told = own.parse_args(words[:end])
        known, rest = passed.parse_known_args(words[end + 1 :])
        return cls(
            command=told.command,
            context=(f"stage={told.stage}", *known.context),
            confirmed=frozenset(name.strip() for name in told.confirm.split(",")),
            app=known.app,
            output=known.output,
            credentials=AccountOptions(known.profile, known.region),
            rest=tuple(rest),
        )

    def synth(self) -> list[str]:
        """The command line that writes the assembly, without the words for the command that deploys it."""
        app = ["--app", self.app] if self.app else []
        context = [word for each in self.context for word in ("--context", each)]
        return self._line("synth", "--quiet", "--output", self.output, *app, *context)

    def of(self, assembly: Path) -> list[str]:
        """The command line that deploys an assembly, or shows what a deployment would change."""
        return self._line(self.command, "--app", str(assembly), *self.rest)

    def _line(self, command: str, *words: str) -> list[str]:
        chosen = [("--profile", self.credentials.profile), ("--region", self.credentials.region)]
        options = [word for option, value in chosen if value for word in (option, value)]
        return [str(CDK), command, "--no-notices", *options, *words]


@dataclass(frozen=True, slots=True)
class Synthesized:
    """The one stack of a cloud assembly."""

    name: str
    template: dict[str, Any]
    role: str
    """The role with which the CDK command deploys the stack; account and region are placeholders."""

    @classmethod
    def of(cls, assembly: Path) -> Self:
        """Read it from the assembly's folder."""
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
        ((name, body),) = [each for each in artifacts.items() if each[1]["type"] == "aws:cloudformation:stack"]
        properties = body["properties"]
        template = json.loads((assembly / properties["templateFile"]).read_text())
        return cls(properties.get("stackName", name), template, properties["assumeRoleArn"])


def main(words: Sequence[str]) -> int | str:
    """Carry the order out: return what is wrong, for `sys.exit` to print, or become the CDK command."""
    order = Order.read(words)
    status, assembly = _assembly(order)
    if status:
        return status
    stack = Synthesized.of(assembly)
    try:
        findings = list(_findings(stack, order.credentials))
    except Unreadable as exc:
        return str(exc)
    _say(*differences(findings))
    confirmed = order.confirmed if order.command == "deploy" else frozenset[str]()
    against = list(objections(findings, confirmed))
    if against and order.command == "deploy":
        return "\n".join([*against, "Nothing is changed."])
    _say(*against)
    return _take_over(order.of(assembly))


def _assembly(order: Order) -> tuple[int, Path]:
    """The folder to deploy, given or written now, with the CDK's exit status."""
    if order.app and (Path(order.app) / "manifest.json").exists():
        return 0, Path(order.app)
    run = subprocess.run(order.synth(), check=False)  # noqa: S603 - as one types it
    return run.returncode, Path(order.output)


def _findings(stack: Synthesized, credentials: AccountOptions) -> Sequence[Difference]:
    template = deployed_template(stack.name, credentials, role=stack.role)
    if template is None:
        return []
    before, now = recorded(template), recorded(stack.template)
    if before is None or now is None:
        which = "the deployed template" if before is None else "the new template"
        _say(f"{stack.name}: {which} is of a version that records no settings, so nothing is compared.")
        return []
    return list(compare(before, now))


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201 - a command's output


def _take_over(words: list[str]) -> NoReturn:
    os.execv(words[0], words)  # noqa: S606 - the CDK command, as one would type it


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
