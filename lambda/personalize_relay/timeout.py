"""How long to wait for an answer: as long as the API usually takes, so that a hung call is soon tried again."""

from personalize_relay.clients import TIMEOUT

SHORTEST = 1.0
"""Seconds; RFC 6298's own."""


class Timeout:
    """The retransmission timeout of RFC 6298, in seconds: from mean and deviation of answers, doubled by each time-out.

    https://www.rfc-editor.org/rfc/rfc6298
    """

    def __init__(self) -> None:
        self._mean: float | None = None
        self._deviation = 0.0

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds(0):.1f} s>"

    def note(self, seconds: float) -> None:
        """Learn how long an answer took."""
        if self._mean is None:
            self._mean, self._deviation = seconds, seconds / 2
        else:
            self._deviation += (abs(seconds - self._mean) - self._deviation) / 4
            self._mean += (seconds - self._mean) / 8

    def seconds(self, timeouts: int) -> float:
        """The timeout of a request that has timed out so many times; TIMEOUT until the first answer comes."""
        if self._mean is None:
            return TIMEOUT
        return min(TIMEOUT, max(SHORTEST, self._mean + 4 * self._deviation) * 2.0**timeouts)
