"""One deployed relay for all end-to-end tests: the template that goes to AWS, and what a test may do to it."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.emulator.cdk import Cdk
from local.mapping.clock import Pauses
from local.mapping.invocation import InvocationResult
from local.mapping.journal import Invocation
from local.system import System

CRASH = Path(__file__).parent / "crash"
PATIENCE = 120
"""Seconds that anything may take before it counts as never."""

RETRIES = 4
MANY_RETRIES = 100
"""Enough for what fails while a test looks at it, however slow this machine is."""


class Relay:
    """The system, and the records of one test on it."""

    def __init__(self, system: System, name: str) -> None:
        self.system = system
        self.personalize = system.personalize
        self._name = name
        self._known = len(system.mapping.invocations)
        self._given_up = len(system.mapping.discards)
        self._stored = {line["source"]["sequenceNumber"] for line in system.quarantine()}

    def event(self, number: int, session: str = "a", **members: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """A good event whose every id and text is a canary, unless members say otherwise."""
        usual = {
            "sessionId": f"canary-session-{self._name}-{session}",
            "userId": "canary-user",
            "eventType": "click",
            "itemId": f"canary-item-{number}",
            "eventId": f"canary-event-{self._name}-{session}-{number}",
            "sentAt": 1_790_000_000 + number,
            "properties": {"note": "canary-property"},
            "recommendationId": "canary-recommendation",
        }
        return usual | members

    def put(self, *payloads: dict[str, Any] | bytes, key: str = "canary-partition-key") -> list[str]:
        """Write records to one shard, in order, in one call; returns their sequence numbers."""
        data = [payload if isinstance(payload, bytes) else json.dumps(payload).encode() for payload in payloads]
        answers = self.system.client("kinesis").put_records(
            StreamName=self.system.stream, Records=[{"Data": each, "PartitionKey": key} for each in data]
        )
        return [answer["SequenceNumber"] for answer in answers["Records"]]

    def settle(self) -> None:
        """Wait until all that was put is settled."""
        assert self.system.mapping.wait_until_drained(PATIENCE), "not settled in time"

    def wait_for_invocation(self, result: InvocationResult) -> Invocation:
        """Wait for an invocation of this test with such a result."""

        def found() -> list[Invocation]:
            return [each for each in self.invocations if each.result == result]

        assert self.system.mapping.wait_until(lambda: bool(found()), PATIENCE), f"no invocation was {result}"
        return found()[0]

    @property
    def invocations(self) -> list[Invocation]:
        """The invocations since the test began."""
        return self.system.mapping.invocations[self._known :]

    @property
    def discards(self) -> list[str]:
        """Where the mapping stored what it gave up since the test began."""
        return [each.stored_at for each in self.system.mapping.discards[self._given_up :]]

    @property
    def quarantined(self) -> list[dict[str, Any]]:
        """The records that were quarantined since the test began."""
        lines = self.system.quarantine()
        return [line for line in lines if line["source"]["sequenceNumber"] not in self._stored]

    def delivered(self, session: str = "a") -> list[str]:
        """The item ids of a session's events, in the order that Personalize first accepted them."""
        name = f"canary-session-{self._name}-{session}"
        accepted = self.personalize.accepted.values()
        return [str(each.event["itemId"]) for each in accepted if each.session_id == name]

    def metric(self, name: str) -> float:
        """The sum of a metric over all that the function has logged."""
        lines = [json.loads(line) for line in self.system.log() if line.startswith('{"_aws"')]
        return sum(sum(line.get(name, [0])) for line in lines)

    def processes(self) -> list[int]:
        """The function's processes."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self.system.outputs['FunctionName']}".encode()
        return [pid for pid in _own_processes() if name in _environment(pid)]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the function's processes."""
        pids = self.processes()
        assert pids, "the function has no process"
        for pid in pids:
            os.kill(pid, number)


def _own_processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _environment(pid: int) -> Sequence[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ()  # gone, or somebody else's


def limit_retries(system: System, most: int) -> None:
    """Set the deployed mapping's retries, which the stack derives from the record age.

    An operator may do the same, where a record crashes the function over and over and the shard can't wait.
    """
    mapping = system.outputs["EventSourceMappingId"]
    system.client("lambda").update_event_source_mapping(UUID=mapping, MaximumRetryAttempts=most)
    followed = system.mapping.wait_until(lambda: system.mapping.settings.max_retries == most, PATIENCE)
    assert followed, "the mapping did not follow its update"


@contextmanager
def retries(system: System, most: int) -> Iterator[None]:
    """The deployed mapping with so many retries for a while."""
    limit_retries(system, most)
    try:
        yield
    finally:
        limit_retries(system, RETRIES)


class Deployed(System):
    """The system, which keeps what it was deployed from for tests that deploy it, too."""

    def __init__(self, folder: Path) -> None:
        pace = Pauses(poll_seconds=0.25, first_backoff=0.1, longest_backoff=1.0)
        super().__init__({"timeoutSeconds": "10"}, pace=pace, function_environment={"PYTHONPATH": str(CRASH)})
        self._folder = folder

    def deploy(self) -> dict[str, str]:
        """As any system is."""
        return Cdk(self.emulator.endpoint, self._folder).deploy(None, self._context)

    @property
    def assembly(self) -> Path:
        """The cloud assembly that the CDK command wrote."""
        return self._folder / "cdk.out"


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The relay, deployed once; its mapping gives up after RETRIES."""
    with Deployed(tmp_path_factory.mktemp("deployed")) as running:
        # The emulator counts a cold start against the timeout, as Lambda does not.
        running.client("lambda").invoke(FunctionName=running.function, Payload=b'{"Records": []}')
        limit_retries(running, RETRIES)
        yield running


@pytest.fixture
def relay(system: System, request: pytest.FixtureRequest) -> Iterator[Relay]:
    """The deployed relay, with no faults left from another test."""
    system.personalize.forget()
    yield Relay(system, str(request.node.name))
    system.personalize.clear()
