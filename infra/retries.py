"""How often Lambda may retry a batch: so often that the record age decides when Lambda gives it up."""

import math

from personalize_relay.deadline import LEAST_TIME_FOR_A_CALL
from personalize_relay.rest import FIRST, LONGEST

MOST = 10_000
"""The highest MaximumRetryAttempts that Lambda allows."""
WITHOUT_LIMIT = -1
"""The MaximumRetryAttempts that lets Lambda retry until the record age."""
SHORT_RESTS = math.ceil(math.log2(LONGEST / FIRST))
"""A new sandbox's rests that are shorter than the longest one: a report comes early after each of them."""
SANDBOXES = 20
"""Sandboxes that a batch may meet at once: Lambda uses any that is free."""
RENEWED = 600.0
"""Seconds after which a new sandbox may have replaced each of them: far less than sandboxes live."""


def retry_attempts(*, max_record_age_seconds: int, timeout_seconds: int) -> int:
    """The event source mapping's MaximumRetryAttempts, from its record age and the function's timeout, in seconds.

    The function reports a batch that nothing cures at most once in `shortest_round`, except after the short rests of
    new sandboxes. The margin for these also covers a batch of millions of events, which takes several invocations. If
    Lambda's 10,000 are too few, the result is -1, for no limit. A function that crashes at once uses up its attempts
    earlier.
    https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    """
    rounds = math.ceil(max_record_age_seconds / shortest_round(timeout_seconds))
    new_sandboxes = SANDBOXES + math.ceil(max_record_age_seconds / RENEWED)
    attempts = rounds + SHORT_RESTS * new_sandboxes
    return attempts if attempts <= MOST else WITHOUT_LIMIT


def shortest_round(timeout_seconds: int) -> float:
    """The fewest seconds between two reports of a batch that nothing cures: an invocation, or the rest at its end.

    An invocation keeps at most half of its time for settling, and begins no call that it can't wait for.
    """
    return min(LONGEST, timeout_seconds / 2 - LEAST_TIME_FOR_A_CALL)
