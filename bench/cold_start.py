"""What a cold start costs: the handler's import and first build, against what any boto3 handler has to load."""

import subprocess
import sys
from statistics import median

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


def measure(repetitions: int) -> dict[str, float]:
    """Seconds by what is started; medians, the first of each (which may compile) not counted."""
    seconds: dict[str, list[float]] = {title: [] for title in STARTS}
    for _ in range(1 + repetitions):
        for title, each in seconds.items():
            each.append(_seconds(title))
    return {title: median(each[1:]) for title, each in seconds.items()}


def _seconds(title: str) -> float:
    statements, variables = STARTS[title]
    timed = f"began = time.perf_counter()\n{statements}print(time.perf_counter() - began)"
    code = f"import sys, time\nsys.modules['awscrt'] = None  # see hide_awscrt\n{timed}"
    run = subprocess.run(  # noqa: S603 - our own statements
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)
