"""`relay failed`: what could not be delivered, shown and sent again; `erase` is in a module of its own."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec.structs import replace

from personalize_relay.errors import Reason
from personalize_relay.mapping_file import PRESETS
from personalize_relay.settings import Settings
from personalize_relay_cli.deployment import connect
from personalize_relay_cli.mapping import loading
from personalize_relay_cli.options import (
    DryRunOption,
    OutputOption,
    OwnMappingOption,
    YesOption,
    moment,
    one_of,
    shard_id,
)
from personalize_relay_cli.printing import Output, choose, document, number, print_result, remark, say, unless_agreed
from personalize_relay_cli.problems import FAILED, Problem, translating
from personalize_relay_cli.recovery import text as failed_text
from personalize_relay_cli.recovery.account import RedriveAccount
from personalize_relay_cli.recovery.failures import Failures, asked
from personalize_relay_cli.recovery.groups import listing
from personalize_relay_cli.recovery.mending import Mender, compiled
from personalize_relay_cli.recovery.redrive import Redrive
from personalize_relay_cli.recovery.resending import Sender
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import CONDITIONS, Flaw, snake_case

app = typer.Typer(
    no_args_is_help=True,
    help="""List, show, send again or erase what could not be delivered.

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
_reason = one_of([*map(str, Reason), *CONDITIONS], "`relay failed list` names those that there are")


def reason_name(text: str) -> str:
    """The parser of --reason; Lambda's own word for a condition, as RetryAttemptsExhausted, may be one nobody knows."""
    return snake_case(text) if text != text.lower() else _reason(text)


def _which(metavar: str, help_: str, *names: str, parser: Callable[[str], Any] | None = None) -> Any:  # noqa: ANN401 - Typer's own type is not to be named
    return typer.Option(*names, metavar=metavar, help=help_, parser=parser, rich_help_panel="Which")


Since = Annotated[float | None, _which("TIME", "Take what arrived since then (default: all).", parser=moment)]
Until = Annotated[float | None, _which("TIME", "Take what arrived before then (default: all).", parser=moment)]
Reasons = Annotated[
    list[str] | None, _which("NAME", "Take events with this reason (default: any).", "--reason", parser=reason_name)
]
Shard = Annotated[str | None, _which("ID", "Take one shard (default: all).", parser=shard_id)]
Tracker = Annotated[str | None, _which("ID", "Take events for this tracker (default: any).")]
SequenceNumber = Annotated[str | None, _which("N", "Take one record (default: all).")]


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
    each: Annotated[bool, typer.Option("--each", help="List each by its number, with its detail.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Count what is set aside, by reason, what of it was sent again and what is left.

    Whole batches have Lambda's condition for a reason: retry_attempts_exhausted.

    [bold]relay failed list --stage prod --since 2h[/]
    [bold]relay failed list --each --reason wrong_type[/]
    [bold]relay failed list --reason wrong_type --reason missing_member --format json[/]

    Exit status 1: something in the bucket can't be read; each is named.
    """
    chosen = asked(since, until, reason, shard, tracker, sequence_number)
    work = Failures(connect(**context.obj))
    with translating():
        found = listing(work.bucket, work.ledger, work.completed(chosen), each=each)
    print_result(output, found, failed_text.listing_lines(found, datetime.now(UTC)))
    return _told(work, chosen, found.flaws)


@app.command()
def show(  # noqa: PLR0913 - an option each
    context: typer.Context,
    sequence_number: Annotated[
        str, typer.Argument(metavar="SEQUENCE_NUMBER", help="Its number, as failed list --each has it.")
    ],
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show its payload, with all ids.")] = False,
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
    records = [failed_text.record_json(*each, reveal=reveal) for each in found]
    lines = [line for each in found for line in failed_text.record_lines(*each, reveal=reveal)]
    print_result(output, document("failed-show", records=records), lines)
    status = _told(work, chosen, flaws)
    if not found:
        raise Problem("no such record is set aside: is it delivered, expired, or of another stage?")
    return status


@app.command()
def redrive(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    mapping: OwnMappingOption = None,
    transform: Annotated[
        str | None, typer.Option(metavar="JMESPATH", help="Mend events first (default: as they are).")
    ] = None,
    direct: Annotated[bool, typer.Option("--direct", help="Call PutEvents from here, past the stream.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.01, metavar="N", help="Send at most N events a second.")] = None,
    dry_run: DryRunOption = False,
    reveal: Annotated[bool, typer.Option("--reveal", help="Dry run: show events before and after.")] = False,
    yes: YesOption = False,
    take_over: Annotated[bool, typer.Option("--take-over", help="Send what a crashed run claimed, too.")] = False,
    since: Since = None,
    until: Until = None,
    reason: Reasons = None,
    shard: Shard = None,
    tracker: Tracker = None,
    sequence_number: SequenceNumber = None,
    output: OutputOption = Output.TEXT,
) -> int:
    """Send events again, each once: what was sent is noted in the bucket.

    Sends the rejected events of a quarantined record and all events of a batch,
    each with its eventId and sentAt: Personalize trains on none twice. Leaves out
    events that would still be rejected. Asks before it sends.

    --transform is JMESPath, from the event (flat) to the event to send. It can't
    change eventId, and what it leaves out of userId, sessionId, trackingId and
    sentAt stays as it was. --mapping comes first, or the function's own preset.

    [bold]relay failed redrive --reason retry_attempts_exhausted --since 12h[/]
    [bold]relay failed redrive --transform "merge(@, {eventType: 'view'})"[/]
    [bold]relay failed redrive --transform "merge(@, {sentAt: `null`})" --dry-run[/]

    Exit status: 0 nothing is left to send, 1 something is, 2 wrong usage.
    """
    choose(dry_run=dry_run, yes=yes)
    mending = None if transform is None else compiled(transform)
    chosen = asked(since, until, reason, shard, tracker, sequence_number)
    work = Failures(connect(**context.obj))
    with translating():
        chosen = mapped(work.completed(chosen), mapping, work.settings)
        mender = Mender(work.trackers, mending, marking=bool(mapping or work.settings.mapping))

        def run(sender: Sender | None) -> Redrive:
            shows = reveal and sender is None
            return Redrive(
                work.bucket, work.ledger, mender, sender, take_over=take_over, reveal=shows, rate=rate or math.inf
            )

        if not yes:
            plan = run(None).run(chosen)
            question = f"send {number(plan.to_send, 'event')}?" if plan.to_send else ""
            lines = failed_text.account_lines(plan, datetime.now(UTC))
            status = unless_agreed(output, plan, lines, question, dry_run=dry_run, status=int(not plan.done))
            if status is not None:
                return _told(work, chosen, plan.flaws) or status
        sending = run(work.past_the_stream(**context.obj) if direct else work.stream)
        try:
            sending.run(chosen)
        except BaseException:
            if sending.account.selected:
                _print_account(sending.account, output)
            raise
    _print_account(sending.account, output)
    return _told(work, chosen, sending.account.flaws) or int(not sending.account.done)


def mapped(chosen: Selection, mapping: str | None, deployed: Settings) -> Selection:
    """With what makes events of payloads: the mapping that is given, else the function's own as far as it is known."""
    if mapping == NO_MAPPING:
        return chosen
    salt = deployed.mapping_salt or None
    if mapping or deployed.mapping in PRESETS:
        return replace(chosen, mapping=loading.to_send(mapping or deployed.mapping, salt))
    return replace(chosen, lacks_mapping=bool(deployed.mapping))


def _print_account(account: RedriveAccount, output: Output) -> None:
    print_result(output, account, failed_text.account_lines(account, datetime.now(UTC)))


def _told(work: Failures, chosen: Selection, flaws: Sequence[Flaw]) -> int:
    """Say on standard error what there is to know beside the result; returns the exit status."""
    of_a_time = chosen.since is not None or chosen.until is not None
    if said := failed_text.shard_remark(chosen.shard, work.bucket.shards, of_a_time=of_a_time):
        remark(said)
    return reported(flaws)


def reported(flaws: Sequence[Flaw]) -> int:
    """Name what can't be read, on standard error; returns the exit status."""
    say(*map(str, flaws))
    return FAILED if flaws else 0
