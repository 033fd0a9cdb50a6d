"""A stand-in for a Kinesis stream: takes so long for a PutRecords call, and so many records a second."""

import argparse
import asyncio
import base64
import json
import time
from collections import Counter
from typing import Any

from aiohttp import web

THROTTLED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}
TAKEN = {"ShardId": "shardId-000000000000", "SequenceNumber": "1"}
EVENTS_A_CALL = 10
"""Of PutEvents."""


class SlowStream:
    """Answers PutRecords after `latency` seconds; throttles what is beyond `records` a second."""

    def __init__(self, latency: float, records: float) -> None:
        self._latency = latency
        self._records = records
        self._room = records
        self._looked = time.monotonic()
        self._sizes: Counter[int] = Counter()
        """How many records were taken that hold so many events."""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a PutRecords call."""
        entries = json.loads(await request.read())["Records"]
        await asyncio.sleep(self._latency)
        now = time.monotonic()
        self._room = min(self._records, self._room + (now - self._looked) * self._records)
        self._looked = now
        taken = min(len(entries), int(self._room))
        self._room -= taken
        self._sizes.update(_events(entry) for entry in entries[:taken])
        answers = [TAKEN] * taken + [THROTTLED] * (len(entries) - taken)
        return web.json_response({"FailedRecordCount": len(entries) - taken, "Records": answers})

    async def seen(self, _request: web.Request) -> web.Response:
        """The records, and the PutEvents calls that they take if no two of a session meet in a batch; forgets them."""
        records = self._sizes.total()
        calls = sum(-(-size // EVENTS_A_CALL) * count for size, count in self._sizes.items())
        self._sizes.clear()
        return web.json_response({"records": records, "calls": calls})


def _events(entry: dict[str, Any]) -> int:
    return len(json.loads(base64.b64decode(entry["Data"])).get("eventList", [None]))


def main() -> None:
    """Serve on a free port of 127.0.0.1, which is printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("latency", type=float)
    parser.add_argument("records", type=float)
    asked = parser.parse_args()
    stream = SlowStream(asked.latency, asked.records)
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.add_routes([web.post("/", stream.answer), web.get("/seen", stream.seen)])
    asyncio.run(_serve(app))


async def _serve(app: web.Application) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - it is read by who started this
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
