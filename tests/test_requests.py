"""Interactions become as few requests as order and the API allow."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.events import Event, Interaction, Source
from personalize_relay.requests import MAX_EVENTS, lanes

parts = st.tuples(
    st.sampled_from(["t1", "t2"]), st.sampled_from(["s1", "s2", "s3"]), st.sampled_from([None, "u1", "u2"])
)


def interaction(position: int, tracker: str, session: str, user: str | None) -> Interaction:
    return Interaction(
        source=Source(position),
        tracking_id=tracker,
        user_id=user,
        session_id=session,
        arrival=1e9,
        event=Event(event_id=str(position), event_type="click", sent_at=1e9),
        sent_at_given=True,
    )


@given(st.lists(parts, max_size=80))
def test_lanes_keep_each_session_in_order_in_the_fewest_requests(drawn: list[tuple[str, str, str | None]]) -> None:
    given_ = [interaction(position, *part) for position, part in enumerate(drawn)]
    made = lanes(given_)

    assert sorted(each.source for lane in made for request in lane for each in request.interactions) == [
        each.source for each in given_
    ]
    assert [lane[0].sources[0] for lane in made] == sorted(lane[0].sources[0] for lane in made)
    for lane in made:
        of_lane = [each for request in lane for each in request.interactions]
        key = (lane[0].tracking_id, lane[0].session_id)
        assert of_lane == [each for each in given_ if (each.tracking_id, each.session_id) == key]
        runs = [len(list(run)) for _, run in groupby(of_lane, key=lambda each: each.user_id)]
        assert len(lane) == sum(-(-run // MAX_EVENTS) for run in runs)
        assert all(len({each.user_id for each in request.interactions}) == 1 for request in lane)
        assert all(1 <= len(request.interactions) <= MAX_EVENTS for request in lane)
    keys = [(lane[0].tracking_id, lane[0].session_id) for lane in made]
    assert len(keys) == len(set(keys))


def test_halves_keep_the_order_and_lose_nothing() -> None:
    ((request,),) = lanes(interaction(position, "t", "s", None) for position in range(5))
    first, second = request.halves()
    assert first.sources + second.sources == request.sources
    assert (len(first.interactions), len(second.interactions)) == (2, 3)
