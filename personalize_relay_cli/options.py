"""The options that several subcommands have."""

import copy
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

LOCAL_PORT = 4566


class Output(StrEnum):
    """How results are printed: for people, or for scripts."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--format", help="Print text for people, or JSON for scripts.")]

MappingOption = Annotated[
    str | None, typer.Option("--mapping", metavar="NAME", help="Map events by a preset or a TOML file (default: none).")
]

StageOption = Annotated[
    str,
    typer.Option(
        "--stage",
        envvar="RELAY_STAGE",
        show_envvar=False,
        metavar="NAME",
        help="Work on this deployed stage; RELAY_STAGE sets it, too.",
    ),
]
LocalOption = Annotated[bool, typer.Option("--local", help="Work on the system that `make local` runs, without AWS.")]
PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        envvar="RELAY_LOCAL_PORT",
        show_envvar=False,
        metavar="N",
        help="With --local, the system's port; RELAY_LOCAL_PORT sets it, too.",
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Use this AWS profile (default: AWS_PROFILE)."),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="Work in this AWS region (default: AWS_REGION).")
]

GLOBAL = ("stage", "local", "port", "profile", "region")
"""The parameters of the root command that say where to work."""
ELSEWHERE = "--stage, --local and the other options that every command takes: relay --help"


def spread(root: TyperGroup) -> TyperGroup:
    """Let every subcommand take the root's global options, too: as with aws they stand anywhere, and the last counts.

    A subcommand's help names where they are listed.
    """
    options = [param for param in root.params if isinstance(param, TyperOption) and param.name in GLOBAL]
    for command in _below(root):
        command.params += map(_taken_anywhere, options)
        command.epilog = ELSEWHERE
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
