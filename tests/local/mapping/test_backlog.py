"""The rules of a backlog: what is invoked, retried, split and given up, and that no record is ever skipped."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.mapping.backlog import PAYLOAD_LIMIT, Backlog, Discard, FailureCondition, Invoke, Wait
from local.mapping.invocation import InvocationOutcome, InvocationResult, StreamRecord
from local.mapping.settings import MappingSettings

OK = InvocationOutcome(result=InvocationResult.SUCCEEDED)
RAISED = InvocationOutcome(result=InvocationResult.FUNCTION_ERROR)
USELESS = InvocationOutcome(result=InvocationResult.BATCH_FAILED)
THROTTLED = InvocationOutcome(result=InvocationResult.NOT_INVOKED)


def set_to(
    *,
    batch_size: int = 100,
    window: float = 0.0,
    bisect: bool = False,
    max_retries: int | None = None,
    max_age: float | None = None,
) -> MappingSettings:
    return MappingSettings(
        uuid="",
        stream_arn="",
        function_arn="",
        batch_size=batch_size,
        window=window,
        bisect=bisect,
        max_retries=max_retries,
        max_age=max_age,
        report_failures=True,
    )


def record(number: int, *, arrived: float = 0.0, size: int = 0) -> StreamRecord:
    return StreamRecord(str(number), "key", arrived, arrived, "x" * size)


def lane_of(settings: MappingSettings, *numbers: int, backoff: float = 0.0) -> Backlog:
    backlog = Backlog(settings, lambda attempts: backoff * attempts)
    for number in numbers:
        backlog.add(record(number), 0.0)
    return backlog


def partial(number: int) -> InvocationOutcome:
    return InvocationOutcome(result=InvocationResult.PARTIAL, resume_at=str(number))


def invoked(backlog: Backlog, *outcomes: InvocationOutcome) -> list[list[int]]:
    """The numbers of each invocation, given these outcomes in turn."""
    seen = []
    for outcome in outcomes:
        step = backlog.next(0.0)
        assert isinstance(step, Invoke)
        seen.append(numbers_of(step))
        backlog.settle(outcome, 0.0)
    return seen


def numbers_of(step: Invoke | Discard) -> list[int]:
    return [one.position for one in step.records]


def given_up(backlog: Backlog, now: float = 0.0) -> tuple[list[int], FailureCondition, int]:
    step = backlog.next(now)
    assert isinstance(step, Discard)
    backlog.discarded()
    return numbers_of(step), step.condition, step.invocations


def test_a_batch_holds_no_more_than_its_size() -> None:
    """What is over waits for the next batch."""
    assert invoked(lane_of(set_to(batch_size=2), 1, 2, 3), OK, OK) == [[1, 2], [3]]


def test_a_window_waits_for_a_full_batch() -> None:
    """The first record of a batch waits for company as long as the window says, and no longer."""
    backlog = Backlog(set_to(batch_size=2, window=5.0), lambda _: 0.0)
    backlog.add(record(1), 10.0)
    assert backlog.next(14.9) == Wait(15.0)
    assert backlog.next(15.0) == Invoke((record(1),))


def test_a_full_batch_waits_for_no_window() -> None:
    """The window ends as soon as the batch is full, by count or by bytes."""
    backlog = lane_of(set_to(batch_size=2, window=5.0), 1, 2)
    assert isinstance(backlog.next(0.0), Invoke)
    backlog = Backlog(set_to(window=5.0), lambda _: 0.0)
    for number in (1, 2, 3):
        backlog.add(record(number, size=PAYLOAD_LIMIT // 2 - 1), 0.0)
    assert isinstance(backlog.next(0.0), Invoke)


def test_a_payload_stays_under_six_megabytes() -> None:
    """Records are cut off where the payload would grow too large; one that is too large itself goes alone."""
    backlog = Backlog(set_to(), lambda _: 0.0)
    for number, size in enumerate([PAYLOAD_LIMIT // 2 - 1, PAYLOAD_LIMIT // 2 - 1, 10, PAYLOAD_LIMIT + 1, 10]):
        backlog.add(record(number, size=size), 0.0)
    assert invoked(backlog, OK, OK, OK, OK) == [[0, 1], [2], [3], [4]]


def test_a_partial_failure_resumes_at_the_reported_number() -> None:
    """All before it is done, and it comes again with all behind it, before any later record."""
    backlog = lane_of(set_to(batch_size=4), 1, 2, 3, 4, 5)
    assert invoked(backlog, partial(3), partial(4), OK, OK) == [[1, 2, 3, 4], [3, 4], [4], [5]]


@pytest.mark.parametrize("bisect", [False, True])
def test_partial_failures_use_up_retries(bisect: bool) -> None:  # noqa: FBT001 -- pytest passes it
    """Reported once more than the retries allow, the rest of the batch is given up; bisecting changes nothing."""
    backlog = lane_of(set_to(max_retries=1, bisect=bisect), 1, 2, 3)
    assert invoked(backlog, partial(2), partial(2)) == [[1, 2, 3], [2, 3]]
    assert given_up(backlog) == ([2, 3], FailureCondition.RETRIES, 2)


@pytest.mark.parametrize("outcome", [RAISED, USELESS])
def test_a_failed_batch_comes_again_whole(outcome: InvocationOutcome) -> None:
    """Without bisecting it is repeated as it was, as often as the retries allow, and then given up."""
    backlog = lane_of(set_to(max_retries=2, batch_size=2), 1, 2, 3)
    assert invoked(backlog, outcome, outcome, outcome) == [[1, 2]] * 3
    assert given_up(backlog) == ([1, 2], FailureCondition.RETRIES, 3)
    assert invoked(backlog, OK) == [[3]]


def test_without_a_limit_a_batch_comes_for_ever() -> None:
    """No number of failures gives a record up by itself."""
    assert invoked(lane_of(set_to(), 1), *[RAISED] * 50, OK) == [[1]] * 51


def test_bisecting_halves_a_failed_batch_in_order() -> None:
    """Both halves are invoked, the first first, and a split uses no retry."""
    backlog = lane_of(set_to(max_retries=0, bisect=True), 1, 2, 3, 4, 5)
    assert invoked(backlog, RAISED, OK, RAISED, OK, RAISED, RAISED) == [
        [1, 2, 3, 4, 5],
        [1, 2],
        [3, 4, 5],
        [3],
        [4, 5],
        [4],
    ]
    assert given_up(backlog)[0] == [4]
    assert invoked(backlog, OK) == [[5]]


def test_throttling_uses_no_retry() -> None:
    """An attempt that did not reach the function costs nothing but time."""
    backlog = lane_of(set_to(max_retries=0), 1)
    assert invoked(backlog, *[THROTTLED] * 9, OK) == [[1]] * 10
    assert backlog.oldest is None


@pytest.mark.parametrize("outcome", [RAISED, THROTTLED, partial(1)])
def test_a_retry_waits_longer_each_time(outcome: InvocationOutcome) -> None:
    """The back-off is asked with the number of attempts so far."""
    backlog = lane_of(set_to(), 1, backoff=10.0)
    backlog.next(0.0)
    backlog.settle(outcome, 0.0)
    assert backlog.next(9.0) == Wait(10.0)
    backlog.next(10.0)
    backlog.settle(outcome, 10.0)
    assert backlog.next(10.0) == Wait(30.0)


def test_records_past_their_age_are_given_up_without_the_younger() -> None:
    """Age is looked at before each invocation, the first included, and even while a retry waits."""
    backlog = Backlog(set_to(max_age=60.0), lambda _: 1000.0)
    for number, arrived in ((1, 0.0), (2, 30.0), (3, 50.0)):
        backlog.add(record(number, arrived=arrived), 60.0)
    assert isinstance(backlog.next(60.0), Invoke)
    backlog.settle(RAISED, 60.0)
    assert given_up(backlog, 90.0) == ([1], FailureCondition.AGE, 1)
    assert backlog.next(90.0) == Wait(1060.0)
    assert given_up(backlog, 110.1) == ([2, 3], FailureCondition.AGE, 1)


def test_a_record_too_old_when_read_is_never_invoked() -> None:
    """It goes to the destination at once."""
    backlog = Backlog(set_to(max_age=60.0), lambda _: 0.0)
    backlog.add(record(1), 100.0)
    assert given_up(backlog, 100.0) == ([1], FailureCondition.AGE, 0)


def test_what_the_destination_does_not_take_stays() -> None:
    """It is offered again after a wait, and nothing overtakes it."""
    backlog = lane_of(set_to(max_retries=0, batch_size=1), 1, 2, backoff=10.0)
    invoked(backlog, RAISED)
    assert isinstance(backlog.next(0.0), Discard)
    backlog.discard_failed(0.0)
    assert backlog.next(9.0) == Wait(10.0)
    assert given_up(backlog, 10.0)[0] == [1]


@dataclass
class World:
    """A stream, a function and a destination that behave as `fates` say, and then well; time goes on with each step."""

    settings: MappingSettings
    fates: Iterator[tuple[InvocationResult, float]]
    acknowledged: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    now: float = 0.0

    def play(self, records: list[StreamRecord]) -> Backlog:
        """Feed the backlog a record at a time, with a step between, until it has no more to do."""
        backlog = Backlog(self.settings, float)
        for one in records:
            self.now = max(self.now, one.arrived)
            backlog.add(one, self.now)
            self.step(backlog)
        while backlog.count:
            self.step(backlog)
        return backlog

    def step(self, backlog: Backlog) -> None:
        """Do what the backlog asks for, or let time go on to when it will."""
        before = backlog.records
        step = backlog.next(self.now)
        if isinstance(step, Wait):
            self.now = step.until if step.until < float("inf") else self.now
            return
        assert step.records == before[: len(step.records)], "only ever the oldest records, in order"
        assert len(step.records) <= self.settings.batch_size
        fate, share = next(self.fates, (InvocationResult.SUCCEEDED, 0.0))
        self.now += share
        if isinstance(step, Discard):
            self.offer(backlog, step, fate)
        else:
            self.invoke(backlog, step, fate, share)
        left = self.acknowledged[-1:] + self.dropped[-1:]
        assert all(one.position > max(left, default=-1) for one in backlog.records)

    def offer(self, backlog: Backlog, step: Discard, fate: InvocationResult) -> None:
        """Be the destination."""
        if fate is InvocationResult.NOT_INVOKED:
            backlog.discard_failed(self.now)
        else:
            self.dropped += numbers_of(step)
            backlog.discarded()

    def invoke(self, backlog: Backlog, step: Invoke, fate: InvocationResult, share: float) -> None:
        """Be the function; a partial failure is that share of the way through the batch."""
        numbers = numbers_of(step)
        resume = numbers[int(share * len(numbers))] if fate is InvocationResult.PARTIAL else None
        backlog.settle(InvocationOutcome(result=fate, resume_at=str(resume)), self.now)
        done = (
            numbers if fate is InvocationResult.SUCCEEDED else [n for n in numbers if resume is not None and n < resume]
        )
        self.acknowledged += done


shares = st.floats(0.0, 0.999)
worlds = st.builds(
    World,
    st.builds(
        set_to,
        batch_size=st.integers(1, 7),
        window=st.sampled_from([0.0, 3.0]),
        bisect=st.booleans(),
        max_retries=st.none() | st.integers(0, 3),
        max_age=st.none() | st.sampled_from([5.0, 60.0]),
    ),
    st.lists(st.tuples(st.sampled_from(InvocationResult), shares), max_size=20).map(iter),
)


@given(worlds, st.lists(st.floats(0.0, 4.0), max_size=12))
def test_every_record_leaves_once_and_in_order(world: World, gaps: list[float]) -> None:
    """Whatever function, clock and destination do, each record is acknowledged or dropped: once, and in its turn."""
    arrivals = [sum(gaps[:place]) for place in range(len(gaps))]
    records = [record(number, arrived=arrived) for number, arrived in enumerate(arrivals)]
    backlog = world.play(records)
    assert sorted(world.acknowledged + world.dropped) == list(range(len(records)))
    assert world.acknowledged == sorted(world.acknowledged)
    assert world.dropped == sorted(world.dropped)
    assert (backlog.count, backlog.oldest, backlog.waiting) == (0, None, (0, 0))
    if world.settings.max_retries is None and world.settings.max_age is None:
        assert world.dropped == []
