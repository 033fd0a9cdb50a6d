"""Runs one command that cannot outlive its owner: `python guard.py FOLDER COMMAND...`.

The owner holds the guard's standard input open. When that closes, on purpose or because the owner died of anything
at all, SIGKILL included, the command's whole process group is killed and FOLDER is deleted. A command that ends by
itself ends the guard, with its status and with whatever it had started; FOLDER stays then, for the owner to read
FOLDER/output.log. Standard library only, so that it starts at once.
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
    """Run `command` until it ends or standard input closes, and leave no process of it; returns its status."""
    with (folder / OUTPUT).open("wb") as output:
        # Its own process group holds whatever it starts in turn, and keeps a terminal's Ctrl-C from it.
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
    # Not sys.stdin: its lock, held here, would make the interpreter's own end a crash.
    os.read(0, 1)
    released.set()
    _kill_group(group)


def _kill_group(group: int) -> None:
    # Killed outright: all the command knows is meant to end with it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(guard(Path(sys.argv[1]), sys.argv[2:]))
