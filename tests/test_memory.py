"""The memory that the function reports is its own process's."""

import subprocess
import sys
from pathlib import Path

from personalize_relay.memory import peak_megabytes

PRINT = "from personalize_relay.memory import peak_megabytes; print(peak_megabytes())"
HOLD = "held = bytearray(300 << 20); del held; "
START = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PRINT!r}])"


def printed(program: str) -> int:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    return int(run.stdout)


def test_it_is_the_most_that_was_ever_held() -> None:
    assert 300 < printed(HOLD + PRINT) < 400


def test_it_holds_nothing_of_the_process_that_started_this_one() -> None:
    assert printed(HOLD + START) < 100


def test_where_linux_doesnt_tell_nothing_is_reported(tmp_path: Path) -> None:
    assert peak_megabytes(tmp_path / "status") is None
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert peak_megabytes(tmp_path / "status") is None
