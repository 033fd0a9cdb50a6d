"""What arrives is counted once, by the stream's own time."""

import pytest

from personalize_relay.demand import SHORTEST, Demand

BEGIN = 1_790_000_000.0


def stream(per_second: float, begin: float, end: float) -> list[float]:
    """When the calls of some seconds arrived, counted from BEGIN."""
    return [BEGIN + begin + n / per_second for n in range(round(per_second * (end - begin)))]


def demand(*batches: list[float]) -> Demand:
    seen = Demand()
    for batch in batches:
        seen.add(batch)
    return seen


def test_the_rate_is_of_a_second_of_the_streams_own_time() -> None:
    """However fast the batches follow: a function that works off a backlog sees hours in minutes."""
    batches = [stream(20, begin, begin + 15) for begin in range(0, 600, 15)]
    assert demand(*batches).rate == pytest.approx(20, rel=0.02)


def test_records_that_are_redelivered_are_not_counted_again() -> None:
    batch = stream(20, 0, 30)
    once, often = demand(batch), demand(*[batch] * 50)
    assert often.rate == once.rate


def test_of_a_batch_that_comes_again_with_more_behind_it_only_that_is_counted() -> None:
    whole = stream(20, 0, 60)
    assert demand(whole[:400], whole[200:800], whole[100:]).rate == pytest.approx(demand(whole).rate, rel=0.2)


def test_a_burst_is_spread_over_some_seconds() -> None:
    """It need not be sent as fast as it came."""
    assert demand([BEGIN] * 500).rate == 500 / SHORTEST


def test_a_burst_weighs_the_less_the_longer_the_stream_was_quiet_before() -> None:
    quiet = stream(1, 0, 60)
    assert demand(quiet, [BEGIN + 60] * 500).rate < 500 / SHORTEST / 2


def test_a_pause_says_little_of_what_arrives_after_it() -> None:
    """A night without events must not make the morning's look few."""
    morning = [stream(20, 28_800 + begin, 28_801 + begin) for begin in range(60)]
    assert demand(stream(20, 0, 60), *morning).rate > 15


def test_what_was_minutes_ago_is_forgotten() -> None:
    busy = [stream(100, begin, begin + 10) for begin in range(0, 100, 10)]
    calm = [stream(2, begin, begin + 10) for begin in range(100, 500, 10)]
    assert demand(*busy).rate == pytest.approx(100, rel=0.05)
    assert demand(*busy, *calm).rate == pytest.approx(2, rel=0.2)


def test_nothing_is_known_before_a_second_of_the_stream_was_seen() -> None:
    assert not demand().known
    assert not demand(stream(100, 0, 0.9)).known
    assert demand(stream(100, 0, 1.2)).known


def test_batches_out_of_order_change_no_time() -> None:
    """Another shard of the same sandbox may be behind."""
    ahead, behind = stream(20, 100, 130), stream(20, 0, 30)
    assert demand(ahead, behind).rate == demand(ahead).rate


def test_its_repr_says_the_rate_and_over_how_long() -> None:
    assert repr(demand([BEGIN, BEGIN + 10])) == "<Demand 0.1 calls/s over 10 s>"
