"""The short way of the usual event gives nothing that the contract's own way would not."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from personalize_relay import payloads, plain
from personalize_relay.contract import Reader
from personalize_relay.errors import InvalidRecord
from personalize_relay.events import Interaction, Origin, Source, Trackers
from personalize_relay.names import FLAT_MEMBERS, MARK
from personalize_relay.parsing import parse_any

ARRIVAL = 1_790_000_000.5
ORIGIN = Origin(stream="clicks", shard_id="shardId-000000000003", sequence_number="4960", arrival=ARRIVAL)
TRACKERS = Trackers(default="tracker", allowed=frozenset({"other"}))
NAMES = sorted(FLAT_MEMBERS | {MARK, "session_id", "messageType", "shoe"})
TEXTS = [
    "click",
    "",
    " ",
    "\\u2003",
    "\\u0000",
    "\\ud800",
    "grün",
    "null",
    " undefined ",
    "nike",
    "x" * 41,
    "x" * 256,
    "x" * 257,
]
NUMBERS = ["0", "-0.0", "1", "1.5", "1e400", "-1e400", "9007199254740993", "18446744073709551617", f"1{'0' * 400}"]
TIMES = ["1780000000", "1780000000.25", "1780000000000", "1.78e12", '"2026-01-24T09:30:00Z"', '"1780000000"', "1"]
OBJECTS = [
    *(
        "{}",
        "[]",
        "null",
        "true",
        '["a"]',
        '{"a": []}',
        '{"a": {"b": 1}}',
        '{"USERID": 1}',
        '{"a": NaN}',
        '{"a": true}',
    ),
    *(
        '{"a": 1, "a": null}',
        '{"\\ud800": 1}',
        '{"a": "\\ud800"}',
        f'{{"a": "{"x" * 1016}"}}',
        f'{{"a": "{"x" * 1017}"}}',
    ),
    *(f'{{"a": {number}}}' for number in NUMBERS),
]
VALUES = [*(f'"{text}"' for text in TEXTS), *NUMBERS, *TIMES, *OBJECTS]
USUAL = [("sessionId", '"s"'), ("eventType", '"click"'), ("sentAt", "1780000000")]


def payload(members: list[tuple[str, str]]) -> bytes:
    """JSON with these members in order, one of them twice where it is given twice."""
    return f"{{{', '.join(f'"{name}": {value}' for name, value in members)}}}".encode(errors="surrogatepass")


members = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3)


def check(data: bytes) -> None:
    """Compare both short ways, from bytes and from an object, with the contract's."""
    expected = parse_any(data, ORIGIN, TRACKERS)
    assert plain.read(data, ORIGIN, TRACKERS.default) in {None, expected}
    try:
        event = payloads.decode(data)
    except InvalidRecord:
        return
    assert take(event) in {None, *expected.interactions}


def take(event: dict[str, object]) -> Interaction | None:
    """The short way from an object."""
    return plain.take(event, ORIGIN, Source(4960), TRACKERS.default)


@given(st.permutations(USUAL), members)
@example([], [])
def test_it_takes_nothing_that_the_contract_reads_otherwise(
    usual: list[tuple[str, str]], drawn: list[tuple[str, str]]
) -> None:
    check(payload(usual + drawn))


@pytest.mark.parametrize("name", NAMES)
def test_each_value_of_each_member_is_read_as_the_contract_reads_it(name: str) -> None:
    for value in VALUES:
        check(payload([*USUAL, (name, value)]))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_only_a_mapping_can_make_are_left_to_the_contract(number: float) -> None:
    event = {"sessionId": "s", "eventType": "click", "sentAt": 1_780_000_000}
    assert take(event)
    assert not take(event | {"eventValue": number})
    assert not take(event | {"sentAt": number})
    assert not take(event | {"properties": {"a": number}})


@pytest.mark.parametrize("left_out", [name for name, _ in USUAL])
def test_an_event_without_a_usual_member_is_read_as_the_contract_reads_it(left_out: str) -> None:
    check(payload([(name, value) for name, value in USUAL if name != left_out]))


def test_an_event_of_several_needs_a_time() -> None:
    event = {"sessionId": "s", "eventType": "click"}
    assert plain.take(event, ORIGIN, Source(4960), TRACKERS.default)
    assert plain.take(event, ORIGIN, Source(4960, index=0), TRACKERS.default) is None


def test_an_event_of_several_keeps_its_place() -> None:
    reader = Reader(ORIGIN, TRACKERS)
    reader.sub_sequence = (3,)
    reader.read_event({"sessionId": "s", "eventType": "click", "sentAt": 1_780_000_000}, 7, alone=False)
    (interaction,) = reader.parsed(0).interactions
    assert interaction.source == Source(4960, (3,), 7)
    assert interaction.event.event_id == "clicks:shardId-000000000003:4960:3:7"


@pytest.mark.parametrize(
    "data",
    [
        payload(USUAL),
        payload([*USUAL, ("sentAt", '"2026-01-24T09:30:00Z"')]),
        payload([*USUAL, ("sentAt", "1780000000000")]),
        payload([*USUAL, ("userId", "31"), ("itemId", "-4"), ("eventId", "18446744073709551617")]),
        payload([*USUAL, ("userId", '"user"'), ("eventId", '"1"'), ("itemId", '"i"'), ("recommendationId", '"r"')]),
        payload([*USUAL, ("eventValue", "2"), ("properties", '{"a": "b", "c": 1, "d": 1.5, "e": true, "f": null}')]),
        payload([*USUAL, ("eventValue", '"2"'), ("properties", '"{\\"a\\": {\\"b\\": []}}"'), ("userId", '""')]),
        payload([*USUAL, ("impression", '["a", 2]')]),
        payload(USUAL[:2]),
        payload([*USUAL, ("itemId", "null"), ("properties", "{}"), (MARK, '"personalize-relay.event/1"')]),
    ],
)
def test_it_takes_usual_events(data: bytes) -> None:
    assert plain.read(data, ORIGIN, TRACKERS.default)
    assert take(payloads.decode(data))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 100_000, b'{"properties": {"a": ' + b"[" * 100_000, b"\xff", payload(USUAL) * 2]
)
def test_it_leaves_what_is_no_single_event(data: bytes) -> None:
    assert plain.read(data, ORIGIN, TRACKERS.default) is None


def test_it_leaves_what_may_hold_too_many_values_for_memory() -> None:
    data = payload(USUAL)
    assert plain.read(data.ljust(plain.MOST_BYTES), ORIGIN, TRACKERS.default)
    assert plain.read(data.ljust(plain.MOST_BYTES + 1), ORIGIN, TRACKERS.default) is None
