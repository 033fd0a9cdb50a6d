"""Contestants at a share of a core, where a function lives.

Each is imported, built and warmed up with a whole core, as Lambda does it, and measured with one; then it is measured
at each share. One contestant after another: in turns, connections would grow too old between invocations this slow.
"""

from collections.abc import Collection, Iterable

import msgspec

from bench.contestants import CONTESTANTS
from bench.cpu_share import CpuGroup, cpu_group
from bench.processes import Server, running, served
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
    with cpu_group() as group, served(workload.latency) as server:
        measured = {name: _measure(name, workload, server, group, shares) for name in names}
    return {share: {name: by_share[share] for name, by_share in measured.items()} for share in shares}


def _measure(
    name: str, workload: Workload, server: Server, group: CpuGroup, shares: Collection[float]
) -> dict[float, Shared]:
    contestant = CONTESTANTS[name]
    records, invocations = contestant.records(workload), contestant.at_a_share
    with running(name, workload, server) as runner:

        def medians() -> Medians:
            return result(name, workload, [turn(runner, server, records) for _ in range(invocations)])

        turn(runner, server, records)
        group.admit(runner.pid)
        whole = medians()
        measured = {}
        for share in shares:
            with group.limited(share):
                measured[share] = Shared(share=share, invocations=invocations, limited=medians(), whole=whole)
    return measured
