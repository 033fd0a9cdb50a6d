"""Runs one command that cannot outlive its owner: `python guard.py FOLDER COMMAND...`.

The owner holds the guard's standard input open. When that closes, on purpose or because the owner died, even by
SIGKILL, the guard kills the command's whole process group and deletes FOLDER. If the command ends by itself, the guard
kills whatever the command has started and ends with the same status; FOLDER then stays, so that the owner can read
FOLDER/output.log. The guard imports only the standard library, so it starts at once.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

OUTPUT = "output.log"


def guard(folder: Path, command: list[str]) -> int:
    """Run `command` until it ends or standard input closes; leave no process of it, and return its status."""
    with (folder / OUTPUT).open("wb") as output:
        # Its own process group contains everything that it starts, and keeps a terminal's Ctrl-C away from it.
        child = subprocess.Popen(  # noqa: S603 -- the owner's command, not a user's
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0
        )
    released = threading.Event()
    threading.Thread(target=_wait_for_owner, args=(child.pid, released), daemon=True).start()
    status = child.wait()
    _kill_group(child.pid)
    if released.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return status


def _wait_for_owner(group: int, released: threading.Event) -> None:
    # Not sys.stdin: this thread would hold its lock, and the interpreter would crash at its end.
    os.read(0, 1)
    released.set()
    _kill_group(group)


def _kill_group(group: int) -> None:
    # SIGKILL, because nothing that the command holds is worth saving.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), sys.argv[2:]))
