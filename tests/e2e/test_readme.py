"""The README is true: its commands run, its snippet sends, its figures are the sample's.

`make demo` and `make test` are run by CI, which calls them as the README gives them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.demo.careless import careless
from local.demo.clickstream import sample
from local.emulator.clients import CREDENTIALS, REGION
from local.system import TRACKER, System
from tests.e2e.conftest import PATIENCE, Deployed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
RUN_BY_CI = {"make demo", "make test"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [
    *(line for block in blocks("console") for line in block.splitlines() if line not in RUN_BY_CI),
    *(f".venv/bin/{command}" for command in re.findall(r"^\| `(relay [^`]+)` \|", README, flags=re.MULTILINE)),
]
"""Those of the blocks, then those of the table, which `make setup` installs in .venv/bin."""


def environment(system: System) -> dict[str, str]:
    """An account to deploy to, as a person's shell has it: the emulator."""
    account = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": system.emulator.endpoint}
    # Approving what a deployment grants takes a person at a terminal.
    return {**os.environ, **CREDENTIALS, **account, "CDK_REQUIRE_APPROVAL": "never"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_its_work(system: Deployed, command: str, tmp_path: Path) -> None:
    if command.startswith("make bootstrap "):
        # Any app will do; the command after it synthesizes that of the stage.
        command += f' ARGS="--app {system.assembly}"'
    elif command.startswith("make "):
        # The reader has set the tracker in cdk.json.
        command += f' ARGS="--output {tmp_path} -c trackingId={TRACKER}"'
    run = subprocess.run(  # noqa: S602 - the README's own lines, as a shell takes them
        command, shell=True, cwd=ROOT, env=environment(system), capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_snippet_sends_an_event_that_is_delivered(system: System) -> None:
    (snippet,) = blocks("python")
    subprocess.run(  # noqa: S603 - the README's own lines
        [sys.executable, "-c", snippet.replace("NAME", system.stream)], env=environment(system), check=True
    )
    system.personalize.wait_for(lambda fake: "0b9c2f6e-click-1" in fake.accepted, PATIENCE)
    accepted = system.personalize.accepted["0b9c2f6e-click-1"]
    assert (accepted.session_id, accepted.user_id, accepted.event["itemId"]) == ("s-81", "u-7", "i-3")


def test_every_make_target_that_it_names_is_there() -> None:
    named = set(re.findall(r"make ([a-z]+)", README))
    targets = set(re.findall(r"^([a-z ]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= named <= {name for target in targets for name in target.split()}


def test_its_figures_are_the_samples() -> None:
    events = [event for record in [*sample(), *careless()] for event in record.events]
    bad = sum(event.reason is not None for event in events)
    sessions = len({event.session for event in events})
    said = " ".join(README.split())
    assert f"{len(events):,} events of {sessions} sessions, {bad} of them bad" in said
    assert f"{len(events) - bad:,} good events" in said
