"""Pack events as producers do, each way by means other than the relay's own code; KPL aggregates are local.kpl's."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Sequence

type Event = dict[str, object]

SEPARATORS = ["\n", "\r\n", "\n\n", ",", ", ", ",\n", "\\n", " ", ""]
"""What stands between several values of one text."""


def text(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def log_messages(data: Sequence[bytes]) -> bytes:
    """A CloudWatch Logs subscription message."""
    events = [{"id": str(index), "timestamp": 1, "message": each.decode()} for index, each in enumerate(data)]
    return text({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": events})


WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zlib": zlib.compress,
    "base64": base64.b64encode,
    "string": lambda data: json.dumps(data.decode()).encode(),
}
"""Layers that hold one thing; base64 and string once a record."""
