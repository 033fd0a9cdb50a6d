"""How often the mapping may retry a batch: so often that the record age decides when it is given up."""

import math

from personalize_relay.deadline import LEAST_TIME_FOR_A_CALL
from personalize_relay.rest import FIRST, LONGEST

MOST = 10_000
"""What Lambda's MaximumRetryAttempts may be at most."""
WITHOUT_LIMIT = -1
"""What MaximumRetryAttempts is for retries until the record age."""
SHORT_RESTS = math.ceil(math.log2(LONGEST / FIRST))
"""A new sandbox's rests below the longest one: each is a report that comes early."""
SANDBOXES = 20
"""Sandboxes that a batch may meet at once: Lambda gives it to any one that is free."""
RENEWED = 600.0
"""Seconds after which each may have met a new one: far less than they live."""


def retry_attempts(*, max_record_age_seconds: int, timeout_seconds: int) -> int:
    """The mapping's MaximumRetryAttempts, from its record age and the function's timeout, both in seconds.

    A batch that nothing cures is reported once in `shortest_round` at most, but for the short rests of new sandboxes.
    Their margin has room, too, for the invocations that a batch of millions of events is taken on by, in parts. Where
    Lambda's 10,000 are too few, it is -1, for no limit. A function that crashes at once uses up its attempts before.
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    rounds = math.ceil(max_record_age_seconds / shortest_round(timeout_seconds))
    new_sandboxes = SANDBOXES + math.ceil(max_record_age_seconds / RENEWED)
    attempts = rounds + SHORT_RESTS * new_sandboxes
    return attempts if attempts <= MOST else WITHOUT_LIMIT


def shortest_round(timeout_seconds: int) -> float:
    """The least seconds between two reports of a batch that nothing cures: an invocation, or the rest at its end.

    An invocation keeps at most half of its time to settle in, and begins no call that it can't await.
    """
    return min(LONGEST, timeout_seconds / 2 - LEAST_TIME_FOR_A_CALL)
