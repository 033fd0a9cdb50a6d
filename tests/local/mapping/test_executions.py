"""How many executions ran at once is told once, and only when nothing can change it any more."""

from local.mapping.executions import Executions


def run(*spans: tuple[float, float]) -> Executions:
    executions = Executions()
    for began, _ in spans:
        executions.begin(began)
    for began, ended in spans:
        executions.end(began, ended, ran=True)
    return executions


def test_those_that_overlap_are_counted_together() -> None:
    executions = run((1, 5), (2, 3), (3, 4), (6, 7))
    assert sorted(executions.take(10)) == [(1, 1), (2, 2), (3, 2), (6, 1)]
    assert executions.take(11) == []


def test_one_waits_for_an_earlier_attempt_and_counts_it() -> None:
    executions = Executions()
    executions.begin(1)
    executions.begin(2)
    executions.end(2, 3, ran=True)
    assert executions.take(4) == []
    executions.end(1, 5, ran=True)
    assert sorted(executions.take(6)) == [(1, 1), (2, 2)]


def test_what_is_over_still_counts_for_one_that_began_meanwhile() -> None:
    executions = Executions()
    executions.begin(1)
    executions.begin(4)
    executions.end(1, 5, ran=True)
    assert executions.take(6) == [(1, 1)]
    executions.end(4, 7, ran=True)
    assert executions.take(8) == [(4, 2)]


def test_an_attempt_that_was_refused_is_no_execution() -> None:
    executions = Executions()
    executions.begin(1)
    executions.begin(2)
    executions.end(1, 9, ran=False)
    executions.end(2, 3, ran=True)
    assert executions.take(10) == [(2, 1)]
