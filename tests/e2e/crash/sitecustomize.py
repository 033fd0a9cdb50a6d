"""Makes a function's process die of a record that says so; Python loads this at its start, where PYTHONPATH names it.

It stands for whatever kills a process from within, past every `except`: a fault in a C library, say, or memory. The
process dies as it reads the invocation's event, whatever code would read the record.
"""

import base64
import json
import os
from typing import Any

MARKER = b"kill-this-process"

if "_LAMBDA_FUNCTION_ARN" in os.environ:  # in a function, not in the emulator around it
    _loads = json.loads

    def _loads_or_die(text: str | bytes, **options: Any) -> Any:  # noqa: ANN401 - JSON may be anything
        loaded = _loads(text, **options)
        event = loaded.get("event") if isinstance(loaded, dict) else None
        for record in event.get("Records", []) if isinstance(event, dict) else []:
            if MARKER in base64.b64decode(record["kinesis"]["data"]):
                os._exit(3)
        return loaded

    json.loads = _loads_or_die  # type: ignore[assignment]  # only the emulator's own call holds an invocation's event
