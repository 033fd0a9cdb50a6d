"""How long a request waits between its attempts."""

FIRST_WAIT = 0.05
"""Seconds: the most that the first retry waits, doubled at each further one."""
FIRST_WAIT_THROTTLED = 0.5
LONGEST_WAIT = 5.0


def longest_wait(failures: int, *, throttled: bool) -> float:
    """The most seconds to wait after so many failures of a request; full jitter draws from zero to it."""
    return min(LONGEST_WAIT, (FIRST_WAIT_THROTTLED if throttled else FIRST_WAIT) * 2.0 ** (failures - 1))
