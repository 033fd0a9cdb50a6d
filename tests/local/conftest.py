"""One emulator for all these tests, and a Personalize fake for each."""

from collections.abc import Iterator

import pytest

from local.emulator.emulator import Emulator
from local.personalize.server import PersonalizeFake
from tests.local.personalize.put_events import PutEvents, client_of


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """An emulator with a bucket named `failed`."""
    with Emulator() as running:
        running.client("s3").create_bucket(Bucket="failed")
        yield running


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses for its stream, function or queue."""
    return str(request.node.name).removeprefix("test_")[:60]


@pytest.fixture
def personalize() -> Iterator[PersonalizeFake]:
    """A Personalize fake that knows every tracker."""
    with PersonalizeFake() as running:
        yield running


@pytest.fixture
def put_events(personalize: PersonalizeFake) -> PutEvents:
    """Makes PutEvents calls to it."""
    return client_of(personalize)
