"""`relay validate`: says before the stream does what the function would reject, and what weakens the training."""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from personalize_relay_cli.checking import checks, findings, schemas
from personalize_relay_cli.input.reading import Line, read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import FilesArgument, InputFormatOption, MappingOption, OutputOption, moment
from personalize_relay_cli.printing import Output, print_lines, print_result, remark
from personalize_relay_cli.problems import FAILED
from personalize_relay_cli.progress import bar, bytes_before

STEP = 2000
"""Lines between two looks at the bar."""

TrackingId = Annotated[str | None, typer.Option(metavar="ID", help="Accept this tracker (default: any).")]
AllowedTrackingIds = Annotated[list[str] | None, typer.Option(metavar="ID", help="Accept this tracker, too.")]
Arrival = Annotated[
    float | None, typer.Option(parser=moment, metavar="TIME", help="Assume this arrival (default: now).")
]
SchemaFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Compare with this Avro schema.")]
MaxErrors = Annotated[int, typer.Option(min=0, metavar="N", help="List at most N, count the rest.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show bad payloads and names.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")]


def validate(  # noqa: PLR0913 - an option each
    files: FilesArgument,
    *,
    input_format: InputFormatOption = None,
    tracking_id: TrackingId = None,
    allowed_tracking_id: AllowedTrackingIds = None,
    arrival: Arrival = None,
    mapping: MappingOption = None,
    schema: SchemaFile = None,
    max_errors: MaxErrors = 100,
    reveal: Reveal = False,
    strict: Strict = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Check events with the function's own parser; nothing is sent.

    Prints each that would be quarantined, and why; then counts, with what to do,
    and warnings of what weakens training. Shows no event without --reveal.
    Exit status: 0 all good, 1 something would be rejected or a file is empty,
    2 wrong usage.

    [bold]relay validate clicks.jsonl --tracking-id 3f7a[/]
    [bold]zcat old.gz | relay validate - --arrival 2026-01-31T00:00:00Z[/]
    [bold]relay validate clicks.csv --schema schema.json --strict --format json[/]
    [bold]relay validate calls.jsonl --mapping segment[/]
    """
    mapped = loading.tried(mapping)
    check = checks.Checks(
        checks.trackers(tracking_id, allowed_tracking_id or ()),
        time.time() if arrival is None else arrival,
        schemas.load(schema) if schema else None,
        mapping=mapped,
        names=reveal,
    )
    remarks = Remarks(remark, reveal=reveal)
    lines = _watched(read(files, form=input_format, remarks=remarks, mapping=mapped), files)
    rejections = ((line, each) for line in lines for each in check.take(line))
    shown = islice(rejections, min(max_errors, sys.maxsize))
    if output is Output.JSON:
        listed = [findings.listed(line, each, check.slips(line, each), reveal=reveal) for line, each in shown]
        unlisted = sum(1 for _ in rejections)
        print_result(output, findings.report(check, check.warnings(), listed, unlisted, blank=remarks.blank), ())
    else:
        for line, each in shown:
            print_lines([findings.rejected(line, each, check.slips(line, each), reveal=reveal)])
        unlisted = sum(1 for _ in rejections)
        print_lines(findings.summary(check, check.warnings(), unlisted, blank=remarks.blank))
    return FAILED if check.bad_lines or remarks.empty or (strict and check.warnings()) else 0


def _watched(lines: Iterator[Line], files: Sequence[str]) -> Iterator[Line]:
    """The same lines, with a bar on a terminal."""
    before = bytes_before(files)
    total, at, count = before.pop("", None), 0, 0
    with bar("checking", total, "lines", lambda: (at, count)) as draw:
        for count, line in enumerate(lines):
            if draw and count % STEP == 0:
                at = before.get(line.file, 0) + line.offset
                draw()
            yield line
