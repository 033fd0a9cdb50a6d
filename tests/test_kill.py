"""The function's process is killed at a boundary of any call of a batch: nothing is lost, and every id stays."""

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.personalize.answers import UNAVAILABLE, HttpAnswer
from local.personalize.faults import Exchange, Fault, Proceed
from local.personalize.server import PersonalizeFake
from tests.simulation.world import click, record

pytestmark = pytest.mark.slow  # each starts processes, and kills them

ROOT = Path(__file__).parents[1]
SESSIONS = 12
RECORDS = 60
FUNCTION = """
import json, sys
from types import SimpleNamespace
from personalize_relay.handler import handler
names = dict(function_name="f", memory_limit_in_mb=512, invoked_function_arn="", aws_request_id="")
context = SimpleNamespace(**names, get_remaining_time_in_millis=lambda: 20_000)
print(json.dumps(handler(json.load(sys.stdin), context)))
"""
MOMENTS = ("as it comes", "once it is taken", "once it is answered")
POINTS = list(itertools.product(range(SESSIONS), MOMENTS))[:-1]  # after the last answer there is nothing to interrupt
SAMPLE = 6


@dataclass
class Kill:
    """An effect: kill a process at a moment of the call."""

    moment: str
    process: subprocess.Popen[str] | None = field(default=None)

    async def strike(self, exchange: Exchange, proceed: Proceed, /) -> HttpAnswer:
        """Kill it; only with its answer sent may the call end before."""
        assert self.process
        if self.moment == "once it is answered":
            asyncio.get_running_loop().call_later(0.002, self.process.send_signal, signal.SIGKILL)
            return await proceed()
        if self.moment == "once it is taken":
            await proceed()
        self.process.send_signal(signal.SIGKILL)
        await exchange.released.wait()
        return UNAVAILABLE


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    """The service, on loopback."""
    with PersonalizeFake(trackers=["tracker"]) as running:
        yield running


def start(personalize: PersonalizeFake) -> subprocess.Popen[str]:
    """The function as a process of its own, that waits for its event."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "lambda"),
        "TRACKING_ID": "tracker",
        "QUARANTINE_BUCKET": "none",
        "MAX_IN_FLIGHT": "4",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint,
    }
    return subprocess.Popen(  # noqa: S603 - the product
        [sys.executable, "-c", FUNCTION],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Kill at a sample of the points, or at all."""
    if "point" in metafunc.fixturenames:
        draw = random.Random(3)  # noqa: S311 - a fixed sample
        points = POINTS if metafunc.config.getoption("--verify") else draw.sample(POINTS, SAMPLE)
        metafunc.parametrize("point", points, ids=lambda point: f"call {point[0]} {point[1]}")


def test_there_are_as_many_points_as_claimed() -> None:
    assert len(POINTS) >= 30


def test_nothing_is_lost_and_the_ids_stay(point: tuple[int, str], personalize: PersonalizeFake) -> None:
    call, moment = point
    records = [record(number, click(f"s{number % SESSIONS}", itemId=f"item-{number}")) for number in range(RECORDS)]
    event = json.dumps({"Records": records})
    calls = itertools.count()
    kill = Kill(moment)
    personalize.inject(Fault(kill, when=lambda _request: next(calls) == call))

    with start(personalize) as killed:
        kill.process = killed
        killed.communicate(event, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    personalize.clear()

    with start(personalize) as again:
        answered, errors = again.communicate(event, timeout=30)
    assert json.loads(answered.splitlines()[-1]) == {"batchItemFailures": []}, errors
    ids = {event_id: each.event["itemId"] for event_id, each in personalize.accepted.items()}
    assert ids == {f"clicks:shardId-000000000000:{number}": f"item-{number}" for number in range(RECORDS)}
    assert max(each.count for each in personalize.accepted.values()) <= 2, "once by each process"
