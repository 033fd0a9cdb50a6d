"""How long to wait for an answer: by what the API usually takes, so that a hung call is soon tried again."""

from personalize_relay.clients import TIMEOUT

SHORTEST = 1.0
"""Seconds; RFC 6298's own."""


class Timeout:
    """The retransmission timeout of RFC 6298, in seconds: mean and deviation of what answers take, doubled a time-out.

    https://www.rfc-editor.org/rfc/rfc6298
    """

    def __init__(self) -> None:
        self._mean: float | None = None
        self._deviation = 0.0

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds(0):.1f} s>"

    def note(self, seconds: float) -> None:
        """Take in how long an answer took."""
        if self._mean is None:
            self._mean, self._deviation = seconds, seconds / 2
        else:
            self._deviation += (abs(seconds - self._mean) - self._deviation) / 4
            self._mean += (seconds - self._mean) / 8

    def seconds(self, timeouts: int) -> float:
        """For a request that has timed out so many times; TIMEOUT until an answer has come."""
        if self._mean is None:
            return TIMEOUT
        return min(TIMEOUT, max(SHORTEST, self._mean + 4 * self._deviation) * 2.0**timeouts)
