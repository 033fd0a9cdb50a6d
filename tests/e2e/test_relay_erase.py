"""`relay failed erase` on the deployed relay: exactly a user's records are gone from the bucket, in every version."""

import base64
import json
import subprocess
import sys
from pathlib import Path

from local.demo.kpl import aggregate
from tests.e2e.conftest import PATIENCE, Relay
from tests.packing import text

RELAY = str(Path(sys.executable).with_name("relay"))


def held(relay: Relay) -> bytes:
    """The records' bytes in all versions of all objects."""
    s3, bucket = relay.system.client("s3"), relay.system.bucket
    found = b""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="quarantine/"):
        for each in page.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
            found += b"".join(base64.b64decode(json.loads(line)["data"]) + b"\n" for line in body.splitlines())
    return found


def test_exactly_the_users_records_are_erased_and_sent_by_no_redrive(relay: Relay) -> None:
    def bad(user: str, number: int) -> bytes:
        return text(relay.event(number, userId=user, itemId=f"canary-erasable-{number}", eventType=None))

    relay.put(
        bad("canary-u-7", 1),
        bad("canary-u-70", 2),
        bad("canary-u-7", 3).replace(b"u-7", b"u\\u002d7"),
        aggregate([bad("canary-u-7", 4), bad("canary-u-8", 5)]),
    )
    relay.settle()
    port = relay.system.emulator.endpoint.rpartition(":")[2]

    def erase(*words: str) -> tuple[dict[str, int], str]:
        where = ["--local", "--port", port, "--format", "json", "--user-id", "canary-u-7"]
        command = [RELAY, "failed", "erase", *where, *words]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 - our own command
        return json.loads(ended.stdout)["quarantined"], ended.stdout + ended.stderr

    before = held(relay)
    plan, said = erase()
    assert (plan["removed"], plan["cut"]) == (2, 1)
    assert "nothing was done. --yes does it" in said
    assert held(relay) == before

    done, also_said = erase("--yes")
    assert done == plan
    assert "canary" not in said + also_said
    left = held(relay)
    items = {number: f'"canary-erasable-{number}"'.encode() in left for number in range(1, 6)}
    assert items == {1: False, 2: True, 3: False, 4: False, 5: True}
    assert b'"canary-u-7"' not in left
    assert b"002d7" not in left
    assert erase("--yes")[0]["removed"] == 0
