"""The file that a run can be resumed from."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from personalize_relay_cli.problems import Misuse, Problem
from personalize_relay_cli.sending.headway import FilePosition


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds, as JSON.

    The numbering of identical events is not in it: resuming reads what was sent once more, and numbers it anew. The
    first version had no unsettled payloads before a position, and is still read.
    """

    schema: Literal["personalize-relay.checkpoint/1", "personalize-relay.checkpoint/2"] = (
        "personalize-relay.checkpoint/2"
    )
    stream: str
    stamped: bool
    mapping: str = ""
    """The name of the mapping, if there is one."""
    files: list[FilePosition] = []


class Checkpoint:
    """A checkpoint file of one stream; `positions` has what it holds, by file, and what was saved since."""

    def __init__(self, path: Path, stream: str, *, stamped: bool, mapping: str = "") -> None:
        if not path.parent.is_dir():
            raise Misuse(f"{path}: can't be written: there is no folder {path.parent}")
        self._path = path
        self._stream = stream
        self._stamped = stamped
        self._mapping = mapping
        self.positions = {each.file: each for each in self._load().files}

    def save(self, positions: Iterable[FilePosition]) -> None:
        """Replace the file at once, or leave it as it is and raise Problem."""
        self.positions |= {each.file: each for each in positions}
        saved = self._saved(list(self.positions.values()))
        try:
            self._replace(msgspec.json.format(msgspec.json.encode(saved)) + b"\n")
        except OSError as exc:
            raise Problem(f"{self._path}: the checkpoint can't be written: {exc.strerror}") from exc

    def _replace(self, content: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123 - a handle, not a path
                file.write(content)
                file.flush()
                os.fsync(handle)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _load(self) -> Saved:
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=Saved)
        except FileNotFoundError:
            return self._saved([])
        except OSError as exc:
            raise Misuse(f"{self._path}: the checkpoint can't be read: {exc.strerror}") from exc
        except ValueError as exc:
            raise Misuse(f"{self._path}: is no checkpoint of `relay produce`: give another --checkpoint") from exc
        if saved.stream != self._stream:
            raise Misuse(f"{self._path}: is of the stream {saved.stream}: give another --checkpoint")
        if saved.stamped != self._stamped:
            raise Misuse(f"{self._path}: was begun {'without' if saved.stamped else 'with'} --no-stamp: go on so")
        if saved.mapping != self._mapping:
            raise Misuse(f"{self._path}: was begun with {_mapping(saved.mapping)}: go on so")
        return saved

    def _saved(self, files: list[FilePosition]) -> Saved:
        return Saved(stream=self._stream, stamped=self._stamped, mapping=self._mapping, files=files)


def _mapping(name: str) -> str:
    return f"--mapping {name}" if name else "no --mapping"
