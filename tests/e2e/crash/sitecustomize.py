"""Makes a function's process die of a record that says so; Python loads this at its start, where PYTHONPATH names it.

It stands for whatever kills a process from within, past every `except`: a fault in a C library, say, or memory.
"""

import base64
import os

MARKER = b"kill-this-process"

if "_LAMBDA_FUNCTION_ARN" in os.environ:  # in a function, not in the emulator around it
    _decode = base64.b64decode

    def _decode_or_die(data: str, *, validate: bool) -> bytes:
        decoded = _decode(data, validate=validate)
        if MARKER in decoded:
            os._exit(3)
        return decoded

    base64.b64decode = _decode_or_die  # type: ignore[assignment]  # only the product's own call is served
