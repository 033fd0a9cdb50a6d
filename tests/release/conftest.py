"""One release for all these tests."""

from pathlib import Path

import pytest

from tests.release.packages import Installed, interpreter, make_release

VERSIONS = ("3.13", *(pytest.param(each, marks=pytest.mark.whole) for each in ("3.12", "3.14")))


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what a release consists of."""
    return make_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """The package."""
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="session", params=VERSIONS)
def installed(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The package in a fresh environment of each version of Python that it is for."""
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"no Python {request.param} on this machine: `uv python install {request.param}`")
    return Installed.of(wheel, python, tmp_path_factory.mktemp("environment") / request.param)
