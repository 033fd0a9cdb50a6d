"""`relay replay`: what the stream still holds, through the function once more."""

import time
from typing import Annotated

import typer

from personalize_relay_cli.deployment import connect
from personalize_relay_cli.options import DryRunOption, OutputOption, YesOption, moment, shard_id
from personalize_relay_cli.printing import Output, choose, named, number, print_result, say, told, unless_agreed
from personalize_relay_cli.problems import FAILED, INTERRUPTED, Misuse, Problem, translating
from personalize_relay_cli.progress import bar
from personalize_relay_cli.replaying import text
from personalize_relay_cli.replaying.function import Function
from personalize_relay_cli.replaying.replay import Replay, ReplayTerms
from personalize_relay_cli.replaying.stream import Shard, Stream
from personalize_relay_cli.sending.interruption import Interruption

RATE = 250.0
"""Records a second: of single events in sessions of their own, a quarter of the 1,000 calls a second that Personalize
takes for a dataset group. The live stream needs the rest."""


def replay(  # noqa: PLR0913 - an option each
    context: typer.Context,
    *,
    since: Annotated[float, typer.Option(parser=moment, metavar="TIME", help="Replay what arrived since then.")],
    until: Annotated[
        float | None,
        typer.Option(parser=moment, metavar="TIME", help="Replay what arrived before then (default: now)."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(parser=shard_id, metavar="ID", help="Replay one shard (default: all).")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, metavar="N", help="Replay at most N records a second.")] = RATE,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Deliver once more what the stream still holds, by the function.

    For records that were dropped, or delivered to a wrong tracker. Each event has
    the id it had, so what was delivered before is trained on once. Invokes the
    function as its mapping does: a shard in order, four shards at once. What is
    bad is quarantined as ever. Counts first, and asks.

    [bold]relay replay --since 3h --stage prod --dry-run[/]
    [bold]relay replay --since 2026-11-24T09:30Z --until 2026-11-24T10:45Z --stage prod[/]

    Exit status: 0 all is settled, 1 something is left or gone, 2 wrong usage,
    130 ended by Ctrl-C, after the invocations under way.
    """
    choose(dry_run=dry_run, yes=yes)
    now = time.time()
    ends = now if until is None else until
    if since >= ends:
        raise Misuse(f"--since is not before {'now' if until is None else '--until'}")
    deployment = connect(**context.obj)
    with translating():
        mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.output("EventSourceMappingId"))
        terms = ReplayTerms(since=since, until=ends, rate=rate, batch_size=mapping["BatchSize"])
        stream = Stream(deployment.client("kinesis"), mapping["EventSourceArn"], time.sleep)
        gone = _gone(stream, terms, now)
        shards = _shards(stream, shard)
        if not yes:
            plan = Replay(stream, None, terms)
            if _interrupted(plan, shards, terms, "counting"):
                return INTERRUPTED
            question = f"replay {number(plan.read, 'record')}?" if plan.read else ""
            said, lines = text.as_json(plan, terms, planned=True), text.plan_lines(plan, terms)
            status = unless_agreed(output, said, lines, question, dry_run=dry_run, status=int(gone))
            if status is not None:
                return status
        done = Replay(stream, Function(deployment.client("lambda"), mapping["FunctionArn"]), terms)
        try:
            interrupted = _interrupted(done, shards, terms, "replaying")
        finally:
            print_result(output, text.as_json(done, terms, planned=False), text.account_lines(done, terms))
    if interrupted:
        return INTERRUPTED
    return FAILED if gone or done.unfinished else 0


def _shards(stream: Stream, asked: str | None) -> list[Shard]:
    """All, or the one that is asked for."""
    there = stream.shards()
    found = [each for each in there if asked in {None, each.shard_id}]
    if not found:
        raise Problem(f"the stream has no such shard: it has {named([each.shard_id for each in there])}")
    return found


def _gone(stream: Stream, terms: ReplayTerms, now: float) -> bool:
    """Say what the stream no longer has of the time that is asked for; returns whether that is anything."""
    begins = now - stream.keeps()
    if begins >= terms.until:
        raise Problem(f"the stream keeps nothing that arrived before {told(begins)}: what is asked for is gone")
    if begins > terms.since:
        say(f"the stream keeps nothing that arrived before {told(begins)}: what did is gone, and not replayed")
    return begins > terms.since


def _interrupted(run: Replay, shards: list[Shard], terms: ReplayTerms, doing: str) -> bool:
    """Run it, and draw how far it is; returns whether somebody ended it."""

    def look() -> tuple[float, int]:
        ends = [terms.until if each.ended else each.stands for each in run.shards]
        return sum(end - terms.since for end in ends), run.settled or run.read

    with Interruption() as interruption, bar(doing, (terms.until - terms.since) * len(shards), "records", look) as draw:
        run.draw = draw or run.draw
        run.over(shards, interruption.is_asked)
    return interruption.is_asked()
