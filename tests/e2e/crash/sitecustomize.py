"""Makes a function's process die of a record that says so; Python loads this at its start, where PYTHONPATH names it.

It stands for whatever kills a process from within, past every `except`: a fault in a C library, say, or memory.
"""

import binascii
import os

MARKER = b"kill-this-process"

if "_LAMBDA_FUNCTION_ARN" in os.environ:  # in a function, not in the emulator around it
    _decode = binascii.a2b_base64

    def _decode_or_die(data: str, *, strict_mode: bool) -> bytes:
        decoded = _decode(data, strict_mode=strict_mode)
        if MARKER in decoded:
            os._exit(3)
        return decoded

    binascii.a2b_base64 = _decode_or_die  # type: ignore[assignment]  # only the product's own call is served
