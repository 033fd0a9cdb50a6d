"""Ctrl-C as a wish to end well: asked for once, what is under way ends; asked for twice, all ends at once."""

import signal
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Listens in a `with` block, in the main thread."""

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in _SIGNALS}
        return self

    def __exit__(self, *_exc_info: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def is_asked(self) -> bool:
        """Whether it is time to end."""
        return self._asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        again, self._asked = self._asked, True
        if again:
            raise KeyboardInterrupt
