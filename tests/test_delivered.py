"""What was taken is remembered for as long as it may come again, and no longer."""

from personalize_relay.delivered import MOST_SHARDS, Delivered
from personalize_relay.events import Source


def remembering(shard: str, *positions: int) -> Delivered:
    delivered = Delivered()
    delivered.add(shard, sources(*positions))
    return delivered


def sources(*positions: int) -> set[Source]:
    return {Source(position) for position in positions}


def test_it_knows_whether_all_of_some_events_were_taken() -> None:
    delivered = remembering("a", 1, 2, 3)
    assert delivered.all_of("a", sources(1, 3))
    assert not delivered.all_of("a", sources(1, 4))


def test_an_event_of_a_record_is_another_than_its_neighbour() -> None:
    delivered = Delivered()
    delivered.add("a", {Source(1, index=0)})
    assert not delivered.all_of("a", {Source(1, index=1)})
    assert not delivered.all_of("a", {Source(1)})


def test_the_same_position_in_another_shard_is_another_record() -> None:
    assert not remembering("a", 1).all_of("b", sources(1))


def test_what_lies_below_the_checkpoint_is_forgotten_and_the_rest_is_not() -> None:
    delivered = remembering("a", 1, 2, 3)
    delivered.begin("a", 2)
    assert not delivered.all_of("a", sources(1))
    assert delivered.all_of("a", sources(2, 3))


def test_a_batch_of_one_shard_changes_nothing_of_another() -> None:
    delivered = remembering("a", 1)
    delivered.begin("b", 1000)
    assert delivered.all_of("a", sources(1))


def test_it_remembers_few_shards_and_forgets_the_one_that_it_served_longest_ago() -> None:
    delivered = Delivered()
    for shard in range(MOST_SHARDS):
        delivered.add(f"{shard}", sources(1))
    delivered.begin("0", 1)
    delivered.add("new", sources(1))
    kept = [f"{shard}" for shard in range(MOST_SHARDS) if delivered.all_of(f"{shard}", sources(1))]
    assert kept == ["0", "2", "3"]
    assert delivered.all_of("new", sources(1))


def test_a_shard_without_anything_to_remember_takes_no_place() -> None:
    delivered = remembering("a", 1)
    for shard in range(2 * MOST_SHARDS):
        delivered.add(f"{shard}", set())
    assert delivered.all_of("a", sources(1))


def test_its_repr_says_how_many_of_each_shard() -> None:
    assert repr(remembering("a", 1, 2)) == "<Delivered {'a': 2}>"
