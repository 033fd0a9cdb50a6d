"""Contestants on one workload and one server, their invocations in turns, so that all meet the same machine."""

from collections.abc import Iterable
from contextlib import ExitStack
from statistics import median

import msgspec

from bench.contestants import CONTESTANTS, Measured
from bench.processes import Runner, Server, running, served
from bench.server import Tally
from bench.workloads import Workload


class Medians(msgspec.Struct, frozen=True, kw_only=True):
    """A contestant's medians."""

    title: str
    records: int
    in_flight: int
    latency: float
    wall: float
    cpu: float
    calls: float
    server_cpu: float
    peak_memory: float

    @property
    def events_a_second(self) -> float:
        """How many events were relayed in a second."""
        return self.records / self.wall

    @property
    def cpu_an_event(self) -> float:
        """Seconds of CPU time, user and system."""
        return self.cpu / self.records

    @property
    def floor(self) -> float:
        """The seconds that the API's latency alone takes, for so many calls with so many in flight."""
        return self.calls / self.in_flight * self.latency


def compare(workload: Workload, names: Iterable[str], invocations: int) -> dict[str, Medians]:
    """Each contestant's medians of so many invocations, after one that isn't counted."""
    with ExitStack() as stack:
        server = stack.enter_context(served(workload.latency))
        runners = {name: stack.enter_context(running(name, workload, server)) for name in names}
        turns: dict[str, list[tuple[Measured, Tally]]] = {name: [] for name in runners}
        for _ in range(1 + invocations):
            for name, runner in runners.items():
                turns[name].append(turn(runner, server, CONTESTANTS[name].records(workload)))
    return {name: result(name, workload, counted) for name, (_, *counted) in turns.items()}


def turn(runner: Runner, server: Server, records: int) -> tuple[Measured, Tally]:
    """One invocation; raises RuntimeError unless each of so many events arrived exactly once."""
    server.tally()
    invocation = runner.invoke()
    tally = server.tally()
    if (tally.events, tally.distinct) != (records, records):
        came = f"{tally.events} came, {tally.distinct} of them distinct"
        raise RuntimeError(f"{runner.name}: {records} events were to arrive once each, but {came}")
    return invocation, tally


def result(name: str, workload: Workload, turns: list[tuple[Measured, Tally]]) -> Medians:
    """The medians of a contestant's invocations."""
    contestant = CONTESTANTS[name]
    return Medians(
        title=contestant.title,
        records=contestant.records(workload),
        in_flight=contestant.in_flight(workload),
        latency=workload.latency,
        wall=median(invocation.wall for invocation, _ in turns),
        cpu=median(invocation.cpu for invocation, _ in turns),
        calls=median(tally.calls for _, tally in turns),
        server_cpu=median(tally.cpu for _, tally in turns),
        peak_memory=max(invocation.peak_memory for invocation, _ in turns),
    )
