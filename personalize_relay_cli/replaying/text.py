"""How `relay replay` says what there is and what became of it: counts, times, sequence numbers; no byte of a record."""

from collections.abc import Iterator

from personalize_relay.metrics import Metric
from personalize_relay_cli.printing import document, number, told
from personalize_relay_cli.replaying.replay import Replay, ReplayTerms

COUNTED = {
    "delivered": Metric.EVENTS_DELIVERED,
    "quarantined": Metric.EVENTS_QUARANTINED,
    "filtered": Metric.EVENTS_FILTERED,
    "shadowed": Metric.EVENTS_SHADOWED,
}


def plan_lines(plan: Replay, terms: ReplayTerms) -> Iterator[str]:
    """What is there, shard by shard."""
    for each in plan.shards:
        span = "" if each.first is None or each.last is None else f", {told(each.first)} to {told(each.last)}"
        yield f"{each.shard_id}: {number(each.read, 'record')}{span}"
    yield f"{number(plan.read, 'record')} would be replayed, in {plan.read / terms.rate:,.0f} s at the least"


def account_lines(done: Replay, terms: ReplayTerms) -> Iterator[str]:
    """What became of it, and how to go on where it isn't all."""
    left = f" + {done.read - done.settled:,} left" if done.read > done.settled else ""
    yield f"{done.read:,} read = {done.settled:,} settled{left}, in {number(len(done.shards), 'shard')}"
    counts = ", ".join(f"{count:,} {name}" for name, count in _counts(done).items())
    missing = f"; {done.uncounted:,} of {done.invocations:,} didn't show it" if done.uncounted else ""
    yield f"events, by the log of {number(done.invocations, 'invocation')}: {counts}{missing}"
    for each in done.unfinished:
        if each.stuck:
            yield f"{each.shard_id}: {each.stuck}"
        yield (
            f"{each.shard_id} stands at {told(each.stands)}; to go on, with the other options as they were: "
            f"relay replay --shard {each.shard_id} --since {told(each.stands)} --until {told(terms.until)}"
        )


def as_json(run: Replay, terms: ReplayTerms, *, planned: bool) -> dict[str, object]:
    """Either for scripts."""
    return document(
        "replay",
        dryRun=planned,
        since=told(terms.since),
        until=told(terms.until),
        read=run.read,
        settled=run.settled,
        events=_counts(run),
        invocations=run.invocations,
        invocationsNotCounted=run.uncounted,
        shards=[
            {
                "shardId": each.shard_id,
                "read": each.read,
                "settled": each.settled,
                "firstArrival": None if each.first is None else told(each.first),
                "lastArrival": None if each.last is None else told(each.last),
                "standsAt": None if planned or each.ended else told(each.stands),
                "stuck": each.stuck or None,
            }
            for each in run.shards
        ],
    )


def _counts(run: Replay) -> dict[str, int]:
    """Shadowed only where there are any, as a function in shadow has nothing else."""
    found = {name: run.counts[metric] for name, metric in COUNTED.items()}
    return {name: count for name, count in found.items() if count or name != "shadowed"}
