"""`relay failed`: what could not be delivered, shown and sent again; `erase` is in a module of its own."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec.structs import replace

from personalize_relay.settings import Settings
from personalize_relay_cli.deployment import connect
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import MappingOption, Output, OutputOption
from personalize_relay_cli.printing import agreed, number, print_json, print_lines, say
from personalize_relay_cli.problems import FAILED, Misuse, Problem, translating
from personalize_relay_cli.recovery import text as failed_text
from personalize_relay_cli.recovery.failures import Failures, asked
from personalize_relay_cli.recovery.groups import listing
from personalize_relay_cli.recovery.mending import Mender, compiled
from personalize_relay_cli.recovery.redrive import Account, Redrive
from personalize_relay_cli.recovery.resending import Sender
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import Flaw

app = typer.Typer(
    no_args_is_help=True,
    help="""What could not be delivered: list, show, send again or erase it.

    The function's quarantine (a bad event, with its reason) and the batches that
    Lambda gave up, whole: both are in the stack's bucket until they expire.

    [bold]relay failed list --since 1d[/]
    [bold]relay failed show 4959033827149024[/]
    [bold]relay failed redrive --transform "merge(@, {eventType: 'view'})"[/]
    [bold]relay failed erase --user-id u-7[/]
    """,
)


NO_MAPPING = "none"
"""The --mapping for payloads of the contract, such as those from before the function had a mapping."""
WHICH = "Which"
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Arrived then or later.", rich_help_panel=WHICH)]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Arrived before.", rich_help_panel=WHICH)]
Reasons = Annotated[
    list[str] | None, typer.Option("--reason", metavar="NAME", help="May be repeated.", rich_help_panel=WHICH)
]
Shard = Annotated[str | None, typer.Option(metavar="ID", help="As shardId-000000000003.", rich_help_panel=WHICH)]
Tracker = Annotated[str | None, typer.Option(metavar="ID", help="Its events only.", rich_help_panel=WHICH)]
SequenceNumber = Annotated[str | None, typer.Option(metavar="N", help="One record.", rich_help_panel=WHICH)]


@app.command("list")
def list_(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    since: Since = None,
    until: Until = None,
    reason: Reasons = None,
    shard: Shard = None,
    tracker: Tracker = None,
    sequence_number: SequenceNumber = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Count what is set aside, by reason, and what of it was sent again.

    A TIME is ISO 8601 (UTC unless it says otherwise) or so long ago: 90m, 2h, 3d.
    Whole batches have Lambda's condition for a reason: retry_attempts_exhausted.

    [bold]relay failed list --stage prod --since 2h[/]
    [bold]relay failed list --reason wrong_type --reason missing_member --format json[/]

    Exit status 1: something in the bucket can't be read; each is named.
    """
    chosen = asked(since, until, reason, shard, tracker, sequence_number)
    work = Failures(connect(**context.obj))
    with translating():
        found = listing(work.bucket, work.ledger, work.completed(chosen))
    if output is Output.JSON:
        print_json(failed_text.listing_json(found))
    else:
        print_lines(failed_text.listing_lines(found, datetime.now(UTC)))
    return reported(found.flaws)


@app.command()
def show(  # noqa: PLR0913 - an option each
    context: typer.Context,
    sequence_number: Annotated[str, typer.Argument(metavar="SEQUENCE_NUMBER", help="The record's.")],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show its payload, ids and all.")] = False,
    since: Since = None,
    until: Until = None,
    reason: Reasons = None,
    shard: Shard = None,
    tracker: Tracker = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show one record: where it came from, why it is set aside, where it is stored.

    Nothing of its payload without --reveal. --since and --shard save time.

    [bold]relay failed show 4959033827149024[/]
    [bold]relay failed show 4959033827149024 --reveal --shard shardId-000000000003[/]
    """
    chosen = asked(since, until, reason, shard, tracker, sequence_number)
    work = Failures(connect(**context.obj))
    with translating():
        found, flaws = work.find(work.completed(chosen))
    if output is Output.JSON:
        print_json([failed_text.record_json(*each, reveal=reveal) for each in found])
    else:
        print_lines(line for each in found for line in failed_text.record_lines(*each, reveal=reveal))
    status = reported(flaws)
    if not found:
        raise Problem("no such record is set aside: is it delivered, expired, or of another stage?")
    return status


@app.command()
def redrive(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    mapping: MappingOption = None,
    transform: Annotated[str | None, typer.Option(metavar="JMESPATH", help="Mends each event first.")] = None,
    direct: Annotated[bool, typer.Option("--direct", help="Call PutEvents here, past the stream.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.01, metavar="N", help="At most so many events a second.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask; needed without a terminal.")] = False,
    take_over: Annotated[bool, typer.Option("--take-over", help="Send what a dead run has claimed.")] = False,
    since: Since = None,
    until: Until = None,
    reason: Reasons = None,
    shard: Shard = None,
    tracker: Tracker = None,
    sequence_number: SequenceNumber = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Send events again, each once: what was sent is noted in the bucket.

    Of a quarantined record its rejected events, of a batch all, one a record
    with its eventId and sentAt: Personalize trains on none twice. What would
    still be rejected isn't sent. Asks before it sends.

    --transform is JMESPath, from the event (flat) to the event to send. It can't
    change eventId, and what it leaves out of userId, sessionId, trackingId and
    sentAt stays as it was. --mapping comes first, or the function's own preset.

    [bold]relay failed redrive --reason retry_attempts_exhausted --since 12h[/]
    [bold]relay failed redrive --transform "merge(@, {eventType: 'view'})"[/]
    [bold]relay failed redrive --transform "merge(@, {sentAt: `null`})" --dry-run[/]

    Exit status: 0 nothing is left to send, 1 something is, 2 wrong usage.
    """
    if dry_run and yes:
        raise Misuse("--dry-run sends nothing, --yes sends: which is it?")
    mending = None if transform is None else compiled(transform)
    chosen = asked(since, until, reason, shard, tracker, sequence_number)
    work = Failures(connect(**context.obj))
    with translating():
        chosen = mapped(work.completed(chosen), mapping, work.settings)
        mender = Mender(work.trackers, mending, marking=bool(mapping or work.settings.mapping))

        def run(sender: Sender | None) -> Redrive:
            return Redrive(work.bucket, work.ledger, mender, sender, take_over=take_over, rate=rate)

        asks = not (dry_run or yes)
        if not yes:
            plan = run(None).run(chosen)
            if dry_run or not (sys.stdin.isatty() and plan.sent):
                return _planned(plan, output, needs_yes=asks)
            say(failed_text.account_lines(plan, datetime.now(UTC), planned=True))
            if not agreed(f"send {number(plan.sent, 'event')}?"):
                return FAILED
        sending = run(work.past_the_stream(**context.obj) if direct else work.stream)
        try:
            sending.run(chosen)
        except BaseException:
            if sending.account.selected:
                _print_account(sending.account, output, planned=False)
            raise
    _print_account(sending.account, output, planned=False)
    return reported(sending.account.flaws) or int(not sending.account.done)


def mapped(chosen: Selection, mapping: str | None, deployed: Settings) -> Selection:
    """With what makes events of payloads: the mapping that is given, else the function's own as far as it is known."""
    if mapping == NO_MAPPING:
        return chosen
    salt = deployed.mapping_salt or None
    if mapping or loading.is_preset(deployed.mapping):
        return replace(chosen, mapping=loading.to_send(mapping or deployed.mapping, salt))
    return replace(chosen, lacks_mapping=bool(deployed.mapping))


def _planned(plan: Account, output: Output, *, needs_yes: bool) -> int:
    """Print a dry run; returns its exit status."""
    _print_account(plan, output, planned=True)
    status = reported(plan.flaws) or int(not plan.done)
    if needs_yes and plan.sent:
        say(["a dry run, as there is no terminal to ask: nothing was sent. --yes sends"])
        return FAILED
    return status


def _print_account(account: Account, output: Output, *, planned: bool) -> None:
    if output is Output.JSON:
        print_json(failed_text.account_json(account, planned=planned))
    else:
        print_lines(failed_text.account_lines(account, datetime.now(UTC), planned=planned))


def reported(flaws: Sequence[Flaw]) -> int:
    """Name what can't be read, on standard error; returns the exit status."""
    say(str(flaw) for flaw in flaws)
    return FAILED if flaws else 0
