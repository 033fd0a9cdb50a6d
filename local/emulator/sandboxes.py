"""Corrects the emulator's sandboxes, each of which is a process with the function's code in a folder of its own.

- Each unpacked the function's archive, over a thousand files. Now they link to the files of the first that did, in a
  fraction of the time; a function can't tell, as it never writes to them.
- What a function logs within 50 ms of its answer was kept, and the rest came with the next invocation, if one came. On
  a busy machine that is the line that tells what became of the batch. Now the emulator waits for it longer.
"""

import hashlib
import os
import shutil
import tempfile
import threading
import types
import zipfile
from functools import partialmethod
from pathlib import Path

LOG_WAIT = 1.0
"""The most seconds to wait for the first line of an invocation that may have logged nothing."""
LOG_PAUSE = 0.01
"""Seconds without another line after which an invocation has logged all."""


class LinkingArchive(zipfile.ZipFile):
    """An archive that unpacks all its files into a folder by links to those of the first such folder."""

    _lock = threading.Lock()
    _unpacked: dict[str, Path] = {}  # noqa: RUF012 - shared, as the emulator makes an archive a sandbox

    def extractall(self, path: object = None, *_args: object, **_kwargs: object) -> None:
        """Fill a folder."""
        shutil.copytree(self._once(), str(path), copy_function=os.link, dirs_exist_ok=True)

    def _once(self) -> Path:
        members = [(each.filename, each.CRC, each.file_size, each.external_attr) for each in self.infolist()]
        content = hashlib.sha256(repr(members).encode()).hexdigest()
        with self._lock:
            if content not in self._unpacked:
                folder = Path(tempfile.mkdtemp(prefix="unpacked-"))
                super().extractall(folder)
                self._unpacked[content] = folder
            return self._unpacked[content]


def mend() -> None:
    """Correct them in this process, the emulator's."""
    # Only the emulator's own process should load it. It ships no types.
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]  # noqa: PLC0415

    lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": LinkingArchive})
    lambda_runtime.Worker._drain_stderr_bounded = partialmethod(  # noqa: SLF001 -- it has no setting
        lambda_runtime.Worker._drain_stderr_bounded,  # noqa: SLF001
        first_line_wait=LOG_WAIT,
        hard_cap=LOG_WAIT,
        idle_confirm=LOG_PAUSE,
    )
