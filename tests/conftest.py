"""How long the tests look: a sample by default, everything with --verify, the quick ones alone with --quick."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# Shared machines stall now and then; a promise kept late is still kept.
settings.register_profile("relaxed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("sample", settings.get_profile("relaxed"), max_examples=70, derandomize=True)
settings.register_profile(
    "mutant", settings.get_profile("sample"), max_examples=400, phases=[Phase.generate], database=None
)
settings.register_profile("quick", settings.get_profile("sample"), max_examples=25)
settings.register_profile("verify", settings.get_profile("relaxed"), max_examples=10_000)


# The CDK's own check of a template takes seconds to load in each process; only the audit has it run. Its runtime begins
# as soon as a conftest.py below imports it.
os.environ["CDK_VALIDATION"] = "false"

TESTS = Path(__file__).parent
SLOW_FOLDERS = [TESTS / name for name in ("infra", "e2e", "release", "simulation")]
"""Here tests synthesize, deploy, build the package, and simulate hours."""
SLOW_FIXTURES = {"emulator"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --verify and --quick."""
    parser.addoption("--quick", action="store_true", help="leave out what takes a synth, the emulator or long")
    parser.addoption("--verify", action="store_true", help="run the long matrices whole, with fresh random examples")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples a property is tried on, and keep the developer's AWS settings out."""
    if not config.getoption("--hypothesis-profile"):
        depth = [name for name in ("verify", "quick") if config.getoption(f"--{name}")]
        settings.load_profile(depth[0] if depth else "sample")
    # A shell ignores Ctrl-C for what it starts in the background, and a command that a test interrupts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "whole: runs with --verify only")
    config.addinivalue_line("markers", "slow: left out by --quick, for the reason beside the mark")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Not even import, with --quick, what synthesizes or deploys."""
    return True if config.getoption("--quick") and collection_path in SLOW_FOLDERS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only runs with --verify, and what takes the emulator with --quick."""
    left_out = [each for each in items if _is_left_out(config, each)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [each for each in items if not _is_left_out(config, each)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep quick what is meant to be."""
    if session.config.getoption("--quick") and "aws_cdk" in sys.modules:
        raise pytest.UsageError("a quick test imports aws_cdk, which takes seconds: let it stand in tests/infra")


def _is_left_out(config: pytest.Config, item: pytest.Item) -> bool:
    if item.get_closest_marker("whole") and not config.getoption("--verify"):
        return True
    if not config.getoption("--quick"):
        return False
    return bool(item.get_closest_marker("slow")) or not SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
