"""The runbook is true: its commands run as it gives them, one after the other, at a terminal."""

import os
import platform
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.system import ARCHITECTURES, TRACKER, System
from tests.e2e.test_readme import environment

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
SETTINGS = f"-c trackingId={TRACKER} -c architecture={ARCHITECTURES[platform.machine()]}"
"""What its reader has set in cdk.json, and what this machine can run."""


def commands(heading: str) -> list[str]:
    """The lines of a section's blocks, but for those that need the AWS command line."""
    (section,) = re.findall(rf"^## {heading}\n(.+?)^## ", RUNBOOK, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"```sh\n(.+?)```", section, re.DOTALL)
    return [line for block in blocks if "aws " not in block for line in block.splitlines()]


class Shell:
    """A terminal in the checkout, with the relay command, and somebody who says yes."""

    def __init__(self, system: System, folder: Path) -> None:
        variables = environment(system)
        tools = str(Path(sys.executable).parent)
        self._environment = variables | {"PATH": f"{tools}{os.pathsep}{variables['PATH']}", "COLUMNS": "120"}
        self._folder = folder

    def run(self, command: str, settings: str = SETTINGS) -> str:
        """Run a line to its end, and return what it said; `settings` stand in cdk.json."""
        if re.match("make (diff|deploy)", command):
            command += f' ARGS="--output {self._folder} {settings}"'
        theirs, ours = pty.openpty()
        os.write(theirs, b"y\n")
        with os.fdopen(ours, "wb") as terminal:
            running = subprocess.Popen(  # noqa: S602 - the runbook's own lines, as a shell takes them
                command, shell=True, cwd=ROOT, env=self._environment, stdin=terminal, stdout=terminal, stderr=terminal
            )
        said = b"".join(_read(theirs)).decode()
        os.close(theirs)
        assert running.wait(timeout=60) == 0, said[-2000:]
        return said


def _read(terminal: int) -> Iterator[bytes]:
    """What is written to a terminal until nobody holds it any more, which ends reading with an error."""
    while True:
        try:
            yield os.read(terminal, 65_536)
        except OSError:
            return


@pytest.fixture(scope="module")
def shell(system: System, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell, with the prod stage deployed."""
    shell = Shell(system, tmp_path_factory.mktemp("cdk.out"))
    shell.run("make deploy STAGE=prod")
    return shell


@pytest.fixture(scope="module")
def outputs(system: System, shell: Shell) -> Mapping[str, str]:
    """The prod stack's."""
    del shell  # it deployed it
    (stack,) = system.client("cloudformation").describe_stacks(StackName="personalize-relay-prod")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def test_rolling_back_and_undoing_it(system: System, shell: Shell, outputs: Mapping[str, str]) -> None:
    functions, name, alias = system.client("lambda"), outputs["FunctionName"], outputs["AliasName"]
    deployed = functions.get_alias(FunctionName=name, Name=alias)["FunctionVersion"]
    functions.update_function_configuration(FunctionName=name, MemorySize=1024)
    newer = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=alias, FunctionVersion=newer)

    back, undone = commands("Roll back")
    assert f"version {deployed} is live" in shell.run(back)
    assert f"version {newer} is live" in shell.run(undone.replace("--to 7", f"--to {newer}"))


def test_replaying_what_the_stream_holds(system: System, shell: Shell, outputs: Mapping[str, str]) -> None:
    """Here nothing else reads the prod stage's stream."""
    event = b'{"sessionId": "s-replayed", "userId": "u-7", "eventType": "view", "itemId": "i-3"}'
    system.client("kinesis").put_record(StreamName=outputs["StreamName"], PartitionKey="s-replayed", Data=event)
    (replay,) = commands("Replay what the stream holds")
    now = datetime.now(UTC)
    for written, moment in (
        ("2026-11-24T09:30Z", now - timedelta(hours=1)),
        ("2026-11-24T10:45Z", now + timedelta(seconds=30)),
    ):
        replay = replay.replace(written, moment.isoformat(timespec="seconds"))
    shell.run(replay)
    (delivered,) = [each for each in system.personalize.accepted.values() if each.session_id == "s-replayed"]
    assert delivered.event["itemId"] == "i-3"


def test_changing_the_stream(system: System, shell: Shell, outputs: Mapping[str, str]) -> None:
    system.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
    arn = outputs["StreamArn"].replace(outputs["StreamName"], "clicks")
    settings = f"{SETTINGS} -c streamArn={arn} -c streamRetentionHours=24 -c maxRecordAgeMinutes=720"
    said = [shell.run(command, settings) for command in commands("Change the stream")]
    assert "streamArn: not set -> " in said[1]
    functions = system.client("lambda")
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    assert mapping["FunctionArn"].endswith(f":{outputs['FunctionName']}:{outputs['AliasName']}")
