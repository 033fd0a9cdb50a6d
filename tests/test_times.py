"""Times in every way that producers write them: one moment, or a sentence that says why it is none."""

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.times import seconds

MOMENT = 1_795_512_600.25
"""2026-11-24T09:30:00.250Z."""


@pytest.mark.parametrize(
    "value",
    [
        1_795_512_600.25,
        1_795_512_600_250,
        1_795_512_600_250.0,
        1_795_512_600_250_000,
        1_795_512_600_250_000_000,
        "1795512600.25",
        "1795512600250",
        " 1795512600250\n",
        "2026-11-24T09:30:00.250Z",
        "2026-11-24t09:30:00.250z",
        "2026-11-24T09:30:00.250+0000",
        "2026-11-24T10:30:00,250+01:00",
        "2026-11-24 09:30:00.250 UTC",
        "2026-11-24 09:30:00.250 GMT",
        "2026-11-24 09:30:00.250 Z",
        "2026-11-24 09:30:00.25 +0000 UTC",
        "20261124T093000.250Z",
        "2026-11-24T09:30:00.2500009Z",
        "/Date(1795512600250)/",
        "/Date(1795512600250+0100)/",
        {"$date": "2026-11-24T09:30:00.250Z"},
        {"$date": 1_795_512_600_250},
        {"$date": {"$numberLong": "1795512600250"}},
    ],
)
def test_one_moment_has_many_forms(value: object) -> None:
    assert seconds("sentAt", value) == pytest.approx(MOMENT, abs=1e-6)


@pytest.mark.parametrize(
    "value",
    [
        "Tue, 24 Nov 2026 09:30:00 GMT",
        "Tue, 24 Nov 2026 10:30:00 +0100",
        "Tue Nov 24 2026 10:30:00 GMT+0100 (Central European Standard Time)",
        "Tue Nov 24 2026 01:30:00 GMT-0800",
    ],
)
def test_forms_with_names_of_months_have_whole_seconds(value: str) -> None:
    assert seconds("sentAt", value) == 1_795_512_600


@given(st.floats(315_532_800, 4_102_444_800))
def test_a_number_is_in_the_unit_that_its_size_allows(moment: float) -> None:
    """From 1980 to 2100, whole and with a fraction, as a number and as its digits."""
    for in_a_second in (1, 1_000, 1_000_000, 1_000_000_000):
        for value in (moment * in_a_second, round(moment * in_a_second)):
            assert seconds("sentAt", value) == pytest.approx(moment, abs=1)
            assert seconds("sentAt", f"{value:f}") == pytest.approx(moment, abs=1)


def test_a_time_without_a_zone_is_none_until_somebody_names_its_zone() -> None:
    for value in ("2026-11-24T09:30:00.250", "2026-11-24 09:30:00.250000", "2026-11-24"):
        with pytest.raises(InvalidRecord, match="has no time zone: end it with Z") as caught:
            seconds("sentAt", value)
        assert caught.value.reason is Reason.INVALID_TIMESTAMP
    assert seconds("sentAt", "2026-11-24T10:30:00.250", timezone(timedelta(hours=1))) == MOMENT
    assert seconds("sentAt", "2026-11-24T09:30:00.250Z", timezone(timedelta(hours=1))) == MOMENT, "its own zone counts"


@pytest.mark.parametrize("digits", ["1612080930000", "1612081500930"])
def test_digits_are_never_read_as_a_date(digits: str) -> None:
    """To `datetime.fromisoformat` some of them are a day of the year 1612."""
    assert seconds("sentAt", digits) == int(digits) / 1000


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", Reason.INVALID_TIMESTAMP),
        ("24.11.2026 09:30", Reason.INVALID_TIMESTAMP),
        ("11/24/2026", Reason.INVALID_TIMESTAMP),
        ("1.79551E+12", Reason.INVALID_TIMESTAMP),
        ("1795512600,25", Reason.INVALID_TIMESTAMP),
        ("Tue, 32 Nov 2026 09:30:00 GMT", Reason.INVALID_TIMESTAMP),
        ("Tue, 24 Nov 2026 25:30:00 GMT", Reason.INVALID_TIMESTAMP),
        ("Tue, 24 Abc 2026 09:30:00 GMT", Reason.INVALID_TIMESTAMP),
        ("2026-11-24 09:30:00 +0100 UTC", Reason.INVALID_TIMESTAMP),
        ("2026-13-24T09:30:00Z", Reason.INVALID_TIMESTAMP),
        ("\u0661\u0662\u0663", Reason.INVALID_TIMESTAMP),
        ("9" * 1000, Reason.INVALID_TIMESTAMP),
        (10**400, Reason.INVALID_NUMBER),
        (float("nan"), Reason.INVALID_NUMBER),
        (True, Reason.WRONG_TYPE),
        ([1], Reason.WRONG_TYPE),
        ({"date": 1}, Reason.WRONG_TYPE),
        ({"$date": [1]}, Reason.WRONG_TYPE),
        ({"$date": {"$numberLong": None}}, Reason.WRONG_TYPE),
        ({"$date": "soon"}, Reason.INVALID_TIMESTAMP),
    ],
)
def test_anything_else_is_no_time(value: object, reason: Reason) -> None:
    with pytest.raises(InvalidRecord) as caught:
        seconds("sentAt", value)
    assert caught.value.reason is reason


@given(st.recursive(st.none() | st.text() | st.integers() | st.floats(), lambda x: st.dictionaries(st.text(), x)))
def test_whatever_is_given_ends_in_a_number_or_a_reason(value: object) -> None:
    try:
        number = seconds("sentAt", value)
    except InvalidRecord:
        return
    assert isinstance(number, float)


@pytest.mark.parametrize(
    "text", ["2026-11-24ß09:30:00Z", "2026-11-24 09:30:00z+01:00", f"2026-11-24T09:30:00.{'0' * 90}Z"]
)
def test_what_only_python_takes_for_iso_8601_is_no_time(text: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        seconds("sentAt", text)
    assert raised.value.reason == Reason.INVALID_TIMESTAMP
