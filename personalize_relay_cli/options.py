"""The options that several subcommands have."""

import copy
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from personalize_relay_cli import times
from personalize_relay_cli.input.forms import Format
from personalize_relay_cli.printing import Output

LOCAL_PORT = 4566


OutputOption = Annotated[Output, typer.Option("--format", metavar="FORMAT", help="Print text, or json for scripts.")]
FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Read jsonl, json, csv, tsv or .gz; - is stdin.")
]
InputFormatOption = Annotated[
    Format | None, typer.Option("--input-format", metavar="FORMAT", help="Assume this (default: by suffix).")
]
MappingOption = Annotated[str | None, typer.Option("--mapping", metavar="NAME", help="Map by a preset or a TOML file.")]
OwnMappingOption = Annotated[
    str | None,
    typer.Option("--mapping", metavar="NAME", help="Map by a preset or TOML file (default: the function's)."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Act without asking.")]

StageOption = Annotated[
    str,
    typer.Option(
        "--stage",
        envvar="RELAY_STAGE",
        show_envvar=False,
        metavar="NAME",
        help="Work on this stage (or RELAY_STAGE).",
    ),
]
LocalOption = Annotated[bool, typer.Option("--local", help="Work on what `make local` runs.")]
PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        envvar="RELAY_LOCAL_PORT",
        show_envvar=False,
        metavar="N",
        help="Use its port (or RELAY_LOCAL_PORT).",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Use this AWS profile (default: AWS_PROFILE)."),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="Work in this AWS region (default: AWS_REGION).")
]


def one_of(known: Collection[str], where: str) -> Callable[[str], str]:
    """The parser of an option that takes a word of a closed list."""

    def parse(text: str) -> str:
        if text in known:
            return text
        near = get_close_matches(text, known, 1)
        raise typer.BadParameter(f"there is no {text}: " + (f"did you mean {near[0]}?" if near else where))

    return parse


def shard_id(text: str) -> str:
    """The parser of a shard's id."""
    if re.fullmatch(r"shardId-\d{12}", text, re.ASCII):
        return text
    number = re.search(r"\d{1,12}$", text, re.ASCII)
    near = f"did you mean shardId-{number[0]:0>12}?" if number else "an id is as shardId-000000000003"
    raise typer.BadParameter(f"{text} is no shard's id: {near}")


def stream_name(text: str) -> str:
    """The parser of a stream's name or ARN."""
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,128}|arn:[^:]+:kinesis:[^:]+:\d{12}:stream/[A-Za-z0-9_.-]{1,128}", text):
        return text
    raise typer.BadParameter(f"{text!r} is no stream's name, of letters, digits, _, . and -, and no stream's ARN")


def moment(text: str) -> float:
    """The one parser of every option that has a TIME: epoch seconds."""
    try:
        return times.moment(text, datetime.now(UTC))
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc


GLOBAL = ("stage", "local", "port", "profile", "region")
"""The parameters of the root command that say where to work."""
ELSEWHERE = "The options of every command, such as --stage and --local: relay --help"
TIMES = "TIME: 2026-11-24T09:30Z, epoch seconds, or so long ago: 90m, 2h, 3d"


def spread(root: TyperGroup) -> TyperGroup:
    """Let every subcommand take the root's global options, too: as with aws they stand anywhere, and the last counts.

    A subcommand's help names where they are listed.
    """
    options = [param for param in root.params if isinstance(param, TyperOption) and param.name in GLOBAL]
    for command in _below(root):
        command.params += map(_taken_anywhere, options)
        timed = any(isinstance(param, TyperOption) and param.metavar == "TIME" for param in command.params)
        command.epilog = f"{TIMES}\n{ELSEWHERE}" if timed else ELSEWHERE
    return root


def _below(group: TyperGroup) -> Iterator[TyperCommand | TyperGroup]:
    for command in group.commands.values():
        assert isinstance(command, TyperCommand | TyperGroup)  # noqa: S101 - Typer makes no others
        yield command
        if isinstance(command, TyperGroup):
            yield from _below(command)


def _taken_anywhere(option: TyperOption) -> TyperOption:
    taken = copy.copy(option)
    taken.hidden, taken.expose_value, taken.callback = True, False, _overrule
    return taken


def _overrule(context: Any, option: Any, value: Any) -> None:  # noqa: ANN401 - Typer keeps Click's types to itself
    source = context.get_parameter_source(str(option.name))
    if source and source.name == "COMMANDLINE":
        context.obj[option.name] = value
