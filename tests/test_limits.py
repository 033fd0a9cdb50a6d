"""The limits of the record contract are those of botocore's `personalize-events` service model, and the other way."""

import re
from collections.abc import Iterator
from typing import Any, cast

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape

from personalize_relay.errors import InvalidRecord
from personalize_relay.events import Event, MetricAttribution
from personalize_relay.names import EVENT_MEMBERS, REQUEST_MEMBERS
from personalize_relay.members import LIMITS, attribution_source


@pytest.fixture(scope="module")
def request_shape() -> StructureShape:
    """The input of PutEvents as the model has it."""
    model = botocore.session.get_session().get_service_model("personalize-events")
    shape = model.operation_model("PutEvents").input_shape
    assert shape is not None
    return shape


def _event(request_shape: StructureShape) -> StructureShape:
    return cast("StructureShape", cast("ListShape", request_shape.members["eventList"]).member)


def _attribution(event: StructureShape) -> StructureShape:
    return cast("StructureShape", event.members["metricAttribution"])


def _limits(shape: Shape, path: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """Each limit under a shape, by the path of its member; what the model leaves open at the bottom is 1."""
    bounds: dict[str, Any] = shape.metadata
    if "max" in bounds:
        yield path, (bounds.get("min", 1), bounds["max"])
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from _limits(member, f"{path}.{name}" if path else name)
    if isinstance(shape, ListShape):
        # An event's members are named without their list; the ids in an impression have no name but its own.
        yield from _limits(shape.member, "" if path == "eventList" else f"{path}[]")


def test_every_limit_is_the_models_and_every_limit_of_the_model_is_kept(request_shape: StructureShape) -> None:
    assert dict(_limits(request_shape)) == LIMITS


def test_every_member_of_the_api_is_known_and_no_other(request_shape: StructureShape) -> None:
    event = _event(request_shape)
    assert frozenset(request_shape.members) == REQUEST_MEMBERS
    assert frozenset(event.members) == EVENT_MEMBERS
    assert frozenset(Event.__struct_encode_fields__) == EVENT_MEMBERS
    assert list(MetricAttribution.__struct_encode_fields__) == list(_attribution(event).members)


def test_required_members_are_the_models(request_shape: StructureShape) -> None:
    """The relay fills in trackingId and sentAt itself; sessionId and eventType must be given."""
    event = _event(request_shape)
    assert set(request_shape.required_members) == {"trackingId", "sessionId", "eventList"}
    assert set(event.required_members) == {"eventType", "sentAt"}
    assert _attribution(event).required_members == ["eventAttributionSource"]


def test_the_attribution_source_keeps_the_models_pattern(request_shape: StructureShape) -> None:
    attribution = _attribution(_event(request_shape))
    pattern = attribution.members["eventAttributionSource"].metadata["pattern"]
    assert pattern == r"^[\x20-\x7E]*[\x21-\x7E]+[\x20-\x7E]*$"
    for text in ("a", " a ", "~", "\x7f", "\x1f", " ", "   ", "a\n", "\u00e9"):
        assert _is_attribution_source(text) == bool(re.fullmatch(pattern[1:-1], text)), ascii(text)


def _is_attribution_source(text: str) -> bool:
    try:
        return attribution_source("metricAttribution", {"eventAttributionSource": text}) is not None
    except InvalidRecord:
        return False


def test_types_are_the_models(request_shape: StructureShape) -> None:
    """A member whose type changes in the API turns this red; `properties` is a string there, not an object."""
    event = _event(request_shape)
    types = {name: member.type_name for name, member in event.members.items()}
    assert types == {
        "eventId": "string",
        "eventType": "string",
        "eventValue": "float",
        "itemId": "string",
        "properties": "string",
        "sentAt": "timestamp",
        "recommendationId": "string",
        "impression": "list",
        "metricAttribution": "structure",
    }
