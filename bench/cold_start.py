"""What a cold start costs: the handler's import and first build, against what any boto3 handler has to load."""

import subprocess
import sys
from statistics import median
from typing import NamedTuple

from bench.processes import ROOT, environment

BASELINE = (
    "from aws_lambda_powertools import Logger, Metrics\n"
    "from aws_lambda_powertools.utilities.batch import BatchProcessor\n"
    "import boto3\n"
    "boto3.client('personalize-events')\n"
)
RELAY = "import personalize_relay.handler\n"
STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "Powertools (batch, logger, metrics), boto3, a client": (BASELINE, {}),
    "the relay's handler, PUT_EVENTS_CLIENT=boto3": (RELAY, {"PUT_EVENTS_CLIENT": "boto3"}),
    "the relay's handler, PUT_EVENTS_CLIENT=curl": (RELAY, {"PUT_EVENTS_CLIENT": "curl"}),
    "the same, MAPPING=segment": (RELAY, {"PUT_EVENTS_CLIENT": "curl", "MAPPING": "segment"}),
}
"""Statements and the environment, by what they stand for, the baseline first."""


class Start(NamedTuple):
    """What a start took, in seconds."""

    wall: float
    cpu: float


def measure(repetitions: int) -> dict[str, Start]:
    """By what is started; medians of starts in turns, the first of each (which may compile) not counted."""
    starts: dict[str, list[Start]] = {title: [] for title in STARTS}
    for _ in range(1 + repetitions):
        for title, each in starts.items():
            each.append(_start(title))
    return {title: Start(*(median(column) for column in zip(*each[1:], strict=True))) for title, each in starts.items()}


def _start(title: str) -> Start:
    statements, variables = STARTS[title]
    code = (
        "import sys, time\n"
        "sys.modules['awscrt'] = None  # see hide_awscrt\n"
        "wall, cpu = time.perf_counter(), time.process_time()\n"
        f"{statements}"
        "print(time.perf_counter() - wall, time.process_time() - cpu)"
    )
    run = subprocess.run(  # noqa: S603 - our own statements
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return Start(*map(float, run.stdout.split()))
