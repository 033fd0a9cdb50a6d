"""The package works where it is installed, on each Python that it is for."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.release.packages import ROOT, VERSION, Installed

pytestmark = pytest.mark.whole
PACKAGES = {"personalize_relay", "personalize_relay_cdk", "personalize_relay_cli"}
BESIDE = {"bundling", "changes", "deployed", "deployment", "release", "release_template", "settings_table"}
"""Modules of `infra/` that work in a checkout alone."""


def test_nothing_else_can_be_imported_because_of_it(installed: Installed) -> None:
    """No `infra`, `local` or `tests` that another package could have, too."""
    assert installed.top_level() == PACKAGES


def test_it_says_the_version_of_the_tag(installed: Installed) -> None:
    run = installed.relay("--version")
    assert (run.returncode, run.stdout) == (0, f"relay {VERSION}\n")


def test_it_validates(installed: Installed, tmp_path: Path) -> None:
    """By the function's own parser, without the function's other libraries."""
    run = installed.relay("validate", ROOT / "docs" / "example.jsonl")
    assert run.returncode == 0, run.stderr
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"sessionId": "s"}\n')
    assert installed.relay("validate", bad).returncode == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"_RELAY_COMPLETE": "complete_bash", "COMP_WORDS": "relay va", "COMP_CWORD": "1"},
        {"_RELAY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "relay va"},
        {
            "_RELAY_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_ARGS": "relay va",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
    ],
)
def test_a_shell_completes_a_subcommand(installed: Installed, asked: dict[str, str]) -> None:
    run = installed.relay(**asked)
    assert run.returncode == 0, run.stderr
    assert "validate" in run.stdout
    assert "produce" not in run.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(installed: Installed, shell: str) -> None:
    """The script that `relay --install-completion` writes for it."""
    run = installed.relay(_RELAY_COMPLETE=f"source_{shell}")
    assert run.returncode == 0
    assert f"complete_{shell}" in run.stdout


WITHOUT_LIBCURL = """
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.recovery.failures import Failures
try:
    Failures.past_the_stream(None, profile=None, region=None, local=True)
except Problem as exc:
    print(exc)
"""


def test_without_libcurl_only_direct_is_refused(installed: Installed) -> None:
    """With a sentence that says what to install."""
    run = installed.run("python", "-c", WITHOUT_LIBCURL)
    assert run.stdout == "--direct needs libcurl: install personalize-relay[direct]\n", run.stderr


def test_the_function_is_in_it_for_each_processor(wheel: Path, dist: Path) -> None:
    """The same bytes that a release has beside it."""
    with zipfile.ZipFile(wheel) as opened:
        for architecture in ("arm64", "x86_64"):
            (beside,) = dist.glob(f"*-{architecture}.zip")
            assert opened.read(f"personalize_relay_cdk/function/{architecture}.zip") == beside.read_bytes()


def test_what_a_checkout_is_for_is_left_out(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    modules = {Path(name).stem for name in names if name.startswith("personalize_relay_cdk/") and name.endswith(".py")}
    assert modules == {path.stem for path in (ROOT / "infra").glob("*.py")} - BESIDE
    assert {name for name in names if name.endswith("/py.typed")} == {f"{package}/py.typed" for package in PACKAGES}


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's packages in a folder."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    return folder


def python(unpacked: Path, outdir: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run this interpreter on what the wheel holds, away from the checkout."""
    return subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, *words],
        cwd=outdir,
        env=os.environ | {"PYTHONPATH": str(unpacked), "CDK_OUTDIR": str(outdir)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_module_of_the_construct_can_be_imported(unpacked: Path, tmp_path: Path) -> None:
    """None needs one that is left out."""
    names = sorted(path.stem for path in (unpacked / "personalize_relay_cdk").glob("*.py"))
    run = python(unpacked, tmp_path, "-c", "; ".join(f"import personalize_relay_cdk.{name}" for name in names))
    assert run.returncode == 0, run.stderr


def test_the_example_app_is_synthesized_with_the_function_in_it(unpacked: Path, tmp_path: Path) -> None:
    """Nothing is built for it: the asset is the archive that the package holds."""
    run = python(unpacked, tmp_path, ROOT / "docs" / "example_app.py")
    assert run.returncode == 0, run.stderr
    template = json.loads((tmp_path / "personalize-relay-shop.template.json").read_text())
    (function,) = [body for body in template["Resources"].values() if body["Type"] == "AWS::Lambda::Function"]
    asset = tmp_path / f"asset.{function['Properties']['Code']['S3Key']}"
    assert asset.read_bytes() == (unpacked / "personalize_relay_cdk" / "function" / "arm64.zip").read_bytes()
    assert function["Properties"]["Environment"]["Variables"]["MAPPING"] == "segment"
    assert "StreamName" in template["Outputs"]


def test_a_mapping_of_ones_own_is_packed_with_it(unpacked: Path, tmp_path: Path) -> None:
    """And tested before: what would turn every record away is not deployed."""
    mapping = tmp_path / "ours.toml"
    mapping.write_text('[[rule]]\nname = "all"\ndrop = true\n')
    app = (ROOT / "docs" / "example_app.py").read_text().replace('mapping="segment"', f'mapping="{mapping}"')
    run = python(unpacked, tmp_path, "-c", app)
    assert run.returncode == 0, run.stderr
    (archive,) = tmp_path.glob("asset.*.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("mapping.toml") == mapping.read_bytes()
        assert "personalize_relay/handler.py" in opened.namelist()
    mapping.write_text('[[rule]]\nname = "all"\ndorp = true\n')
    assert "MappingError" in python(unpacked, tmp_path, "-c", app).stderr
