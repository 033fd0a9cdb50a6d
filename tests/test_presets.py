"""A preset takes its vendor's payloads as the vendor documents them, and its own tests show every rule of it."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from personalize_relay import mapping_tests
from personalize_relay.errors import Reason
from personalize_relay.events import Interaction, Origin, Parsed, Trackers
from personalize_relay.expressions import Expressions
from personalize_relay.functions import Functions
from personalize_relay.mapping import Mapping
from personalize_relay.mapping_file import PRESETS, MappingFile, deployed, read, source
from personalize_relay.mapping_tests import Test
from personalize_relay.parsing import parse

CASES = Path(__file__).with_name("cases")
ORIGIN = Origin(stream="clicks", shard_id="shardId-0", sequence_number="7", arrival=1_795_512_660.0)
"""2026-11-24T09:31:00Z, a minute after what the presets' tests tell of."""
TRACKERS = Trackers(default="t-1", allowed=frozenset({"tracker-1", "c60"}))

FILES = {name: read(source(name), file=name) for name in PRESETS}
DEPLOYED = {name: deployed(source(name), file=name) for name in PRESETS}
TESTS = [pytest.param(name, test, id=f"{name}: {test.name}") for name, file in FILES.items() for test in file.tests]
RULES = [
    pytest.param(name, at, id=f"{name}: {rule.name}")
    for name, file in FILES.items()
    for at, rule in enumerate(file.mapping.rules)
]


def taken(data: bytes, mapping: Mapping) -> Parsed:
    """What the function makes of a record."""
    return parse(data, ORIGIN, TRACKERS, mapping)


@pytest.mark.parametrize(("name", "test"), TESTS)
def test_as_deployed_a_preset_gives_the_same(name: str, test: Test) -> None:
    data = test.input.encode()
    assert taken(data, DEPLOYED[name]) == taken(data, FILES[name].mapping)


@pytest.mark.parametrize(("name", "test"), TESTS)
def test_a_payload_that_is_a_whole_record_gives_what_one_among_others_does(name: str, test: Test) -> None:
    data = test.input.encode()
    alone, packed = taken(data, DEPLOYED[name]), taken(gzip.compress(data), DEPLOYED[name])
    assert msgspec.structs.replace(packed, inflated=0) == alone


def shape(value: Any, path: str = "") -> frozenset[str]:  # noqa: ANN401 - JSON may be anything
    """The paths of all members, which tell shapes of a payload from each other."""
    if isinstance(value, dict):
        return frozenset({path}).union(*(shape(each, f"{path}.{name}") for name, each in value.items()))
    if isinstance(value, list):
        return frozenset({path}).union(*(shape(each, f"{path}[]") for each in value))
    return frozenset({path})


def payload(test: Test, file: MappingFile) -> Any:  # noqa: ANN401 - as above
    try:
        return json.loads(test.input)
    except ValueError:
        assert file.mapping.rows
        return file.mapping.rows(test.input)


def test_there_is_a_preset_for_each_of_the_systems_that_the_relay_knows() -> None:
    assert set(PRESETS) == {
        *("segment", "rudderstack", "snowplow", "mparticle", "amplitude", "ga4"),
        *("cloudevents", "eventbridge", "dms", "dynamodb", "fluent"),
    }


@pytest.mark.parametrize(("name", "test"), TESTS)
def test_a_preset_passes_its_tests(name: str, test: Test) -> None:
    assert mapping_tests.failure(test, FILES[name].mapping) is None


@pytest.mark.parametrize(("name", "at"), RULES)
def test_no_rule_of_a_preset_can_be_taken_out_unnoticed(name: str, at: int) -> None:
    mapping = FILES[name].mapping
    others = msgspec.structs.replace(mapping, rules=mapping.rules[:at] + mapping.rules[at + 1 :])
    assert any(mapping_tests.failure(test, others) for test in FILES[name].tests)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_tested_with_payloads_of_many_shapes(name: str) -> None:
    tests = FILES[name].tests
    assert len(tests) >= 8
    assert len({shape(payload(test, FILES[name])) for test in tests}) >= 6


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_shows_what_is_rejected_for_a_missing_member_and_what_is_not_mapped(name: str) -> None:
    assert {Reason.MISSING_MEMBER, Reason.NOT_MAPPED} <= {test.reason for test in FILES[name].tests}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_in_one_line_what_it_is_for_and_in_its_head_what_it_does(name: str) -> None:
    text = source(name)
    head = text[: text.index("description")]
    assert FILES[name].description
    assert all(f"{member} " in text for member in ("sessionId", "eventType", "itemId", "sentAt", "eventId"))
    assert head.startswith("# ") or name == "segment"


@pytest.mark.parametrize(("name", "test"), TESTS)
def test_the_function_takes_a_presets_payloads_as_its_tests_say(name: str, test: Test) -> None:
    got = taken(test.input.encode(), FILES[name].mapping)
    if test.events is not None:
        assert (len(got.interactions), got.rejections, got.filtered) == (len(test.events), (), ())
        ids = [each.event.event_id for each in got.interactions]
        assert len(set(ids)) == len(ids)
    elif test.dropped:
        assert (got.interactions, got.rejections, got.filtered) == ((), (), (test.dropped,))
    else:
        assert [each.reason for each in got.rejections] == [test.reason]


def test_a_column_of_the_enriched_tsv_stands_where_snowplow_has_it() -> None:
    rows = FILES["snowplow"].mapping.rows
    assert rows
    row = rows("\t".join(str(number) for number in range(1, 132)))
    assert row
    assert len(row) == 131
    # As Snowplow's documentation numbers some of them.
    numbered = {"app_id": 1, "event": 6, "event_id": 7, "user_id": 13, "contexts": 53, "unstruct_event": 59}
    numbered |= {"ti_sku": 69, "useragent": 78, "domain_sessionid": 124, "derived_tstamp": 125, "true_tstamp": 131}
    assert {name: int(row[name]) for name in numbered} == numbered


def test_rows_of_snowplow_are_read_one_by_one_even_without_an_app_id() -> None:
    file = FILES["snowplow"]
    page = next(test.input for test in file.tests if test.input.startswith("shop\tweb") and "page_view" in test.input)
    got = taken("\n".join([page, page.removeprefix("shop"), "shop"]).encode(), file.mapping)
    assert [each.event.event_type for each in got.interactions] == ["page_view", "page_view"]
    assert [each.reason for each in got.rejections] == [Reason.INVALID_JSON]


@pytest.mark.parametrize("name", PRESETS)
def test_what_the_head_of_a_preset_proposes_can_be_written_into_it(name: str) -> None:
    head = source(name).partition("description")[0]
    expressions = Expressions(Functions())
    for proposed in re.findall(r'^# +(?!name)[a-zA-Z]+ = "(.+)"$', head, re.MULTILINE):
        expressions.compiled(proposed)


EVENT: dict[str, Any] = {
    "sessionId": "s-1",
    "userId": "u-1",
    "trackingId": "c60",
    "eventId": "e-1",
    "eventType": "view",
    "eventValue": 4.5,
    "itemId": "i-1",
    "properties": {"color": "red"},
    "sentAt": 1_795_512_600.5,
    "recommendationId": "r-1",
    "impression": ["i-1", "i-2"],
    "metricAttribution": {"eventAttributionSource": "home"},
}
"""Every member of the contract that an event may have."""
REQUEST_MEMBERS = ("sessionId", "userId", "trackingId")
REQUEST = {name: EVENT[name] for name in REQUEST_MEMBERS} | {
    "eventList": [{name: value for name, value in EVENT.items() if name not in REQUEST_MEMBERS}]
}


def typed(value: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """A value as an attribute of DynamoDB."""
    match value:
        case str():
            return {"S": value}
        case dict():
            return {"M": {name: typed(each) for name, each in value.items()}}
        case list():
            return {"L": [typed(each) for each in value]}
    return {"N": str(value)}


def in_dms(row: dict[str, Any]) -> dict[str, Any]:
    cells = {name: json.dumps(value) if isinstance(value, (dict, list)) else value for name, value in row.items()}
    return {"data": cells | {"metricAttribution": row["metricAttribution"]}, "metadata": {"operation": "insert"}}


WRAPPED = {
    ("cloudevents", "an event"): {"specversion": "1.0", "id": "1", "source": "/", "type": "x", "data": EVENT},
    ("cloudevents", "a request"): {"specversion": "1.0", "id": "1", "source": "/", "type": "x", "data": REQUEST},
    ("cloudevents", "an event of 0.1"): {"cloudEventsVersion": "0.1", "eventID": "1", "eventType": "x", "data": EVENT},
    ("eventbridge", "an event"): {"detail-type": "x", "source": "shop", "id": "1", "detail": EVENT},
    ("eventbridge", "a request"): {"detail-type": "x", "source": "shop", "id": "1", "detail": REQUEST},
    ("dms", "an event"): in_dms(EVENT),
    ("dynamodb", "an event"): {"eventName": "INSERT", "dynamodb": {"NewImage": typed(EVENT)["M"]}},
    ("fluent", "an event"): {"log": json.dumps(EVENT)},
    ("fluent", "a request"): {"log": json.dumps(REQUEST)},
    ("rudderstack", "a request"): REQUEST,
}


@pytest.mark.parametrize(("name", "what"), WRAPPED)
def test_no_member_of_the_contract_is_lost_on_its_way_out_of_an_envelope(name: str, what: str) -> None:
    alone = parse(json.dumps(EVENT).encode(), ORIGIN, TRACKERS)
    wrapped = taken(json.dumps(WRAPPED[name, what]).encode(), FILES[name].mapping)
    (expected,), (got,) = alone.interactions, wrapped.interactions
    assert msgspec.structs.replace(got, source=expected.source) == expected


def told(interaction: Interaction) -> tuple[object, ...]:
    event = interaction.event
    return (interaction.session_id, interaction.user_id, event.event_type, event.item_id, event.sent_at, event.event_id)


VIEW = ("visit-7", "shopper-4", "view", "sku-1")
HALF_PAST = 1_795_512_600.0
BASKET = ("anon-8", "known user", "Basket Add")
SAMPLES = {
    ("amplitude", "07-amplitude.jsonl"): [
        ("0c1f-dev.1795512590042", "000713", "card_opened", "5521", HALF_PAST + 0.25, "6a41-ins")
    ],
    ("rudderstack", "08-rudderstack-output.jsonl"): [
        (*BASKET, "msg-77", 1_795_134_189.544, "clicks:shardId-0:7:0:0"),
        (*BASKET, "msg-78", 1_795_134_190.544, "clicks:shardId-0:7:1:0"),
        (*BASKET, "1", 1_795_134_191.0, "clicks:shardId-0:7:2:0"),
        (*BASKET, None, 1_795_134_192.0, "clicks:shardId-0:7:3:0"),
    ],
    ("snowplow", "14b-snowplow-enriched.tsv.txt"): [
        ("shopper-4", "shopper-4", "page_view", None, HALF_PAST + 1, "0f1c-ev")
    ],
    ("ga4", "14c-ga4-export.json"): [
        ("777.888.1795512000", None, "view_item", "sku-1", HALF_PAST + 0.25, "777.888.1795512600250000.view_item.0")
    ],
}
"""What the events of a record's presets are, by the file that the record is."""

ENVELOPES = [
    ("dynamodb", [(*VIEW, HALF_PAST, "7b1c")]),
    ("dms", [(*VIEW, HALF_PAST, "clicks:shardId-0:7")]),
    ("dms", []),
    ("eventbridge", [(*VIEW, HALF_PAST + 0.25, "9d1e")]),
    ("cloudevents", [(*VIEW, HALF_PAST + 0.25, "/shop.a-1")]),
    ("fluent", [(*VIEW, HALF_PAST + 1, "clicks:shardId-0:7")]),
]
"""The preset of each record of 14-envelopes.jsonl, and its events."""


@pytest.mark.parametrize(("name", "case"), SAMPLES)
def test_a_vendors_sample_gives_its_events(name: str, case: str) -> None:
    got = taken((CASES / case).read_bytes(), FILES[name].mapping)
    assert [told(each) for each in got.interactions] == SAMPLES[name, case]
    assert got.rejections == ()


@pytest.mark.parametrize("at", range(len(ENVELOPES)))
def test_an_envelope_gives_the_event_within_or_is_filtered(at: int) -> None:
    name, expected = ENVELOPES[at]
    record = (CASES / "14-envelopes.jsonl").read_bytes().splitlines()[at]
    got = taken(record, FILES[name].mapping)
    assert [told(each) for each in got.interactions] == expected
    assert got.rejections == ()
    assert got.filtered == (() if expected else ("control records",))
