"""Payloads good and bad, from the tests of the record contract and from the demo's sample."""

import json
from collections.abc import Iterator
from typing import Any

from local.demo import clickstream
from personalize_relay.members import LIMITS
from tests import test_events as contract

_MEMBERS = {
    contract.test_an_event_value_is_a_finite_number_or_a_plain_decimal: "eventValue",
    contract.test_a_time_from_1980_to_a_quarter_of_an_hour_ahead_is_taken: "sentAt",
    contract.test_a_clock_too_late_and_one_never_set_are_told_apart: "sentAt",
    contract.test_properties_become_compact_json_with_non_ascii_as_it_is: "properties",
    contract.test_other_properties_are_rejected: "properties",
    contract.test_an_impression_is_1_to_25_item_ids: "impression",
    contract.test_a_metric_attribution_names_a_printable_ascii_source: "metricAttribution",
}
"""The member that the values are of that a test of the contract is given."""


def payloads() -> list[bytes]:
    """All of them; none is empty, and none holds a line break."""
    return [each for each in _all() if each.strip() and b"\n" not in each]


def _all() -> Iterator[bytes]:
    yield from (record.data for record in clickstream.sample(20))
    yield from (case[0] for case in _cases(contract.test_a_payload_that_is_no_event_or_request_is_rejected_whole))
    for test, member in _MEMBERS.items():
        yield from (_event({member: _first(case)}) for case in _cases(test))
    for value, _ in _cases(contract.test_no_other_event_value_passes):
        yield _event({"eventValue": "HERE"}).replace(b'"HERE"', value)
    for value, _ in _cases(contract.test_a_property_that_json_cannot_carry_is_never_sent_as_null):
        yield _event({"properties": {"a": "HERE"}}).replace(b'"HERE"', value)
    for name in contract.TEXTS:
        longest = LIMITS[name][1]
        for text in ("", 7, ["x"], "a\0b", "null", "\ud800", None, "x" * longest, "x" * (longest + 1), "other"):
            yield json.dumps(contract.member(name, text)).encode()
    yield json.dumps({"user_id": "a", "UserId": "b", "sessionId": "s", "eventType": "a"}).encode()
    yield json.dumps({"sessionId": "s", "eventType": "a", "data": {"itemId": "i"}}).encode()
    good, nameless = {"eventType": "a", "sentAt": 1e9}, {"sentAt": 1e9}
    for listed in ([good, 3, nameless, good], [good] * 500, [good] * 501, [{"eventType": "a"}] * 2, [{"eventType": 1}]):
        yield json.dumps({"sessionId": "s", "eventList": listed}).encode()


def _cases(test: Any) -> list[Any]:  # noqa: ANN401 - a test, whose marks pytest keeps on it
    """The cases that a test of the contract is given."""
    (mark,) = test.pytestmark
    return list(mark.args[1])


def _first(case: Any) -> Any:  # noqa: ANN401 - a value as JSON has it, alone or with what is expected of it
    return case[0] if isinstance(case, tuple) else case


def _event(members: dict[str, Any]) -> bytes:
    return json.dumps(contract.click(**members)).encode()
