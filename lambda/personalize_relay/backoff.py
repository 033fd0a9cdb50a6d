"""How long a request waits between its attempts: a second at most, because the pace protects the API.

If a service asks for a longer wait, the request waits as long as that, up to LONGEST_RETRY_AFTER.
"""

FIRST_WAIT = 0.05
"""The most seconds that the first retry waits; each further retry doubles it."""
LONGEST_WAIT = 1.0
WAIT_WHEN_THROTTLED = 0.5
"""The most seconds that each retry of a throttled call waits."""
LONGEST_RETRY_AFTER = 30.0
"""The most seconds that a service may ask a request to wait."""


def longest_wait(failures: int, *, throttled: bool) -> float:
    """The most seconds to wait after so many failures of a request; full jitter draws a wait from zero to that."""
    return WAIT_WHEN_THROTTLED if throttled else min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 30))
