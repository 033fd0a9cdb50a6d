"""What can be said of any number of keys in bounded memory: exactly of a few, approximately of many."""

from collections.abc import Callable, Iterable
from hashlib import blake2b


class KeySample[T]:
    """A part of all keys, chosen by their hash, with all that was ever seen of each.

    Up to `bound` keys it is all of them. Beyond, it is every second, fourth, eighth … of the distinct keys, however
    often each is seen, so that shares among the kept are shares among all, and counts times `scale` are counts of all.
    """

    def __init__(self, bound: int, new: Callable[[], T]) -> None:
        self.scale = 1
        """How many keys a kept one stands for; 1 while all are kept."""
        self._bound = bound
        self._new = new
        self._kept: dict[int, T] = {}

    def of(self, key: str) -> T | None:
        """What is known of a key, to be read and changed; None for one that isn't in the sample."""
        hashed = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
        if hashed % self.scale:
            return None
        known = self._kept.get(hashed)
        return self._add(hashed) if known is None else known

    def values(self) -> Iterable[T]:
        """What is known of each key that is kept."""
        return self._kept.values()

    def __len__(self) -> int:
        return len(self._kept)

    def _add(self, hashed: int) -> T:
        added = self._kept[hashed] = self._new()
        while len(self._kept) > self._bound:
            self.scale *= 2
            self._kept = {key: known for key, known in self._kept.items() if key % self.scale == 0}
        return added
