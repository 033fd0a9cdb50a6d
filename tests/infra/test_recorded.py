"""The template says by which settings it was made, and no secret."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.recorded import SECTION, recorded, texts
from infra.refusal import SECRETS
from infra.settings import StackSettings
from tests.infra.test_settings import GIVEN, INSTEAD, RIGHT


@pytest.mark.parametrize("name", sorted(RIGHT.keys() - SECRETS))
def test_what_is_recorded_reads_as_it_was_set(name: str) -> None:
    """As `-c` would give it, for every setting there is."""
    read = StackSettings.from_context(GIVEN | INSTEAD.get(name, {}) | {name: RIGHT[name][0]})
    written: dict[str, Any] = texts(read.public())
    nobody = {"trackingId": None}
    assert StackSettings.from_context(GIVEN | nobody | written) == read
    assert name in written


def test_a_time_is_recorded_the_same_in_every_zone() -> None:
    """Else the same position, written otherwise, would be a change that can't be made."""
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=5)))
    assert texts({"startingPosition": noon}) == texts({"startingPosition": elsewhere})


def test_the_template_records_the_settings_with_their_defaults(dev: Template) -> None:
    found = recorded(dev.to_json())
    assert found is not None
    assert (found["memoryMb"], found["logRetention"], found["retainData"]) == ("512", "ONE_WEEK", "false")
    assert "streamArn" not in found


def test_no_secret_is_recorded(shadow: Template) -> None:
    """CloudFormation shows a template's metadata to whoever may read the template."""
    section = shadow.to_json()["Metadata"][SECTION]
    assert section["mapping"] == "maps/ours.toml"
    assert not section.keys() & SECRETS
    assert "x" * 16 not in str(section)


def test_a_template_of_before_records_nothing() -> None:
    assert recorded({"Resources": {}}) is None
