"""An account of these tests' own, and the assembly of each variant that they deploy to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator.clients import FUNCTION_CREDENTIALS
from local.emulator.emulator import Emulator
from local.personalize.server import PersonalizeFake
from local.system import TRACKER
from tests.e2e.account import Account, assemble
from tests.e2e.deployments.variants import VARIANTS, Variants


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """The assembly of each variant, written when it is first asked for."""
    folder = tmp_path_factory.mktemp("assemblies")

    def assembly(name: str) -> Path:
        written = folder / name
        return written if written.exists() else assemble(written, VARIANTS[name])

    return assembly


@pytest.fixture(scope="module")
def trackers() -> list[str]:
    """The trackers that Personalize knows; a test may add one that its stack made."""
    return [TRACKER]


@pytest.fixture(scope="module")
def personalize(trackers: list[str]) -> Iterator[PersonalizeFake]:
    """The fake that the functions of these stacks call."""
    with PersonalizeFake(trackers=trackers, credentials=FUNCTION_CREDENTIALS) as running:
        yield running


@pytest.fixture(scope="module")
def bootstrapped(
    personalize: PersonalizeFake, variants: Variants, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    """An account of this file's own, prepared for deployments."""
    with Emulator({"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": personalize.endpoint}) as emulator:
        account = Account(emulator, tmp_path_factory.mktemp("cdk"))
        account.bootstrap(variants("dev"))
        yield account


@pytest.fixture
def account(bootstrapped: Account, personalize: PersonalizeFake) -> Iterator[Account]:
    """The account, with no stack of the dev stage before the test or after it."""
    personalize.forget()
    yield bootstrapped
    personalize.clear()
    # What a failed test put there stops the deletion, and with it the next test.
    for bucket in (name for kind, name in bootstrapped.holds() if kind == "bucket" and "relay-dev" in name):
        bootstrapped.empty(bucket)
    bootstrapped.delete("dev")
