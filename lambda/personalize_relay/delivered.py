"""What this sandbox has delivered of records that come again all the same."""

from collections.abc import Collection

from personalize_relay.events import Source

MOST_SHARDS = 4
"""Shards that are remembered: a sandbox may serve any of its stream's."""


class Delivered:
    """Remembers, by stream position, what PutEvents took of records that were reported to the mapping.

    A position never changes what it holds, so that what was taken needs no second call. It is forgotten as soon as the
    shard's checkpoint has passed it.
    """

    def __init__(self) -> None:
        self._by_shard: dict[str, set[Source]] = {}

    def __repr__(self) -> str:
        return f"<Delivered { ({shard: len(sources) for shard, sources in self._by_shard.items()}) }>"

    def all_of(self, shard: str, sources: Collection[Source]) -> bool:
        """Whether each of these was taken before."""
        return self._by_shard.get(shard, set()).issuperset(sources)

    def begin(self, shard: str, lowest: int) -> None:
        """A batch begins at this sequence number: nothing below it comes again."""
        kept = {source for source in self._by_shard.pop(shard, ()) if source.sequence_number >= lowest}
        if kept:
            self._by_shard[shard] = kept

    def add(self, shard: str, sources: Collection[Source]) -> None:
        """Remember what was taken of records that come again."""
        if sources:
            self._by_shard.setdefault(shard, set()).update(sources)
        while len(self._by_shard) > MOST_SHARDS:
            del self._by_shard[next(iter(self._by_shard))]
