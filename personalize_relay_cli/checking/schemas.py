"""Compare events with the Avro schema of a Personalize interactions dataset."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from personalize_relay.events import Interaction
from personalize_relay_cli.problems import Misuse

_PROPERTIES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MEMBERS = {
    "ITEM_ID": "item_id",
    "EVENT_VALUE": "event_value",
    "RECOMMENDATION_ID": "recommendation_id",
    "IMPRESSION": "impression",
    "EVENT_ATTRIBUTION_SOURCE": "metric_attribution",
}
"""The fields that members of an event fill, besides those that every event has."""


class Schema:
    """The fields of a schema: which of them must be filled, and which property fills which."""

    def __init__(self, fields: Mapping[str, bool]) -> None:
        """`fields` says of each by name whether it is required."""
        self.unfilled = {name for name, required in fields.items() if required} - {"EVENT_TYPE", "TIMESTAMP"}
        """The required fields that no event has filled so far."""
        self._by_property = {_camel_case(name): name for name in fields}

    def compare(self, interaction: Interaction) -> set[str]:
        """The event's properties that fill no field; what it does fill is unfilled no longer."""
        event = interaction.event
        given = set(_PROPERTIES.decode(event.properties)) if event.properties else set()
        if self.unfilled:
            self.unfilled.difference_update(_filled(interaction), map(self._by_property.get, given))
        return given - self._by_property.keys()


def load(file: Path) -> Schema:
    """The schema in a file, as `aws personalize create-schema` takes it; raises Misuse for any other."""
    try:
        content = msgspec.json.decode(file.read_bytes())
        return Schema({field["name"]: _is_required(field["type"]) for field in content["fields"]})
    except OSError as exc:
        raise Misuse(f"{file}: can't be read: {(exc.strerror or str(exc)).lower()}") from exc
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise Misuse(f"{file}: is no Avro schema of interactions: a record with fields, as JSON") from exc


def _is_required(kind: Any) -> bool:  # noqa: ANN401 - Avro's types are texts, lists and objects
    return "null" not in (kind if isinstance(kind, list) else [kind])


def _camel_case(field: str) -> str:
    """The property that fills a field, as the Event of the Personalize API reference has it."""
    first, *others = field.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def _filled(interaction: Interaction) -> Iterator[str]:
    if interaction.user_id is not None:
        yield "USER_ID"
    yield from (field for field, name in _MEMBERS.items() if getattr(interaction.event, name) is not None)
