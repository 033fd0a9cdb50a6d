"""What became of each payload that was read, and how far each file is settled."""

from collections import Counter, deque
from dataclasses import dataclass

import msgspec

MAX_OPEN = 50_000
"""Payloads from the first that is not settled to the last that was read."""
MAX_OPEN_BYTES = 64 * 1024 * 1024


class FilePosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file is settled: to one of its payloads, but for some before that."""

    file: str
    payloads: int
    """The number of the last payload that is settled, from 1."""
    line: int
    """The line that it begins on."""
    sha256: str
    """Over all payloads to that one: each is hashed behind the hash of those before it."""
    unsettled: list[int] = []
    """The numbers of those before it that are not settled."""


@dataclass(slots=True)
class Place:
    """One payload's place in its file."""

    file: str
    payloads: int
    line: int
    digest: bytes
    size: int
    """Bytes of its line."""
    settled: bool = False


class Headway:
    """Counts payloads as they are read and settled."""

    def __init__(self) -> None:
        self._open: deque[Place] = deque()
        self._open_bytes = 0
        self._furthest: dict[str, Place] = {}
        self.read = 0
        self.sent = 0
        self.events = 0
        """The events in what was sent."""
        self.reasons: Counter[str] = Counter()
        self.filtered = 0
        """The payloads of which a mapping drops all."""
        self.rules: Counter[str] = Counter()
        """What a mapping drops, by rule: of a line that holds several, too."""
        self.settled_bytes = 0
        """Of the lines that are settled, in this run or before."""

    @property
    def rejected(self) -> int:
        """How many payloads were not sent for what they hold."""
        return self.reasons.total()

    @property
    def settled(self) -> int:
        """How many payloads were sent, rejected or filtered."""
        return self.sent + self.rejected + self.filtered

    @property
    def left(self) -> int:
        """How many payloads were read and are not settled."""
        return self.read - self.settled

    @property
    def has_room(self) -> bool:
        """Whether another payload may be read."""
        return len(self._open) < MAX_OPEN and self._open_bytes < MAX_OPEN_BYTES

    def open(self, place: Place) -> None:
        """Note a payload as read."""
        self._open.append(place)
        self._open_bytes += place.size
        self.read += 1

    def skip(self, place: Place) -> None:
        """Note a payload as settled by an earlier run: in no other count."""
        self._settle(place)

    def send(self, place: Place) -> None:
        """Note a payload as taken by the stream."""
        self.sent += 1
        self._settle(place)

    def reject(self, place: Place, reason: str) -> None:
        """Note a payload as not to be sent."""
        self.reasons[reason] += 1
        self._settle(place)

    def filter(self, place: Place) -> None:
        """Note a payload as dropped by the mapping."""
        self.filtered += 1
        self._settle(place)

    def positions(self) -> list[FilePosition]:
        """How far the files are settled that were begun."""
        unsettled: dict[str, list[int]] = {}
        for place in self._open:
            furthest = self._furthest.get(place.file)
            if furthest and not place.settled and place.payloads < furthest.payloads:
                unsettled.setdefault(place.file, []).append(place.payloads)
        return [
            FilePosition(
                file=file,
                payloads=place.payloads,
                line=place.line,
                sha256=place.digest.hex(),
                unsettled=unsettled.get(file, []),
            )
            for file, place in self._furthest.items()
        ]

    def _settle(self, place: Place) -> None:
        place.settled = True
        self.settled_bytes += place.size
        furthest = self._furthest.get(place.file)
        if furthest is None or furthest.payloads < place.payloads:
            self._furthest[place.file] = place
        while self._open and self._open[0].settled:
            self._open_bytes -= self._open.popleft().size
