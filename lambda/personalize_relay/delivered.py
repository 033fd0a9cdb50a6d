"""The events that this sandbox has delivered from records that come again."""

from collections.abc import Collection

from personalize_relay.events import Source

MOST_SHARDS = 4
"""The most shards to remember: a sandbox may serve any shard of its stream."""


class Delivered:
    """Remembers, by stream position, which events of reported records PutEvents took.

    A position never changes its content, so a delivered event needs no second call. The sandbox forgets a position once
    the shard's checkpoint has passed it.
    """

    def __init__(self) -> None:
        self._by_shard: dict[str, set[Source]] = {}

    def __repr__(self) -> str:
        return f"<Delivered { ({shard: len(sources) for shard, sources in self._by_shard.items()}) }>"

    def any_of(self, shard: str) -> bool:
        """Whether the sandbox remembers any event of the shard."""
        return shard in self._by_shard

    def all_of(self, shard: str, sources: Collection[Source]) -> bool:
        """Whether PutEvents took each of these before."""
        return self._by_shard.get(shard, set()).issuperset(sources)

    def begin(self, shard: str, lowest: int) -> None:
        """Begin a batch at this sequence number, and forget all below it, which never comes again."""
        kept = {source for source in self._by_shard.pop(shard, ()) if source.sequence_number >= lowest}
        if kept:
            self._by_shard[shard] = kept

    def add(self, shard: str, sources: Collection[Source]) -> None:
        """Remember the delivered events of records that come again."""
        if sources:
            self._by_shard.setdefault(shard, set()).update(sources)
        while len(self._by_shard) > MOST_SHARDS:
            del self._by_shard[next(iter(self._by_shard))]
