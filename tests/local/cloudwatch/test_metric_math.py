"""Metric math gives the values that CloudWatch gives, or says that it can't."""

import pytest

from local.cloudwatch.metric_math import UnknownExpression, compute

SERIES = {"delivered": {1.0: 90.0, 2.0: 80.0, 3.0: 5.0}, "calls": {1.0: 10.0, 2.0: 0.0, 4.0: 1.0}}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("delivered / calls", {1.0: 9.0}),
        ("delivered - calls", {1.0: 80.0, 2.0: 80.0}),
        ("100 * (calls + calls)", {1.0: 2000.0, 2.0: 0.0, 4.0: 200.0}),
        ("calls / 4", {1.0: 2.5, 2.0: 0.0, 4.0: 0.25}),
        ("calls", {1.0: 10.0, 2.0: 0.0, 4.0: 1.0}),
        ("FILL(calls, 7)", {1.0: 10.0, 2.0: 0.0, 3.0: 7, 4.0: 1.0}),
        ("IF(calls > 0, delivered / calls, 0)", {1.0: 9.0, 2.0: 0}),
        ("delivered >= 80", {1.0: True, 2.0: True, 3.0: False}),
    ],
)
def test_moments_without_all_values_have_none_and_nothing_is_divided_by_zero(
    expression: str, values: dict[float, float]
) -> None:
    assert compute(expression, SERIES) == values


def test_moments_that_are_asked_for_are_filled_where_no_series_has_any() -> None:
    assert compute("FILL(calls, 0) + 1", SERIES, [3.0, 4.0, 5.0]) == {3.0: 1, 4.0: 2, 5.0: 1}
    assert compute("calls", SERIES, [5.0]) == {}


@pytest.mark.parametrize(
    "expression",
    [
        "SEARCH('{AWS/Personalize}', 'Sum')",
        "calls ** 2",
        "retries / calls",
        "calls /",
        "FILL(calls, REPEAT)",
    ],
)
def test_what_is_not_computed_is_refused(expression: str) -> None:
    with pytest.raises(UnknownExpression):
        compute(expression, SERIES)


def test_it_is_refused_where_there_is_nothing_to_compute_it_of() -> None:
    """Or a graph would say that there is no data."""
    with pytest.raises(UnknownExpression):
        compute("SEARCH('{AWS/Personalize}', 'Sum')", {})
