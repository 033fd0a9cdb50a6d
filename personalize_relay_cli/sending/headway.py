"""What became of each payload that was read, and how far everything before is settled."""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

MAX_OPEN = 50_000
"""Payloads from the first that is not settled to the last that was read."""
MAX_OPEN_BYTES = 64 * 1024 * 1024


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file is settled."""

    file: str
    payloads: int
    line: int
    """The line that the last of them begins on."""
    offset: int
    """Where in the uncompressed file that is; 0 but in JSON Lines."""
    sha256: str
    """Over all of them: each payload is hashed behind the hash of those before it."""


@dataclass(slots=True)
class Place:
    """One payload's place in its file."""

    file: str
    payloads: int
    line: int
    offset: int
    digest: bytes
    size: int
    settled: bool = False

    @property
    def position(self) -> Position:
        """The place as the point up to which its file is settled."""
        return Position(
            file=self.file, payloads=self.payloads, line=self.line, offset=self.offset, sha256=self.digest.hex()
        )


class Headway:
    """Counts payloads as they are read and settled; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: deque[Place] = deque()
        self._open_bytes = 0
        self._last: dict[str, Place] = {}
        self.read = 0
        self.sent = 0
        self.events = 0
        """The events in what was sent."""
        self.reasons: Counter[str] = Counter()
        self.filtered = 0
        """The payloads of which a mapping drops all."""
        self.rules: Counter[str] = Counter()
        """What a mapping drops, by rule: of a line that holds several, too."""
        self.settled: Place | None = None
        """The last payload before which all are settled, as is it."""

    @property
    def rejected(self) -> int:
        """How many payloads were not sent for what they hold."""
        return self.reasons.total()

    @property
    def left(self) -> int:
        """How many payloads were read and are neither sent, rejected nor filtered."""
        return self.read - self.sent - self.rejected - self.filtered

    @property
    def has_room(self) -> bool:
        """Whether another payload may be read."""
        return len(self._open) < MAX_OPEN and self._open_bytes < MAX_OPEN_BYTES

    def open(self, place: Place) -> None:
        """Note a payload as read."""
        with self._lock:
            self._open.append(place)
            self._open_bytes += place.size
            self.read += 1

    def send(self, places: Sequence[tuple[Place, int]]) -> None:
        """Note payloads as taken by the stream, each with the number of its events."""
        with self._lock:
            for place, events in places:
                self.sent += 1
                self.events += events
                self._settle(place)

    def reject(self, place: Place, reason: str) -> None:
        """Note a payload as not to be sent."""
        with self._lock:
            self.reasons[reason] += 1
            self._settle(place)

    def filter(self, place: Place) -> None:
        """Note a payload as dropped by the mapping."""
        with self._lock:
            self.filtered += 1
            self._settle(place)

    def positions(self) -> list[Position]:
        """How far the files are settled that were begun."""
        with self._lock:
            return [each.position for each in self._last.values()]

    def _settle(self, place: Place) -> None:
        place.settled = True
        self._open_bytes -= place.size
        while self._open and self._open[0].settled:
            self.settled = self._open.popleft()
            self._last[self.settled.file] = self.settled
