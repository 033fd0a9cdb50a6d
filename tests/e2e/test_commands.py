"""The commands of the local system, as a person runs them."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local.demo.careless import careless
from local.demo.clickstream import sample
from local.system import System
from tests.e2e.conftest import PATIENCE

ROOT = Path(__file__).parents[2]


def start(*words: str) -> subprocess.Popen[str]:
    """Start `python -m` with these words, as the head of a process group."""
    return subprocess.Popen(  # noqa: S603 - our own commands
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        env={**os.environ, "COLUMNS": "120"},
    )


def run(*words: str, given: str = "") -> tuple[int, str]:
    """Run it to its end; returns the exit status and all that it printed."""
    with start(*words) as process:
        printed, _ = process.communicate(given, timeout=PATIENCE)
    return process.returncode, printed


def children(pid: int) -> set[int]:
    """The process ids below a process, at any depth."""
    parents = dict(_parents())
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {pid}


def ends(pid: int) -> bool:
    """Whether a process has ended, or does so within seconds: the kernel may still be at it."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 5.0)[0])
    finally:
        os.close(process)


def _parents() -> Iterator[tuple[int, int]]:
    """Each process of this machine and its parent: the second word after the name, as proc(5) has it."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            yield int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])


@pytest.mark.whole
def test_the_demo_fails_and_names_the_event_when_one_is_lost() -> None:
    """And accounts for all others: `make demo` itself is run by CI."""
    status, printed = run("local.demo", "--seconds", "0", "--swallow")
    assert status == 1
    (missing,) = re.findall(r"missing +\u2502 +1 +\u2502 (event \S+)", printed)
    assert re.fullmatch(r"event (click-\d{4}-\d{2}|personalize-relay-dev-\S+)", missing)
    good = sum(event.reason is None for record in [*sample(), *careless()] for event in record.events)
    assert re.search(rf"delivered +\u2502 +{good - 1:,}", printed)
    (each, most) = re.findall(r"events a call +\u2502 +([\d.]+) +\u2502 ([\d.]+) at the most", printed)[0]
    assert float(each) >= 0.9 * float(most)
    assert "the account does not hold" in printed


@pytest.mark.whole
def test_the_demo_accounts_for_a_stream_of_segments_by_the_preset() -> None:
    status, printed = run("local.demo", "--seconds", "0", "--mapping", "segment")
    assert status == 0, printed
    assert re.search(r"filtered: other calls +\u2502 +(\d+) +\u2502 \1 expected", printed)
    assert re.search(r"quarantined: not_mapped +\u2502 +10 +\u2502 10 expected", printed)
    assert "every event is accounted for" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_without_a_traceback(number: signal.Signals) -> None:
    with start("local.demo") as process:
        assert process.stdout
        while "cdk deploy" not in (line := process.stdout.readline()):
            assert line, "it ended before it was interrupted"
        started = children(process.pid)
        assert any(b"ministack" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in started)
        os.killpg(process.pid, number)
        printed = process.stdout.read()
    assert process.returncode == 130
    assert "stopped: nothing is left running" in printed
    assert "Traceback" not in printed
    assert all(map(ends, started))


def test_a_taken_port_is_said_in_a_line(system: System) -> None:
    taken = system.emulator.endpoint.rpartition(":")[2]
    status, printed = run("local.serve", "--port", taken)
    assert status == 1
    assert f"port {taken} is taken" in printed
    assert f'make local ARGS="--port {int(taken) + 1}"' in printed
    assert "Traceback" not in printed
