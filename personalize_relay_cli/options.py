"""The options that several subcommands have."""

from enum import StrEnum
from typing import Annotated

import typer

LOCAL_PORT = 4566


class Output(StrEnum):
    """How results are printed: for people, or for scripts."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--format", help="How to print it.")]

MappingOption = Annotated[str | None, typer.Option("--mapping", metavar="NAME", help="A preset, or a TOML file.")]

_WHERE = "Where"

StageOption = Annotated[
    str,
    typer.Option(
        "--stage",
        envvar="RELAY_STAGE",
        show_envvar=False,
        metavar="NAME",
        help="What is deployed; or RELAY_STAGE.",
        rich_help_panel=_WHERE,
    ),
]
LocalOption = Annotated[bool, typer.Option("--local", help="Work on what `make local` runs.", rich_help_panel=_WHERE)]
PortOption = Annotated[
    int,
    typer.Option(
        "--port",
        envvar="RELAY_LOCAL_PORT",
        show_envvar=False,
        metavar="N",
        help="Its port, with --local; or RELAY_LOCAL_PORT.",
        rich_help_panel=_WHERE,
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="An AWS profile.", rich_help_panel=_WHERE),
]
RegionOption = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="The AWS region.", rich_help_panel=_WHERE)
]
