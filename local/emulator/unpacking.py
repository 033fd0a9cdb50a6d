"""Unpack a function's archive once for all its sandboxes.

A sandbox has a folder of its own with the function's code, over a thousand files. They are linked into it from the
first such folder, in a fraction of the time that unpacking them takes; a function can't tell, as it never writes to
them.
"""

import hashlib
import os
import shutil
import tempfile
import threading
import types
import zipfile
from pathlib import Path


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
    """Have the emulator's sandboxes unpack so."""
    # Only the emulator's own process should load it. It ships no types.
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]  # noqa: PLC0415

    lambda_runtime.zipfile = types.SimpleNamespace(**vars(zipfile) | {"ZipFile": LinkingArchive})
