"""Each preset on the deployed relay: its tests' payloads go onto the stream, and what they expect comes out."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from personalize_relay.mapping_file import read, source
from tests.e2e.conftest import Relay
from tests.e2e.versions import function_set
from tests.test_preset_deliveries import SAMPLED, TRACKERS, arrived, expected


@pytest.fixture(params=SAMPLED)
def mapped(relay: Relay, request: pytest.FixtureRequest) -> Iterator[tuple[Relay, str]]:
    """The deployed relay with a preset for its mapping, and the trackers that the preset's tests name."""
    name, personalize = str(request.param), relay.personalize
    known, personalize.trackers = personalize.trackers, None
    with function_set(relay.system, {"MAPPING": name, "ALLOWED_TRACKING_IDS": ",".join(TRACKERS)}):
        yield relay, name
    personalize.trackers = known


def test_what_a_presets_tests_expect_arrives_and_the_rest_is_filtered_or_in_the_bucket(
    mapped: tuple[Relay, str],
) -> None:
    relay, name = mapped
    tests = read(source(name), file=name).tests
    filtered, before = relay.system.filtered(), int(time.time())
    relay.put(*(test.input.encode() for test in tests))
    relay.settle()
    assert arrived(relay.personalize, since=before) == expected(tests)
    assert relay.system.filtered() - filtered == Counter(test.dropped for test in tests if test.dropped)
    rejected = Counter(each["reason"] for line in relay.quarantined for each in line["rejected"])
    assert rejected == Counter(test.reason for test in tests if test.reason)
