"""Contestants at a share of a core, where a function lives.

Each is imported, built and warmed up with a whole core, as Lambda does it, and measured with one; then it is measured
at each share. They take turns, so that a slow minute of the machine meets them all.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack

import msgspec

from bench.contestants import CONTESTANTS, Measured
from bench.cpu_share import cpu_group
from bench.processes import Runner, Server, running, served
from bench.server import Tally
from bench.side_by_side import Medians, result, turn
from bench.workloads import Workload

SHARES = {0.29: 512, 0.14: 256, 0.07: 128}
"""Parts of a core, each with the memory in MB of a Lambda function that is given it."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """What a contestant does with a share of a core."""

    share: float
    invocations: int
    limited: Medians
    whole: Medians
    """What the same process did with a whole core."""

    @property
    def allowed(self) -> float:
        """Events a second that the share would do if each cost the CPU that it costs with a whole core."""
        return self.share / self.whole.cpu_an_event

    @property
    def used(self) -> float:
        """The part of it that was done."""
        return self.limited.events_a_second / self.allowed


def compare_at_shares(
    workload: Workload, names: Iterable[str], shares: Collection[float] = SHARES
) -> dict[float, dict[str, Shared]]:
    """By share, each contestant's medians; the server always has its core to itself.

    Raises NoControlGroup where a process cannot be held to a share.
    """
    with cpu_group() as group, ExitStack() as stack:
        server = stack.enter_context(served(workload.latency))
        runners = {name: stack.enter_context(running(name, workload, server)) for name in names}
        for name, runner in runners.items():
            turn(runner, server, CONTESTANTS[name].records(workload))
            group.admit(runner.pid)
        whole = _in_turns(workload, server, runners)
        measured: dict[float, dict[str, Shared]] = {}
        for share in shares:
            with group.limited(share):
                limited = _in_turns(workload, server, runners)
            measured[share] = {
                name: Shared(
                    share=share,
                    invocations=CONTESTANTS[name].at_a_share,
                    limited=limited[name],
                    whole=whole[name],
                )
                for name in runners
            }
    return measured


def _in_turns(workload: Workload, server: Server, runners: Mapping[str, Runner]) -> dict[str, Medians]:
    """Each contestant's medians; those with a single invocation come last, as their time would let connections age."""
    invocations = {name: CONTESTANTS[name].at_a_share for name in runners}
    order = [name for number in range(max(invocations.values())) for name in runners if number < invocations[name] > 1]
    order += [name for name in runners if invocations[name] == 1]
    turns: dict[str, list[tuple[Measured, Tally]]] = {name: [] for name in runners}
    for name in order:
        turns[name].append(turn(runners[name], server, CONTESTANTS[name].records(workload)))
    return {name: result(name, workload, made) for name, made in turns.items()}
