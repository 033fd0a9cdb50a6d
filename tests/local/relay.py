"""A stream, a function and the mapping between them, as the tests of the mapping use them."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from local.emulator.emulator import Emulator

ROLE = "arn:aws:iam::000000000000:role/relay"

# Does to a record what the record says, and prints which it saw: {"n": 3, "fails": 2} is reported twice, then taken.
FUNCTION = """
import base64, collections, json, time
reported = collections.Counter()

def handler(event, context):
    failures, seen = [], []
    for record in event["Records"]:
        told = json.loads(base64.b64decode(record["kinesis"]["data"]))
        number = record["kinesis"]["sequenceNumber"]
        seen.append(told["n"])
        if told.get("raises"):
            print(json.dumps({"saw": seen}))
            raise ValueError("no payload in here")
        if told.get("hangs"):
            time.sleep(60)
        if reported[number] < told.get("fails", 0):
            reported[number] += 1
            failures.append({"itemIdentifier": number})
    print(json.dumps({"saw": seen}))
    return {"batchItemFailures": failures}
"""


@dataclass(frozen=True)
class Relay:
    """One stream and its function, both named `name`, and the mapping's UUID."""

    emulator: Emulator
    name: str
    mapping: str

    def put(self, *records: dict[str, Any], key: str = "k") -> None:
        """Write records to the stream, in order."""
        for record in records:
            self.emulator.client("kinesis").put_record(
                StreamName=self.name, Data=json.dumps(record).encode(), PartitionKey=key
            )

    def saw(self) -> list[list[int]]:
        """The records of each invocation of the function, by their `n`, in order."""
        lines = self.emulator.logs(f"/aws/lambda/{self.name}")
        return [json.loads(line)["saw"] for line in lines if line.startswith('{"saw"')]


def build(emulator: Emulator, name: str, settings: dict[str, Any], *, shards: int = 1, timeout: int = 10) -> Relay:
    """Make them; `settings` are the mapping's, as CreateEventSourceMapping takes them."""
    kinesis, functions = emulator.client("kinesis"), emulator.client("lambda")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    make_function(emulator, name, FUNCTION, timeout=timeout)
    usual: dict[str, Any] = {
        "FunctionName": name,
        "EventSourceArn": kinesis.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"],
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BatchSize": 10,
    }
    return Relay(emulator, name, functions.create_event_source_mapping(**(usual | settings))["UUID"])


def make_function(emulator: Emulator, name: str, code: str, *, timeout: int = 10) -> None:
    """Make a function of this source, whose `handler` is called."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    emulator.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Timeout=timeout,
        Code={"ZipFile": archive.getvalue()},
    )
