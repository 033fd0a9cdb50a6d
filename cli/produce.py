"""`relay produce`: sends events to the stream, each once for Personalize however often it is run."""

import math
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli import account
from cli.checkpoint import Checkpoint
from cli.deployment import LOCAL_PORT, LocalOption, PortOption, ProfileOption, RegionOption, StageOption, connect
from cli.interruption import Interruption
from cli.problems import FAILED, INTERRUPTED, Misuse
from cli.producing import Rejected
from cli.reading import Format, read
from cli.runs import Run, Terms
from cli.sending import put_records
from cli.sending_bar import drawn

SHOWN = 100
"""Rejected payloads that are listed; the others are counted."""


class Output(StrEnum):
    """How the account is printed."""

    TEXT = "text"
    JSON = "json"


Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="JSON Lines, JSON or CSV, also .gz; - is stdin.")]
Stream = Annotated[str | None, typer.Option(metavar="NAME", help="The stream; without it that of the stage's stack.")]
InputFormat = Annotated[Format | None, typer.Option(help="That of all files; else by suffix, JSON Lines for stdin.")]
CheckpointFile = Annotated[Path | None, typer.Option("--checkpoint", metavar="FILE", help="Kept to go on from.")]
Rate = Annotated[float | None, typer.Option(min=0.01, metavar="N", help="At most so many events a second.")]
GiveUpAfter = Annotated[float, typer.Option(min=0.0, metavar="S", help="Seconds in which the stream takes nothing.")]
Validate = Annotated[bool, typer.Option("--validate/--no-validate", help="Don't send what the relay would reject.")]
Stamp = Annotated[bool, typer.Option("--stamp/--no-stamp", help="Give an eventId to events without one.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show rejected payloads.")]
OutputFormat = Annotated[Output, typer.Option("--format", help="How to print the account.")]


def produce(  # noqa: PLR0913 - an option each
    files: Files,
    *,
    stream: Stream = None,
    input_format: InputFormat = None,
    checkpoint: CheckpointFile = None,
    rate: Rate = None,
    give_up_after: GiveUpAfter = 300.0,
    validate: Validate = True,
    stamp: Stamp = True,
    reveal: Reveal = False,
    output: OutputFormat = Output.TEXT,
    stage: StageOption = "dev",
    local: LocalOption = False,
    port: PortOption = LOCAL_PORT,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> int:
    """Send events to the stream: full calls, each session in order.

    What fails is tried again, what is throttled sets the pace. An event without
    an eventId gets one that depends on its file alone: sent twice, it is trained
    on once, and two identical lines of a file stay two events.
    Prints an account: read = sent + rejected (+ left). Exit status: 0 all sent,
    1 something was not, 2 wrong usage, 130 after Ctrl-C.

    [bold]relay produce clicks.jsonl --stage prod --checkpoint clicks.at[/]
    goes on where it was when it is run again after Ctrl-C or a crash
    [bold]zcat old.gz | relay produce - --local --rate 500[/]
    [bold]relay produce mon.csv tue.csv --stream my-stream --format json[/]
    """
    if len(set(files)) < len(files):
        raise Misuse("a file is named twice")
    lines = read(files, form=input_format)
    deployment = connect(stage=stage, local=local, port=port, profile=profile, region=region)
    terms = Terms(
        stream=stream or deployment.output("StreamName"),
        rate=rate or math.inf,
        give_up_after=give_up_after,
        stamping=stamp,
        validating=validate,
    )
    kept = Checkpoint(checkpoint, terms.stream, stamped=stamp) if checkpoint else None
    put = put_records(deployment.client("kinesis"), terms.stream)
    with Interruption() as interruption:
        run = Run(put, terms, kept, _Listing(reveal=reveal), interruption)
        with drawn(run, files):
            run.over(lines)
        return _ended(run, output, interrupted=interruption.is_asked(), resumable=checkpoint is not None)


class _Listing:
    """Lists what is rejected on standard error."""

    def __init__(self, *, reveal: bool) -> None:
        self._reveal = reveal
        self._count = 0

    def __call__(self, rejected: Rejected) -> None:
        self._count += 1
        if self._count <= SHOWN:
            sys.stderr.write(f"{account.rejected(rejected, reveal=self._reveal)}\n")
        if self._count == SHOWN:
            sys.stderr.write("the others are counted; `relay validate` lists them all\n")


def _ended(run: Run, output: Output, *, interrupted: bool, resumable: bool) -> int:
    """Print how it ended; returns the exit status."""
    it = run.account()
    if interrupted or (run.problem and it.sent):
        sys.stderr.write(f"relay: {_how_to_resume(run, resumable=resumable)}\n")
    if it.sent or not run.problem:
        _print(it, output)
    if run.problem:
        raise run.problem
    if interrupted:
        return INTERRUPTED
    return FAILED if it.rejected or it.left else 0


def _how_to_resume(run: Run, *, resumable: bool) -> str:
    settled = run.headway.settled
    where = f"all is settled to {settled.file}:{settled.line}" if settled else "nothing is settled"
    if resumable:
        return f"{where}; go on with: {shlex.join(['relay', *sys.argv[1:]])}"
    return f"{where}; without --checkpoint the same command begins again{''}"


def _print(it: account.Account, output: Output) -> None:
    if output is Output.JSON:
        sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(it)).decode()}\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in account.lines(it))
    sys.stdout.flush()  # a closed pipe is to be noticed here
