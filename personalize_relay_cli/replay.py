"""`relay replay`: what the stream still holds, through the function once more."""

import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.options import Output, OutputOption
from personalize_relay_cli.printing import agreed, number, print_json, print_lines, say
from personalize_relay_cli.problems import FAILED, INTERRUPTED, Misuse, Problem, translating
from personalize_relay_cli.recovery.selection import moment
from personalize_relay_cli.replaying import text
from personalize_relay_cli.replaying.function import Function
from personalize_relay_cli.replaying.records import told
from personalize_relay_cli.replaying.replay import Replay, Terms
from personalize_relay_cli.replaying.stream import Shard, Stream
from personalize_relay_cli.sending.bar import bar
from personalize_relay_cli.sending.interruption import Interruption

RATE = 250.0
"""Records a second: of single events in sessions of their own, a quarter of the 1,000 calls a second that Personalize
takes for a dataset group. The live stream needs the rest."""


def replay(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="Replay what arrived then or later.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Replay what arrived before; else all.")] = None,
    shard: Annotated[str | None, typer.Option(metavar="ID", help="Replay one, as shardId-000000000003.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, metavar="N", help="Records a second at most, of all shards.")] = RATE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be replayed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Replay at once: count nothing, ask nothing.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Have what is in the stream delivered once more, by the deployed function.

    For records that were dropped, or delivered to a wrong tracker. Each event has
    the id it had, so what was delivered before is trained on once. Invokes the
    function as its mapping does: a shard in order, four shards at once. What is
    bad is quarantined as ever. Counts first, and asks.

    A TIME is ISO 8601 (UTC unless it says otherwise) or so long ago: 90m, 2h, 3d.

    [bold]relay replay --since 3h --stage prod --dry-run[/]
    [bold]relay replay --since 2026-11-24T09:30Z --until 2026-11-24T10:45Z --stage prod[/]

    Exit status: 0 all is settled, 1 something is left or gone, 2 wrong usage,
    130 ended by Ctrl-C, after the invocations under way.
    """
    if dry_run and yes:
        raise Misuse("--dry-run replays nothing, --yes replays: which is it?")
    now = datetime.now(UTC)
    earliest, latest = moment(since, now), now.timestamp() if until is None else moment(until, now)
    if earliest >= latest:
        raise Misuse(f"--since is not before {'now' if until is None else '--until'}")
    deployment = connect(**context.obj)
    with translating():
        mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.output("EventSourceMappingId"))
        terms = Terms(since=earliest, until=latest, rate=rate, batch_size=mapping["BatchSize"])
        stream = Stream(deployment.client("kinesis"), mapping["EventSourceArn"], time.sleep)
        gone = _gone(stream, terms, now.timestamp())
        shards = _shards(stream, shard)
        if not yes:
            plan = Replay(stream, None, terms)
            if _interrupted(plan, shards, terms, "counting"):
                return INTERRUPTED
            if dry_run or not (sys.stdin.isatty() and plan.read):
                return _planned(plan, terms, output, gone=gone, needs_yes=not dry_run)
            say(text.plan_lines(plan, terms))
            if not agreed(f"replay {number(plan.read, 'record')}?"):
                return FAILED
        done = Replay(stream, Function(deployment.client("lambda"), mapping["FunctionArn"]), terms)
        try:
            interrupted = _interrupted(done, shards, terms, "replaying")
        finally:
            _print(done, terms, output)
    if interrupted:
        return INTERRUPTED
    return FAILED if gone or done.unfinished else 0


def _shards(stream: Stream, asked: str | None) -> list[Shard]:
    """All, or the one that is asked for."""
    found = [each for each in stream.shards() if asked in {None, each.shard_id}]
    if not found:
        raise Problem("the stream has no such shard: `relay replay --dry-run` lists them")
    return found


def _gone(stream: Stream, terms: Terms, now: float) -> bool:
    """Say what the stream no longer has of the time that is asked for; returns whether that is anything."""
    begins = now - stream.keeps()
    if begins >= terms.until:
        raise Problem(f"the stream keeps nothing that arrived before {told(begins)}: what is asked for is gone")
    if begins > terms.since:
        say([f"the stream keeps nothing that arrived before {told(begins)}: what did is gone, and not replayed"])
    return begins > terms.since


def _interrupted(run: Replay, shards: list[Shard], terms: Terms, doing: str) -> bool:
    """Run it, and draw how far it is; returns whether somebody ended it."""

    def look() -> tuple[float, int]:
        ends = [terms.until if each.ended else each.stands for each in run.shards]
        return sum(end - terms.since for end in ends), run.settled or run.read

    with Interruption() as interruption, bar(doing, (terms.until - terms.since) * len(shards), "records", look) as draw:
        run.draw = draw or run.draw
        run.over(shards, interruption.is_asked)
    return interruption.is_asked()


def _planned(plan: Replay, terms: Terms, output: Output, *, gone: bool, needs_yes: bool) -> int:
    """Print a dry run; returns its exit status."""
    if output is Output.JSON:
        print_json(text.as_json(plan, terms, planned=True))
    else:
        print_lines(text.plan_lines(plan, terms))
    if needs_yes and plan.read:
        say(["a dry run, as there is no terminal to ask: nothing was replayed. --yes replays"])
        return FAILED
    return FAILED if gone else 0


def _print(done: Replay, terms: Terms, output: Output) -> None:
    if output is Output.JSON:
        print_json(text.as_json(done, terms, planned=False))
    else:
        print_lines(text.account_lines(done, terms))
