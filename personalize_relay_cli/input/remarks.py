"""What there is to say of input files besides their payloads."""

from collections.abc import Callable
from dataclasses import dataclass

from personalize_relay_cli.input.opening import STANDARD_INPUT


def _keep_quiet(_said: str) -> None:
    pass


@dataclass(slots=True)
class Remarks:
    """Gathered while files are read."""

    say: Callable[[str], None] = _keep_quiet
    """Given a sentence, with the file's name, once for what a person should know of the file."""
    reveal: bool = False
    """Whether a sentence may hold names of the file's own."""
    blank: int = 0
    """Lines and rows that hold nothing."""
    empty: int = 0
    """Files that hold nothing, though something was to be expected of them."""

    def nothing_in(self, file: str, said: str) -> None:
        """Take note of a file without a payload; standard input may well be one, at the end of a filter."""
        if file != STANDARD_INPUT:
            self.empty += 1
            self.say(f"{file}: {said}: did its export fail?")
