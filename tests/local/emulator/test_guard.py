"""The guard: its command ends with its owner, and takes along what it had started."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import guard

SOON = 20.0

# Starts a process that would go on, tells of it, and ends.
LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
sys.exit(3)
"""


def started(folder: Path, code: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, guard.__file__, str(folder), sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 -- this file's own words


@pytest.mark.skipif(sys.platform != "linux", reason="the end of a foreign process can be waited for on Linux only")
def test_a_command_that_ends_takes_its_children_along(tmp_path: Path) -> None:
    """Its status is passed on and its output kept, but no process of its group stays."""
    with started(tmp_path, LEAVES_A_CHILD) as guarding:
        assert guarding.wait(SOON) == 3
    child = int((tmp_path / guard.OUTPUT).read_text())
    try:
        watched = os.pidfd_open(child)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], SOON)[0]
    finally:
        os.close(watched)


def test_closing_its_input_ends_the_command_and_deletes_its_folder(tmp_path: Path) -> None:
    """The owner need only let go."""
    folder = tmp_path / "own"
    folder.mkdir()
    with started(folder, "import time; time.sleep(600)") as guarding:
        guarding.communicate(timeout=SOON)
    assert not folder.exists()
