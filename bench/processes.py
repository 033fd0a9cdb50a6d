"""The bench's processes: a server and its contestants, each on a core of its own where there are two."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import IO

import msgspec

from bench.contestants import CONTESTANTS, Measured
from bench.server import Tally
from bench.workloads import Workload
from local.emulator.certificate import make_certificate

ROOT = Path(__file__).parents[1]
LONGEST_START = 30.0
"""Seconds that the server may take to answer for the first time."""


class Server:
    """The stand-in for PutEvents, as its contestants and the bench see it."""

    def __init__(self, port: int, certificate: Path) -> None:
        _wait_for(port)
        self.endpoint = f"https://127.0.0.1:{port}"
        self.certificate = certificate
        self._connection = HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=certificate))

    def tally(self) -> Tally:
        """What arrived since the last tally."""
        self._connection.request("GET", "/")
        with self._connection.getresponse() as response:
            return msgspec.json.decode(response.read(), type=Tally)

    def close(self) -> None:
        """Close the bench's own connection."""
        self._connection.close()


class Runner:
    """A contestant under way."""

    def __init__(self, name: str, process: subprocess.Popen[str], workload: Workload) -> None:
        self.name = name
        self._process = process
        self._send(msgspec.json.encode(workload).decode())

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def invoke(self) -> Measured:
        """Have it make one invocation."""
        self._send("invoke")
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise RuntimeError(f"the contestant ended with status {self._process.wait()}")
        return msgspec.json.decode(line, type=Measured)

    def _send(self, line: str) -> None:
        print(line, file=_pipe(self._process.stdin), flush=True)


@contextmanager
def served(latency: float) -> Iterator[Server]:
    """A server on loopback, on a port of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        certificate, key = make_certificate(folder)
        port = _free_port()
        words = ["-m", "bench.server", str(port), str(certificate), str(key), str(latency)]
        stack.enter_context(_python(words, environment(), core=-1))
        server = Server(port, certificate)
        stack.callback(server.close)
        yield server


@contextmanager
def running(name: str, workload: Workload, server: Server) -> Iterator[Runner]:
    """A contestant's process, its handler not built yet."""
    settings = {
        "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": server.endpoint,
        "AWS_CA_BUNDLE": str(server.certificate),
        "MAX_IN_FLIGHT": str(workload.in_flight),
        "PUT_EVENTS_CLIENT": CONTESTANTS[name].put_events_client or "curl",
    }
    with _python(["-m", "bench.contestants", name], environment(**settings), core=0) as process:
        yield Runner(name, process, workload)


def environment(**settings: str) -> dict[str, str]:
    """What Lambda would set, and nothing of this machine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "lambda"), str(ROOT)]),
        "TRACKING_ID": "tracker",
        "QUARANTINE_BUCKET": "none",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        **settings,
    }


@contextmanager
def _python(words: list[str], variables: dict[str, str], core: int) -> Iterator[subprocess.Popen[str]]:
    """A process that ends when its standard input does; `core` is an index of the cores there are."""
    cores = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, *words], cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(process.pid, {cores[core]})
    try:
        yield process
    finally:
        process.communicate()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe  # noqa: S101 - for the type checker: it was asked for
    return pipe


def _wait_for(port: int) -> None:
    """Return once something listens on the port."""
    until = monotonic() + LONGEST_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if monotonic() > until:
                raise
            sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
