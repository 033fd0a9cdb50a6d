"""`relay validate`: says before the stream does what the function would reject, and what weakens the training."""

import sys
import time
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from personalize_relay_cli.checking import checks, findings, schemas
from personalize_relay_cli.input.forms import Format
from personalize_relay_cli.input.progress import watched
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import MappingOption, Output, OutputOption
from personalize_relay_cli.problems import FAILED, Misuse

# Short enough for one line each on 80 columns.
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="jsonl, ndjson, json, csv, tsv; .gz; - is stdin")]
InputFormat = Annotated[Format | None, typer.Option(help="Else by suffix or content.")]
TrackingId = Annotated[str | None, typer.Option(metavar="ID", help="The tracker; else any.")]
AllowedTrackingIds = Annotated[list[str] | None, typer.Option(metavar="ID", help="One more; may be repeated.")]
Arrival = Annotated[str | None, typer.Option(metavar="ISO", help="In the stream; else now.")]
SchemaFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Avro, of interactions.")]
MaxErrors = Annotated[int, typer.Option(min=0, metavar="N", help="Then count only.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show bad payloads, names.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 for warnings, too.")]


def validate(  # noqa: PLR0913 - an option each
    files: Files,
    *,
    input_format: InputFormat = None,
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

    CSV: the header names the members (properties.color), an impression is a|b|c.
    With --mapping a column is the member of its name, of what the mapping reads.
    """
    mapped = loading.tried(mapping)
    check = checks.Checks(
        checks.trackers(tracking_id, allowed_tracking_id or ()),
        time.time() if arrival is None else _epoch_seconds(arrival),
        schemas.load(schema) if schema else None,
        mapping=mapped,
        names=reveal,
    )
    remarks = Remarks(_remark, reveal=reveal)
    lines = watched(read(files, form=input_format, remarks=remarks, mapping=mapped), files)
    rejections = ((line, each) for line in lines for each in check.take(line))
    shown = islice(rejections, min(max_errors, sys.maxsize))
    if output is Output.JSON:
        listed = [findings.listed(line, each, reveal=reveal) for line, each in shown]
        unlisted = sum(1 for _ in rejections)
        _print_json(findings.report(check, check.warnings(), listed, unlisted, blank=remarks.blank))
    else:
        for line, each in shown:
            _print(findings.rejected(line, each, reveal=reveal))
        unlisted = sum(1 for _ in rejections)
        for said in findings.summary(check, check.warnings(), unlisted, blank=remarks.blank):
            _print(said)
    return FAILED if check.bad_lines or remarks.empty or (strict and check.warnings()) else 0


def _remark(said: str) -> None:
    sys.stderr.write(f"relay: {said}\n")


def _epoch_seconds(arrival: str) -> float:
    try:
        moment = datetime.fromisoformat(arrival)
    except ValueError as exc:
        raise Misuse("--arrival is not ISO 8601, such as 2026-01-31T09:30:00Z") from exc
    if moment.tzinfo is None:
        raise Misuse("--arrival has no time zone: end it with Z or an offset")
    return moment.timestamp()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a closed pipe shows here, not at exit


def _print_json(value: dict[str, Any]) -> None:
    _print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
