"""How much memory the function's process has held: Lambda tells nobody but its log."""

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_megabytes(status: Path = STATUS) -> int | None:
    """The most that the process has held since it began, in MiB, as Linux writes it in proc(5); None where it doesn't.

    Not getrusage: its figure begins with that of the process that started this one.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), None)
