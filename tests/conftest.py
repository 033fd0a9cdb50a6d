"""How long the tests look: a sample by default, everything with --verify."""

import os
import signal

import pytest
from hypothesis import HealthCheck, Phase, settings

# Shared machines stall now and then; a promise kept late is still kept.
settings.register_profile("relaxed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("sample", settings.get_profile("relaxed"), max_examples=100, derandomize=True)
settings.register_profile(
    "mutant", settings.get_profile("sample"), max_examples=400, phases=[Phase.generate], database=None
)
settings.register_profile("verify", settings.get_profile("relaxed"), max_examples=10_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --verify."""
    parser.addoption("--verify", action="store_true", help="run the long matrices whole, with fresh random examples")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples a property is tried on, and keep the developer's AWS settings out."""
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("verify" if config.getoption("--verify") else "sample")
    # A shell ignores Ctrl-C for what it starts in the background, and a command that a test interrupts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "whole: runs with --verify only")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only runs with --verify."""
    if not config.getoption("--verify"):
        config.hook.pytest_deselected(items=[each for each in items if each.get_closest_marker("whole")])
        items[:] = [each for each in items if not each.get_closest_marker("whole")]
