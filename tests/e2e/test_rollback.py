"""`relay rollback` on the deployed relay: the version before runs again within seconds, and no record is lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.mapping.invocation import InvocationResult
from local.system import System
from tests.e2e.conftest import MANY_RETRIES, PATIENCE, Relay, retries
from tests.e2e.versions import make_live, publish

RELAY = str(Path(sys.executable).with_name("relay"))
SOON = 60
"""Seconds within which a rollback is through on a busy machine; on an idle one it takes less than ten."""


def rollback(system: System, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run it without a terminal."""
    command = [RELAY, "rollback", "--local", "--port", system.emulator.endpoint.rpartition(":")[2], *words]
    return subprocess.run(  # noqa: S603 - our own command
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture
def broken(system: System) -> Iterator[tuple[str, str]]:
    """A version as it was deployed, and the one after it, which is live and can deliver nothing."""
    good = publish(system, {})
    newer = publish(system, {"TRACKING_ID": "unknown-tracker"}, timeout=6)
    with retries(system, MANY_RETRIES):
        deployed = make_live(system, newer)
        yield good, newer
        make_live(system, deployed)


def test_within_seconds_the_version_before_delivers_what_the_newer_could_not_and_what_comes(
    relay: Relay, broken: tuple[str, str]
) -> None:
    """While records flow, each of which is delivered once, in order."""
    good, newer = broken
    relay.put(*(relay.event(number) for number in range(20)))
    relay.wait_for_invocation(InvocationResult.PARTIAL)
    assert not relay.delivered()

    relay.put(*(relay.event(number) for number in range(20, 40)))
    ran = rollback(relay.system, "--yes")
    assert ran.returncode == 0, ran.stderr
    relay.put(*(relay.event(number) for number in range(40, 60)))
    assert relay.system.mapping.wait_until(lambda: bool(relay.delivered()), SOON), "not live within seconds"
    relay.settle()

    assert relay.delivered() == [f"canary-item-{number}" for number in range(60)]
    assert {each.count for each in relay.personalize.accepted.values()} == {1}
    assert not relay.quarantined
    assert not relay.discards
    assert f"live:  version {newer}, published " in ran.stdout
    assert f"to be: version {good}, published " in ran.stdout
    assert ran.stdout.rstrip().endswith(f"--to {newer}")


def test_forward_again_by_number_and_not_to_one_that_is_not_there(system: System, broken: tuple[str, str]) -> None:
    good, newer = broken
    assert rollback(system, "--to", good, "--yes").returncode == 0
    assert rollback(system, "--to", newer, "--yes").returncode == 0
    functions = system.client("lambda")
    named = {"FunctionName": system.outputs["FunctionName"], "Name": system.outputs["AliasName"]}
    assert functions.get_alias(**named)["FunctionVersion"] == newer

    gone = rollback(system, "--to", "4711", "--yes")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("relay: there is no version 4711: the last ones are ")
    unasked = rollback(system)
    assert unasked.returncode == 2
    assert functions.get_alias(**named)["FunctionVersion"] == newer
