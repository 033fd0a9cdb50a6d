"""The record age decides when a batch is given up, never the attempts."""

import itertools

import botocore.session
import pytest

from infra.allowed import RULES
from infra.retries import MOST, WITHOUT_LIMIT, retry_attempts, shortest_round
from local.mapping.settings import MappingSettings
from personalize_relay.deadline import LEAST_TIME_FOR_A_CALL, Deadline
from personalize_relay.rest import LONGEST, Rest

AGES = (60, 3600, 43_200, 86_400, 604_800)
"""Seconds: the least record age that may be set, the default, and Lambda's greatest."""
TIMEOUTS = (10, 11, 12, 13, 30, 59, 60, 61, 300, 900)


def test_the_extremes_are_those_of_the_settings() -> None:
    for name, extremes in {
        "maxRecordAgeMinutes": (AGES[0] // 60, AGES[-1] // 60),
        "timeoutSeconds": (TIMEOUTS[0], TIMEOUTS[-1]),
    }.items():
        for value in extremes:
            assert RULES[name].read(str(value)) == value
        assert RULES[name].says == f"a whole number from {extremes[0]} to {extremes[1]}"


def test_lambda_takes_what_may_come_of_it() -> None:
    model = botocore.session.get_session().get_service_model("lambda")
    allowed = model.shape_for("MaximumRetryAttemptsEventSourceMapping").metadata
    assert (allowed["min"], allowed["max"]) == (WITHOUT_LIMIT, MOST)


@pytest.mark.parametrize(("age", "timeout"), [*itertools.product(AGES, TIMEOUTS)])
def test_attempts_outlast_the_age(age: int, timeout: int) -> None:
    attempts = retry_attempts(max_record_age_seconds=age, timeout_seconds=timeout)
    assert attempts == WITHOUT_LIMIT or age / shortest_round(timeout) < attempts <= MOST


@pytest.mark.parametrize("timeout", TIMEOUTS)
def test_a_round_is_no_longer_than_an_invocation_that_tries_to_its_end(timeout: int) -> None:
    """Whether it has something to quarantine or not."""
    for quarantining in (True, False):
        deadline = Deadline(now=0.0, end=timeout, quarantining=quarantining)
        assert shortest_round(timeout) <= deadline.at - LEAST_TIME_FOR_A_CALL


def test_new_sandboxes_are_allowed_for() -> None:
    """As many as there are in 12 hours with one every ten minutes, each of which rests briefly at first."""
    reports, clock = 0, 0.0
    for beginning in range(0, 43_200, 600):
        rest = Rest()
        clock = max(clock, beginning)
        while clock < beginning + 600:
            rest.begin(clock, clock)
            clock = rest.over
            reports += 1
    assert reports > 43_200 / LONGEST
    assert reports < retry_attempts(max_record_age_seconds=43_200, timeout_seconds=900)


def test_the_local_mapping_reads_no_limit_as_none() -> None:
    attempts = retry_attempts(max_record_age_seconds=604_800, timeout_seconds=60)
    mapping = {"UUID": "1", "EventSourceArn": "stream", "FunctionArn": "function", "MaximumRetryAttempts": attempts}
    assert attempts == WITHOUT_LIMIT
    assert MappingSettings.from_api(mapping).max_retries is None  # type: ignore[arg-type]
