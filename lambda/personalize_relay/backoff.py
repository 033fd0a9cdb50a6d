"""How long a request waits between its attempts: a second at most, since the pace is what protects the API.

A service that asks for more gets it, within LONGEST_RETRY_AFTER.
"""

FIRST_WAIT = 0.05
"""Seconds: the most that the first retry waits, doubled at each further one."""
LONGEST_WAIT = 1.0
WAIT_WHEN_THROTTLED = 0.5
"""Seconds: the same for each retry of a throttled call."""
LONGEST_RETRY_AFTER = 30.0
"""Seconds that a service may ask to wait."""


def longest_wait(failures: int, *, throttled: bool) -> float:
    """The most seconds to wait after so many failures of a request; full jitter draws from zero to it."""
    return WAIT_WHEN_THROTTLED if throttled else min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 30))
