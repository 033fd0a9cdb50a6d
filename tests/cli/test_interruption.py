"""Ctrl-C asked for once is a wish, asked for twice ends all; SIGTERM counts as Ctrl-C."""

import signal

import pytest

from personalize_relay_cli.sending.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_time_what_is_at_work_goes_on_and_hears_of_it(number: signal.Signals) -> None:
    with Interruption() as interruption:
        assert not interruption.is_asked()
        signal.raise_signal(number)
        assert interruption.is_asked()


def test_the_second_time_all_ends() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.is_asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_signals_do_what_they_did() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
