"""One emulator for all these tests."""

from collections.abc import Iterator

import pytest

from local.emulator import Emulator


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
