"""AWS on this machine: ministack as a child process, which never sees this machine's AWS setup."""

import contextlib
import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from local.emulator import guard
from local.emulator.cdk import PROJECT, Cdk
from local.emulator.clients import ACCOUNT, CREDENTIALS, REGION, ClientFactory, client_factory

HOST = "127.0.0.1"
# Run, never imported: it brings the whole emulator along.
_SERVER = Path(__file__).with_name("ministack_server.py")
_READY_SECONDS = 30.0
_READY_PAUSE = 0.02
_LINES_SHOWN = 20
_NOT_EMULATED = "not-emulated-"  # as in ministack_server.py, which can't be imported


class EmulatorError(Exception):
    """The emulator did not start or has ended; the message ends with what it printed last."""


class Emulator:
    """The emulator while the `with` block runs; afterwards, no process, port or file of it is left.

    Every function inherits `function_environment`, for instance AWS_ENDPOINT_URL_PERSONALIZE_EVENTS. `port` 0 takes a
    free one. Raises EmulatorError if the emulator can't start. If this process ends, even by SIGKILL, the emulator
    ends, too.
    """

    def __init__(self, function_environment: Mapping[str, str] | None = None, *, port: int = 0) -> None:
        self._function_environment = dict(function_environment or {})
        self._port = port or _free_port()
        self._folder = Path()
        self._guard: subprocess.Popen[bytes] | None = None
        self.endpoint = f"http://{HOST}:{self._port}"
        self.client: ClientFactory = client_factory(self.endpoint)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the emulator, and return once it answers."""
        if _taken(self._port):
            another = f'make local ARGS="--port {self._port + 1}"'
            raise EmulatorError(f"port {self._port} is taken: stop what listens there, or choose another: {another}")
        self._folder = Path(tempfile.mkdtemp(prefix="personalize-relay-"))
        python = (sys.executable, "-P")  # this folder's modules must not stand before the emulator's
        self._guard = subprocess.Popen(  # noqa: S603 -- words of this module's own, never a user's
            [*python, guard.__file__, self._folder, *python, _SERVER],
            env=self._environment(),
            stdin=subprocess.PIPE,
            # Ctrl-C in a terminal is for the owner, who may still need the emulator while winding up.
            start_new_session=True,
        )
        try:
            self._wait_until_ready(self._guard)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the emulator with everything that it started, and delete its files; harmless if it isn't running."""
        if self._guard is None:
            return
        self._guard.communicate()
        self._guard = None
        # If the emulator ended by itself, its folder is still there.
        shutil.rmtree(self._folder, ignore_errors=True)

    def deploy(self, context: Mapping[str, str], stack: str | None = None, project: Path = PROJECT) -> dict[str, str]:
        """Deploy the CDK app of `project` with these context values; returns the stack's outputs.

        Without `stack`, the app has only one. Raises local.emulator.cdk.DeployError.
        """
        folder = self._folder / "cdk"
        folder.mkdir(exist_ok=True)
        return Cdk(self.endpoint, folder, project).deploy(stack, context)

    def only_accepted(self) -> Counter[str]:
        """The kinds of resources in the deployed stacks that the emulator doesn't emulate, with their number."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack["StackName"] for page in pages for stack in page["Stacks"]]
        return Counter(kind for stack in stacks for kind in self._only_accepted(stack))

    def _only_accepted(self, stack: str) -> Iterator[str]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            if resource.get("PhysicalResourceId", "").startswith(_NOT_EMULATED):
                yield resource["ResourceType"]

    def logs(self, group: str) -> list[str]:
        """Every line in a log group, oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]

    def _environment(self) -> dict[str, str]:
        """The whole environment of the emulator; every function inherits all of it."""
        return CREDENTIALS | {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "GATEWAY_PORT": str(self._port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            **self._function_environment,
        }

    def _wait_until_ready(self, running: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not _answers(self._port):
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise EmulatorError(self._failure(f"ended with status {running.wait(_READY_PAUSE)}"))
            if time.monotonic() > deadline:
                raise EmulatorError(self._failure("gave no answer"))

    def _failure(self, what: str) -> str:
        output = self._folder / guard.OUTPUT
        printed = output.read_text(errors="replace") if output.exists() else ""
        last = "\n".join(printed.splitlines()[-_LINES_SHOWN:])
        return f"the AWS emulator {what}, port {self._port}; its last lines say why:\n{last}"


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
