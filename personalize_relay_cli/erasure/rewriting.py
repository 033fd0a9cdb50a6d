"""An object of the bucket without what goes: all else in it stays byte for byte, or as JSON reads it."""

import json
from collections.abc import Mapping
from typing import Any

from personalize_relay_cli.erasure.remainder import Remainder
from personalize_relay_cli.recovery.stored import ON_FAILURE


def rewritten(key: str, body: bytes, remainders: Mapping[int, Remainder]) -> bytes | None:
    """The object's new body; None where nothing is left of it. `remainders` are by a record's line or place, from 1."""
    return _batch(body, remainders) if key.startswith(ON_FAILURE) else _lines(body, remainders)


def _lines(body: bytes, remainders: Mapping[int, Remainder]) -> bytes | None:
    lines = [_line(line, remainders.get(number)) for number, line in enumerate(body.splitlines(), 1)]
    return b"".join(line + b"\n" for line in lines if line is not None) or None


def _line(line: bytes, remainder: Remainder | None) -> bytes | None:
    if remainder is None:
        return line
    if remainder.data is None:
        return None
    read = json.loads(line)
    rejected = [each for each, stays in zip(read["rejected"], remainder.causes, strict=True) if stays]
    source = read["source"] | {"partitionKey": remainder.partition_key}
    left = {"reason": rejected[0]["reason"], "source": source, "rejected": rejected, "data": remainder.data}
    return _compact(read | left).encode()


def _batch(body: bytes, remainders: Mapping[int, Remainder]) -> bytes | None:
    document = json.loads(body)
    batch = json.loads(document["payload"])
    kept = [_record(each, remainders.get(number)) for number, each in enumerate(batch["Records"], 1)]
    left = [each for each in kept if each is not None]
    if not left:
        return None
    document["payload"] = _compact(batch | {"Records": left})
    document["KinesisBatchInfo"]["batchSize"] -= len(kept) - len(left)
    return _compact(document).encode()


def _record(record: dict[str, Any], remainder: Remainder | None) -> dict[str, Any] | None:
    if remainder is None:
        return record
    if remainder.data is None:
        return None
    left = {"partitionKey": remainder.partition_key, "data": remainder.data}
    return record | {"kinesis": record["kinesis"] | left}


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
