"""Ctrl-C asked for once ends the reading, asked for twice ends all; SIGTERM counts as Ctrl-C."""

import signal
import threading
from collections.abc import Iterator

import pytest

from personalize_relay_cli.sending.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_waits_for_input_is_interrupted(number: signal.Signals) -> None:
    def silent_pipe() -> Iterator[int]:
        yield 1
        signal.raise_signal(number)
        threading.Event().wait()

    with Interruption() as interruption:
        assert list(interruption.each(silent_pipe())) == [1]
        assert interruption.is_asked()


def test_what_is_at_work_is_not_interrupted_but_reads_nothing_more() -> None:
    worked_on = []
    with Interruption() as interruption:
        for each in interruption.each(iter([1, 2])):
            signal.raise_signal(signal.SIGINT)
            worked_on.append(each)
    assert worked_on == [1]


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
