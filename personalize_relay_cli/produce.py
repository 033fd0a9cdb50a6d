"""`relay produce`: sends events to the stream, each once for Personalize however often it is run."""

import math
import shlex
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.input.forms import Format
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import MappingOption, OutputOption
from personalize_relay_cli.printing import Output
from personalize_relay_cli.problems import FAILED, INTERRUPTED, Misuse
from personalize_relay_cli.sending import account
from personalize_relay_cli.sending.bar import drawn
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.producing import Rejected
from personalize_relay_cli.sending.put_records import put_records
from personalize_relay_cli.sending.runs import Run, Terms

SHOWN = 100
"""Rejected payloads that are listed; the others are counted."""


Files = Annotated[list[str], typer.Argument(metavar="FILE", help="jsonl, ndjson, json, csv, tsv; .gz; - is stdin")]
Stream = Annotated[str | None, typer.Option(metavar="NAME", help="Else that of the stage.")]
InputFormat = Annotated[Format | None, typer.Option(help="Else by suffix or content.")]
CheckpointFile = Annotated[Path | None, typer.Option("--checkpoint", metavar="FILE", help="Kept to go on from.")]
Rate = Annotated[float | None, typer.Option(min=0.01, metavar="N", help="Events a second at most.")]
GiveUpAfter = Annotated[float, typer.Option(min=0.0, metavar="S", help="Seconds that nothing gets in.")]
NoValidate = Annotated[bool, typer.Option("--no-validate", help="Send bad events, too.")]
NoStamp = Annotated[bool, typer.Option("--no-stamp", help="Leave events without ids.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show rejected payloads.")]


def produce(  # noqa: PLR0913 - an option each
    context: typer.Context,
    files: Files,
    *,
    stream: Stream = None,
    input_format: InputFormat = None,
    mapping: MappingOption = None,
    checkpoint: CheckpointFile = None,
    rate: Rate = None,
    give_up_after: GiveUpAfter = 300.0,
    no_validate: NoValidate = False,
    no_stamp: NoStamp = False,
    reveal: Reveal = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Send events to the stream: full calls, each session in order.

    What fails is tried again, what is throttled sets the pace. An event without
    an eventId gets one that depends on its file alone: sent twice, it is trained
    on once, and two identical lines of a file stay two events.
    Prints an account: read = sent + rejected (+ filtered + left). Exit status:
    0 all sent, 1 something was not or a file is empty, 2 wrong usage, 130 Ctrl-C.

    --mapping makes the events here: a function with any mapping takes them as they
    are. RELAY_MAPPING_SALT is the salt of its hash().

    [bold]relay produce clicks.jsonl --stage prod --checkpoint clicks.at[/]
    goes on where it was when it is run again after Ctrl-C or a crash
    [bold]zcat old.gz | relay produce - --local --rate 500[/]
    [bold]relay produce calls.jsonl more.csv --stream my-stream --mapping segment[/]
    """
    if len(set(files)) < len(files):
        raise Misuse("a file is named twice")
    remarks = Remarks(_remark, reveal=reveal)
    mapped = loading.to_send(mapping)
    lines = read(files, form=input_format, remarks=remarks, mapping=mapped)
    deployment = connect(**context.obj)
    terms = Terms(
        stream=stream or deployment.stream,
        rate=rate or math.inf,
        give_up_after=give_up_after,
        stamping=not no_stamp,
        validating=not no_validate,
        mapping=mapped,
    )
    kept = Checkpoint(checkpoint, terms.stream, stamped=not no_stamp, mapping=mapping or "") if checkpoint else None
    put = put_records(deployment.client("kinesis"), terms.stream)
    with Interruption() as interruption:
        run = Run(put, terms, kept, _Listing(reveal=reveal), interruption)
        with drawn(run, files):
            run.over(lines)
        ended = _ended(run, output, interrupted=interruption.is_asked(), resumable=checkpoint is not None)
        return ended or (FAILED if remarks.empty else 0)


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


def _remark(said: str) -> None:
    sys.stderr.write(f"relay: {said}\n")


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
    where += ", and what was sent beyond goes out again"
    if resumable:
        return f"{where}; go on with: {shlex.join(['relay', *sys.argv[1:]])}"
    return f"{where}; without --checkpoint the same command begins again"


def _print(it: account.Account, output: Output) -> None:
    if output is Output.JSON:
        sys.stdout.write(f"{msgspec.json.format(msgspec.json.encode(it)).decode()}\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in account.lines(it))
    sys.stdout.flush()  # a closed pipe is to be noticed here
