"""Ctrl-C as a wish to end well: asked for once, what is under way ends; asked for twice, all ends at once."""

import signal
from collections.abc import Iterator
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Listens in a `with` block, in the main thread."""

    def __init__(self) -> None:
        self._asked = False
        self._may_raise = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(self, *_exc_info: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def is_asked(self) -> bool:
        """Whether it is time to end."""
        return self._asked

    def each[T](self, values: Iterator[T]) -> Iterator[T]:
        """The values until it is time to end, also where the next one is still waited for, as in a pipe."""
        while True:
            self._may_raise = True
            try:
                if self._asked:
                    return
                value = next(values)
            except (KeyboardInterrupt, StopIteration):
                return
            finally:
                self._may_raise = False
            yield value

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        again, self._asked = self._asked, True
        if again or self._may_raise:
            raise KeyboardInterrupt
