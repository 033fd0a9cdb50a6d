"""How much memory the function's process has held: Lambda itself says so only in its log."""

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_megabytes(status: Path = STATUS) -> int | None:
    """The most memory that the process has held, in MiB, as Linux writes it in proc(5); None if it doesn't.

    getrusage won't do: its figure begins with that of the parent process.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), None)
