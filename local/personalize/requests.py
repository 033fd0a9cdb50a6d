"""PutEvents requests as the fake receives them, and every limit the service's model sets on them.

The limits are read from the installed botocore, so that they can't drift from the service's.
"""

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import msgspec
from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

type EventMembers = dict[str, Any]

_SCALARS = {"string": str, "float": float, "timestamp": float}
MAX_EVENT_BYTES = 10 * 1024
"""Of one event as compact JSON (the service's quotas page)."""
RESERVED_PROPERTIES = frozenset({"userid", "sessionid", "eventtype", "timestamp", "recommendationid", "impression"})
"""In lower case (the model's text on `properties`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """One request as it came: members of the wrong type read as absent here, `document` holds them all.

    An event without an id has got a random one in `event_ids`, as the service gives it.
    """

    document: Any
    size: int
    tracking_id: str
    user_id: str | None
    session_id: str
    events: tuple[EventMembers, ...]
    event_ids: tuple[str, ...]

    @property
    def lane(self) -> tuple[str, str]:
        """The tracker and the session, within which order matters."""
        return (self.tracking_id, self.session_id)


def parse(body: bytes) -> ReceivedRequest:
    """Read a body, whatever it holds; `document` is None where it is not JSON."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        document = None
    members: dict[str, Any] = document if isinstance(document, dict) else {}
    listed = members.get("eventList")
    events = tuple(event for event in listed if isinstance(event, dict)) if isinstance(listed, list) else ()
    return ReceivedRequest(
        document=document,
        size=len(body),
        tracking_id=_text(members.get("trackingId")) or "",
        user_id=_text(members.get("userId")),
        session_id=_text(members.get("sessionId")) or "",
        events=events,
        event_ids=tuple(_text(event.get("eventId")) or str(uuid.uuid4()) for event in events),
    )


def violation(request: ReceivedRequest) -> str | None:
    """Say which limit the request breaks first, without a byte of its values; None when it breaks none."""
    try:
        msgspec.convert(request.document, _put_events_type())
    except msgspec.ValidationError as exc:
        return f"1 validation error detected: {exc}"
    weigh = request.size > MAX_EVENT_BYTES
    return next(filter(None, (_event_violation(event, weigh=weigh) for event in request.events)), None)


def put_events_shape() -> StructureShape:
    """Load PutEvents' input from the service model of the installed botocore."""
    model = ServiceModel(Loader().load_service_model("personalize-events", "service-2"), "personalize-events")
    shape = model.operation_model("PutEvents").input_shape
    if shape is None:
        raise LookupError("botocore's personalize-events model has no input for PutEvents")
    return shape


@cache
def _put_events_type() -> object:
    return _type_of(put_events_shape())


def _type_of(shape: Shape) -> Any:  # noqa: ANN401 - a type made at run time, none that mypy could follow
    """Make of a shape the type that msgspec holds a value to, limits included.

    As everywhere in AWS's JSON protocols an unknown member is ignored, and a null one is absent.
    """
    if isinstance(shape, StructureShape):
        return msgspec.defstruct(shape.name, [_field_of(shape, name) for name in shape.members], kw_only=True)
    if isinstance(shape, ListShape):
        return Annotated[list[_type_of(shape.member)], _limits_of(shape)]  # type: ignore[misc] # made at run time
    return Annotated[_SCALARS[shape.type_name], _limits_of(shape)]


def _field_of(shape: StructureShape, name: str) -> Any:  # noqa: ANN401 - see _type_of
    member = _type_of(shape.members[name])
    return (name, member) if name in shape.metadata.get("required", []) else (name, member | None, None)


def _limits_of(shape: Shape) -> msgspec.Meta:
    pattern = shape.metadata.get("pattern")
    return msgspec.Meta(
        min_length=shape.metadata.get("min"),
        max_length=shape.metadata.get("max"),
        # The whole text must match; alone, `$` would let a final newline pass.
        pattern=None if pattern is None else rf"^(?:{pattern})\Z",
    )


def _event_violation(event: EventMembers, *, weigh: bool) -> str | None:
    """Check what the model says in words only; no event of a request smaller than one event's limit need be weighed."""
    if weigh and len(msgspec.json.encode(event)) > MAX_EVENT_BYTES:
        return f"An event must be at most {MAX_EVENT_BYTES} bytes"
    properties = event.get("properties")
    return None if properties is None else _properties_violation(properties)


def _properties_violation(text: str) -> str | None:
    try:
        properties = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return "Error parsing properties json"
    allowed = RESERVED_PROPERTIES.isdisjoint(map(str.lower, properties))
    return None if allowed else "A key of properties is reserved"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
