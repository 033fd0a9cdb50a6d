"""A stand-in for PutEvents that costs as little CPU a call as can be: it answers 200 after a set latency.

    python -m bench.server PORT CERTIFICATE KEY LATENCY

HTTP and TLS are Granian's. Bodies are kept unread; a GET counts them, outside of the time that is measured, and forgets
them. The server ends when its standard input does.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from granian._granian import RSGIHTTPProtocol
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.rsgi import Scope
from granian.server.embed import Server

LONGER_THAN_A_BENCH = 3_600_000
"""Milliseconds that an idle connection is kept: contestants wait for their turns."""


class Tally(msgspec.Struct, frozen=True):
    """What arrived since the last tally, and the server's own CPU time over that."""

    calls: int
    events: int
    distinct: int
    """Event ids among the events."""
    cpu: float


class Sink:
    """The application: takes every POST."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._bodies: list[bytes] = []
        self._counted = time.process_time()

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        """Answer one call."""
        if scope.method == "GET":
            protocol.response_bytes(200, [], msgspec.json.encode(self._tally()))
            return
        self._bodies.append(await protocol())
        await asyncio.sleep(self._latency)
        protocol.response_empty(200, [])

    def _tally(self) -> Tally:
        cpu = time.process_time() - self._counted
        ids = [event["eventId"] for body in self._bodies for event in msgspec.json.decode(body)["eventList"]]
        tally = Tally(calls=len(self._bodies), events=len(ids), distinct=len(set(ids)), cpu=cpu)
        self._bodies.clear()
        self._counted = time.process_time()
        return tally


async def serve(port: int, certificate: Path, key: Path, latency: float) -> None:
    """Serve on loopback until standard input ends."""
    server: Any = Server(
        Sink(latency),
        address="127.0.0.1",
        port=port,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=LONGER_THAN_A_BENCH),
        websockets=False,
        backlog=1024,
        log_enabled=False,
        ssl_cert=certificate,
        ssl_key=key,
    )
    asyncio.get_running_loop().add_reader(sys.stdin, server.stop)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])))
