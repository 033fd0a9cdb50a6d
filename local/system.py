"""The whole relay on this machine: the stack as it goes to AWS, deployed beside a stand-in for Personalize."""

import json
import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Self

from local.bucket import StoredFailures
from local.cloudwatch.publisher import CloudWatch
from local.emulator.clients import FUNCTION_CREDENTIALS
from local.emulator.emulator import Emulator
from local.mapping.clock import Pauses
from local.mapping.mapping import EventSourceMapping
from local.personalize.server import PersonalizeFake

TRACKER = "local-tracker"
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


class UnfitMachine(Exception):
    """A machine that can't run the function's package; the message says which machines can."""


def _silently(_step: str) -> None:
    pass


class System:
    """The emulator, the deployed stack, its event source mapping and the Personalize fake, in a `with` block.

    `context` overrides settings of the stack, as `-c` does; `function_environment` adds variables to the function's
    environment; `port` is the emulator's, 0 for any free one; `tell` gets a line for each step.
    """

    def __init__(
        self,
        context: Mapping[str, str] | None = None,
        *,
        pace: Pauses | None = None,
        function_environment: Mapping[str, str] | None = None,
        port: int = 0,
        tell: Callable[[str], None] = _silently,
    ) -> None:
        self.personalize = PersonalizeFake(trackers=[TRACKER], credentials=FUNCTION_CREDENTIALS)
        self._context = {"stage": "dev", "trackingId": TRACKER, "architecture": _architecture(), **(context or {})}
        self._pace = pace
        self._function_environment = dict(function_environment or {})
        self._port = port
        self._tell = tell
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self._start(running)
            self._running = running.pop_all()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._running.close()

    def _start(self, running: ExitStack) -> None:
        running.enter_context(self.personalize)
        # The function finds the fake by the variable that botocore knows for any endpoint.
        endpoint = {"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": self.personalize.endpoint}
        self._tell("starting the AWS emulator and a stand-in for Personalize, on 127.0.0.1 only")
        self.emulator = running.enter_context(Emulator(endpoint | self._function_environment, port=self._port))
        self.client = self.emulator.client
        self.outputs = self.deploy()
        self._bucket = StoredFailures(self.client("s3"), self.outputs["BucketName"], self._tell)
        accepted = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.emulator.only_accepted().items()))
        self._tell(f"accepted, but not emulated: {accepted or 'none'}")
        mapping = EventSourceMapping(self.outputs["EventSourceMappingId"], self.client, self._pace)
        self.mapping = running.enter_context(mapping)
        cloudwatch = CloudWatch(self.client, self.outputs["LogGroupName"], mapping.counted)
        self.cloudwatch = running.enter_context(cloudwatch)

    def deploy(self) -> dict[str, str]:
        """Deploy the stack to the running emulator; returns its outputs."""
        self._tell("cdk bootstrap, cdk deploy")
        return self.emulator.deploy(self._context)

    @property
    def stack(self) -> str:
        """The name of the deployed stack."""
        return f"personalize-relay-{self._context['stage']}"

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.outputs["StreamName"]

    @property
    def bucket(self) -> str:
        """The name of the bucket for undelivered events."""
        return self._bucket.name

    @property
    def function(self) -> str:
        """The function's name with the alias that the event source mapping invokes."""
        return f"{self.outputs['FunctionName']}:{self.outputs['AliasName']}"

    @property
    def put_events_client(self) -> str:
        """The client with which the deployed function calls PutEvents."""
        deployed = self.client("lambda").get_function_configuration(FunctionName=self.function)
        return deployed["Environment"]["Variables"]["PUT_EVENTS_CLIENT"]

    def objects(self, prefix: str) -> dict[str, bytes]:
        """The bucket's objects under a prefix, by key."""
        return self._bucket.objects(prefix)

    def quarantine(self) -> Iterator[dict[str, Any]]:
        """The quarantined records, as docs/events.md describes them."""
        return self._bucket.quarantine()

    def quarantined(self) -> Counter[str]:
        """How many events are quarantined, by reason."""
        return Counter(str(each["reason"]) for line in self.quarantine() for each in line["rejected"])

    def filtered(self) -> Counter[str]:
        """How many payloads the payload mapping dropped, by rule, by the function's log."""
        settled = (json.loads(line) for line in self.log() if line.startswith("{") and '"filtered"' in line)
        return sum((Counter(line["filtered"]) for line in settled), Counter())

    def log(self) -> list[str]:
        """Every line that the function logged."""
        return self.emulator.logs(self.outputs["LogGroupName"])


def _architecture() -> str:
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        raise UnfitMachine(
            f"the local system runs the function's own package, so it needs Linux on {' or '.join(ARCHITECTURES)}; "
            f"this is {sys.platform} on {machine}"
        )
    return ARCHITECTURES[machine]
