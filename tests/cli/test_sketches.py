"""A sample is bounded, exact while it is small, and fair when it is not."""

from dataclasses import dataclass

import pytest

from personalize_relay_cli.checking.sketches import KeySample


@dataclass
class Tally:
    """How often a key was seen."""

    seen: int = 0


def sampled(keys: int, bound: int, times: int = 2) -> KeySample[Tally]:
    """A sample of so many keys, each seen some times, all of them before any again."""
    sample = KeySample(bound, Tally)
    for number in [*range(keys)] * times:
        if (tally := sample.of(f"key-{number}")) is not None:
            tally.seen += 1
    return sample


def test_up_to_its_bound_it_is_exact() -> None:
    sample = sampled(100, bound=100)
    assert (len(sample), sample.scale) == (100, 1)
    assert {tally.seen for tally in sample.values()} == {2}


@pytest.mark.parametrize("keys", [101, 1_000, 30_000])
def test_beyond_it_is_bounded_and_knows_all_that_was_seen_of_what_it_keeps(keys: int) -> None:
    sample = sampled(keys, bound=100)
    assert 0 < len(sample) <= 100
    assert {tally.seen for tally in sample.values()} == {2}


def test_counts_and_shares_are_those_of_all_keys_nearly() -> None:
    sample = KeySample(4_096, Tally)
    for number in range(100_000):
        for _ in range(1 + (number % 4 == 0) * 9):  # every fourth key ten times
            if (tally := sample.of(f"key-{number}")) is not None:
                tally.seen += 1
    assert len(sample) * sample.scale == pytest.approx(100_000, rel=0.1)
    often = sum(tally.seen == 10 for tally in sample.values())
    assert often / len(sample) == pytest.approx(0.25, rel=0.1)


def test_it_is_the_same_sample_each_time() -> None:
    one, other = sampled(1_000, bound=100), sampled(1_000, bound=100)
    kept = [f"key-{n}" for n in range(1_000) if one.of(f"key-{n}") is not None]
    assert kept == [f"key-{n}" for n in range(1_000) if other.of(f"key-{n}") is not None]
