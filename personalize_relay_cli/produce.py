"""`relay produce`: sends events to the stream, each once for Personalize however often it is run."""

import math
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import FilesArgument, InputFormatOption, MappingOption, OutputOption, stream_name
from personalize_relay_cli.printing import Output, print_result, remark, say
from personalize_relay_cli.problems import FAILED, INTERRUPTED, Misuse
from personalize_relay_cli.progress import bar, bytes_before
from personalize_relay_cli.sending import account
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.producing import ProduceTerms, Rejected
from personalize_relay_cli.sending.put_records import GIVE_UP_AFTER, put_records
from personalize_relay_cli.sending.runs import Run

SHOWN = 100
"""Rejected payloads that are listed; the others are counted."""


Stream = Annotated[
    str | None, typer.Option(metavar="NAME", parser=stream_name, help="Send here (default: the stage's).")
]
CheckpointFile = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="FILE", help="Keep progress here, and resume.")
]
Rate = Annotated[float | None, typer.Option(min=0.01, metavar="N", help="Send at most N events a second.")]
GiveUpAfter = Annotated[float, typer.Option(min=0.0, metavar="S", help="Stop after S seconds in vain.")]
NoValidate = Annotated[bool, typer.Option("--no-validate", help="Send bad events, too.")]
NoStamp = Annotated[bool, typer.Option("--no-stamp", help="Add no eventId where none is.")]
OneEventARecord = Annotated[bool, typer.Option("--one-event-a-record", help="Give each event its own record.")]
RejectsFile = Annotated[Path | None, typer.Option("--rejects", metavar="FILE", help="Write the rejected lines here.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print the rejected lines, too.")]


def produce(  # noqa: PLR0913 - an option each
    context: typer.Context,
    files: FilesArgument,
    *,
    stream: Stream = None,
    input_format: InputFormatOption = None,
    mapping: MappingOption = None,
    checkpoint: CheckpointFile = None,
    rate: Rate = None,
    give_up_after: GiveUpAfter = GIVE_UP_AFTER,
    no_validate: NoValidate = False,
    no_stamp: NoStamp = False,
    one_event_a_record: OneEventARecord = False,
    rejects: RejectsFile = None,
    reveal: Reveal = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Send events to the stream, each session in order.

    A session's events share records, which fills the PutEvents calls: the command
    reads ahead for them. It sends again whatever fails, and slows down while the
    stream throttles. An event without an eventId gets one from its content, and
    from how many identical events precede it in its file: sent twice, an event is
    trained on once, and two identical lines stay two events.

    Prints an account: read = sent + rejected (+ filtered + left). Exit status: 0
    all sent, 1 not all or a file is empty, 2 wrong usage, 130 Ctrl-C.

    With --mapping the command maps the lines itself, so that any function takes
    them. The salt of hash() is read from RELAY_MAPPING_SALT.

    [bold]relay produce clicks.jsonl --stage prod --checkpoint clicks.at[/]
    run again after Ctrl-C or a crash, sends what is left
    [bold]zcat old.gz | relay produce - --local --rate 500[/]
    [bold]relay produce calls.jsonl more.csv --stream my-stream --mapping segment[/]
    """
    if twice := [file for file, count in Counter(files).items() if count > 1]:
        raise Misuse(f"{twice[0]}: is named twice: an event of it would be sent twice, under one id")
    remarks = Remarks(remark, reveal=reveal)
    mapped = loading.to_send(mapping)
    run: Run  # made below, once the files are known to be there
    lines = read(files, form=input_format, remarks=remarks, mapping=mapped, wait=lambda: run.wait())  # noqa: PLW0108
    deployment = connect(**context.obj)
    terms = ProduceTerms(
        stream=stream or deployment.stream,
        rate=rate or math.inf,
        give_up_after=give_up_after,
        stamping=not no_stamp,
        validating=not no_validate,
        packing=not one_event_a_record,
        mapping=mapped,
    )
    kept = Checkpoint(checkpoint, terms.stream, stamped=not no_stamp, mapping=mapping or "") if checkpoint else None
    put = put_records(deployment.client("kinesis"), terms.stream)
    with Interruption() as interruption, _opened(rejects, resumed=bool(kept and kept.positions)) as refused:
        run = Run(put, terms, kept, _Listing(refused, reveal=reveal), interruption)
        total, headway = bytes_before(files).get(""), run.headway
        with bar("sending", total, "events", lambda: (headway.settled_bytes, headway.events)) as draw:
            run.draw = draw or run.draw
            run.over(lines)
        ended = _ended(run, output, interrupted=interruption.is_asked(), resumable=checkpoint is not None)
        return ended or (FAILED if remarks.empty else 0)


@contextmanager
def _opened(rejects: Path | None, *, resumed: bool) -> Iterator[BinaryIO | None]:
    """The file for rejected lines, if there is to be one: a new one, unless an earlier run is resumed."""
    if rejects is None:
        yield None
        return
    try:
        # Without a buffer: a checkpoint says of a line that it is settled only once the line is in this file.
        opened = rejects.open("ab" if resumed else "xb", buffering=0)
    except FileExistsError as exc:
        raise Misuse(f"--rejects {rejects}: is there already; move it away, or name another file") from exc
    except OSError as exc:
        raise Misuse(f"--rejects {rejects}: can't be written: {(exc.strerror or str(exc)).lower()}") from exc
    with opened:
        yield opened


class _Listing:
    """Lists what is rejected on standard error, and writes it to a file if there is one."""

    def __init__(self, rejects: BinaryIO | None, *, reveal: bool) -> None:
        self._rejects = rejects
        self._reveal = reveal
        self._count = 0

    def __call__(self, rejected: Rejected) -> None:
        self._count += 1
        if self._rejects:
            self._rejects.write(b"%b\n" % _in_a_line(rejected.line.data))
        if self._count <= SHOWN:
            say(account.rejected(rejected, reveal=self._reveal))
        if self._count == SHOWN:
            say("the others are counted; `relay validate` lists them all")


def _in_a_line(payload: bytes) -> bytes:
    """The same JSON without line breaks, which a payload of a JSON array may have: there they are but white space."""
    return payload.replace(b"\r", b" ").replace(b"\n", b" ")


def _ended(run: Run, output: Output, *, interrupted: bool, resumable: bool) -> int:
    """Print how it ended; returns the exit status."""
    it = run.account()
    if interrupted or (run.problem and it.sent):
        remark(_how_to_resume(run, resumable=resumable))
    if it.sent or not run.problem:
        print_result(output, it, account.lines(it))
    if run.problem:
        raise run.problem
    if interrupted:
        return INTERRUPTED
    return FAILED if it.rejected or it.left else 0


def _how_to_resume(run: Run, *, resumable: bool) -> str:
    so_far = f"{run.headway.settled:,} of {run.headway.read:,} lines read are settled"
    if resumable:
        return f"{so_far}; to go on with the others, run: {shlex.join(['relay', *sys.argv[1:]])}"
    return f"{so_far}; without --checkpoint the same command sends all of them again, under the same ids"
