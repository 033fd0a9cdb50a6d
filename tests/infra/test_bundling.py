"""The function's code: complete, small, and the same from every checkout."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.bundling import NOTES, BundlingFailed, bundle
from infra.packed import MAPPING_FILE
from tests.infra.conftest import ROOT

ARCHITECTURES = ("arm64", "x86_64")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
ELF_MACHINES = {"arm64": 183, "x86_64": 62}
DEPENDENCIES = {
    *("aws_lambda_powertools", "certifi", "curl", "jmespath", "msgspec", "pycurl", "pycurl.libs", "tzdata"),
    "typing_extensions.py",
}
MAX_ZIPPED_BYTES = 10_500_000

type Bundles = dict[str, Path]


def checkout(folder: Path) -> Path:
    """A copy of what the bundle is made from, as a fresh clone holds it."""
    folder.mkdir()
    for name in ("pyproject.toml", "uv.lock", ".python-version"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "lambda", folder / "lambda", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def content(folder: Path) -> str:
    """A digest of every path, mode and byte in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_mode:o}\0".encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def finished(folder: Path, bundles: Bundles) -> Path:
    """A copy that holds this checkout's bundles, and in which no other can be built."""
    root = checkout(folder)
    break_builds(root)
    (root / "build").mkdir()
    for each in bundles.values():
        (root / "build" / each.name).symlink_to(each)
    return root


def break_builds(root: Path) -> None:
    """Let every further build of a checkout fail: its project's file is none, which no bundle's name tells of."""
    (root / "pyproject.toml").write_text("nonsense")


def our_modules(folder: Path) -> set[Path]:
    """The function's own modules in a folder, by their paths."""
    return {path.relative_to(folder) for path in (folder / "personalize_relay").rglob("*.py")}


@pytest.fixture(scope="module")
def bundles() -> Bundles:
    """Each architecture's bundle, of this checkout: what is deployed from it is built once."""
    with ThreadPoolExecutor() as pool:
        under_way = {one: pool.submit(bundle, root=ROOT, architecture=one) for one in ARCHITECTURES}
    return {one: build.result() for one, build in under_way.items()}


@pytest.mark.whole
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_two_copies_give_one_bundle(tmp_path: Path, architecture: str) -> None:
    """A deployment from another machine changes nothing when nothing has changed, nor one from a used checkout."""
    copies = [checkout(tmp_path / "first"), checkout(tmp_path / "second-with-a-longer-name")]
    (copies[1] / "lambda" / "personalize_relay" / "__pycache__").mkdir()
    (copies[1] / "lambda" / "personalize_relay" / "__pycache__" / "events.cpython-313.pyc").write_bytes(b"stale")
    first, second = (bundle(root=root, architecture=architecture) for root in copies)
    assert first.name == second.name
    assert content(first) == content(second)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bundle_holds_what_the_function_needs(bundles: Bundles, architecture: str) -> None:
    """Our modules and the dependencies with their bytecode and for the right processor; not the runtime's own boto3."""
    folder = bundles[architecture]
    names = {path.name for path in folder.iterdir() if not path.name.endswith(".dist-info")}
    ours = {path.name for path in (ROOT / "lambda").iterdir()}
    assert names - {"__pycache__"} == ours | DEPENDENCIES
    assert our_modules(folder) == our_modules(ROOT / "lambda")
    sources = list(folder.rglob("*.py"))
    assert [one for one in sources if not (one.parent / "__pycache__" / f"{one.stem}.cpython-313.pyc").exists()] == []
    libraries = [path.read_bytes()[:20] for path in folder.rglob("*.so*")]
    assert {header[:4] for header in libraries} == {b"\x7fELF"}
    assert {int.from_bytes(header[18:20], "little") for header in libraries} == {ELF_MACHINES[architecture]}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bundle_holds_no_notes_of_its_making(bundles: Bundles, architecture: str) -> None:
    """No path, time or tool of the machine that built it."""
    folder = bundles[architecture]
    assert [path for path in folder.rglob("*") if path.name in {*NOTES, "bin", ".lock"}] == []
    assert [path for path in folder.rglob("*.pyc") if os.fsencode(ROOT) in path.read_bytes()] == []


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bundle_is_small(bundles: Bundles, architecture: str, tmp_path: Path) -> None:
    """A cold start loads it quickly."""
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for path in bundles[architecture].rglob("*"):
            opened.write(path)
    assert archive.stat().st_size < MAX_ZIPPED_BYTES


def test_bundle_is_readable_by_lambda(bundles: Bundles) -> None:
    """Whatever the umask of the machine that built it."""
    folder = bundles["arm64"]
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert modes == {True: 0o755, False: 0o644}


def test_bundle_can_be_imported(bundles: Bundles) -> None:
    """Every module of ours finds its imports beside it: with -S the interpreter sees no installed package."""
    machine = {machine: name for name, machine in MACHINES.items()}[os.uname().machine]
    folder = bundles[machine]
    modules = sorted(path.stem for path in (folder / "personalize_relay").glob("*.py") if path.stem != "handler")
    program = "; ".join(f"import personalize_relay.{name}" for name in modules)
    path = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(  # noqa: S603 - this interpreter and names of our modules
        [sys.executable, "-S", "-c", program], cwd=folder, env=os.environ | path, check=True
    )


def test_same_inputs_are_built_once(bundles: Bundles, tmp_path: Path) -> None:
    """A second synth runs no command."""
    root = finished(tmp_path / "again", bundles)
    assert bundle(root=root, architecture="arm64").name == bundles["arm64"].name


def test_changed_source_is_built_anew(bundles: Bundles, tmp_path: Path) -> None:
    """Each input has its part in the name of the bundle."""
    root = finished(tmp_path / "changed", bundles)
    (root / "lambda" / "personalize_relay" / "added.py").touch()
    with pytest.raises(BundlingFailed):
        bundle(root=root, architecture="arm64")


def test_a_mapping_is_packed_under_a_name_of_its_own(bundles: Bundles, tmp_path: Path) -> None:
    """What it is called and where it lies changes nothing, and what it holds changes the bundle."""
    root = checkout(tmp_path / "mapped")
    files = [tmp_path / name for name in ("ours.toml", "theirs.toml", "other.toml")]
    for path, text in zip(files, ("same", "same", "differs"), strict=True):
        path.write_text(text)
        path.chmod(0o600)
    ours, theirs, other = files
    built = bundle(root=root, architecture="arm64", mapping=ours)
    break_builds(root)
    assert bundle(root=root, architecture="arm64", mapping=theirs) == built
    with pytest.raises(BundlingFailed):
        bundle(root=root, architecture="arm64", mapping=other)
    assert built.name != bundles["arm64"].name
    packed = built / MAPPING_FILE
    assert (packed.read_text(), packed.stat().st_mode & 0o777) == ("same", 0o644)
    packed.unlink()
    assert content(built) == content(bundles["arm64"])


@pytest.mark.whole
def test_builds_at_once_do_not_clash(tmp_path: Path) -> None:
    """Two synths in one checkout share a bundle, whole, and leave nothing else behind."""
    root = checkout(tmp_path / "shared")
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: bundle(root=root, architecture="x86_64"), range(2))
    assert first == second
    assert list((root / "build").iterdir()) == [first]


def test_failure_says_what_failed(tmp_path: Path) -> None:
    """A broken lock file ends in the command's own words, and in no half-made bundle."""
    root = checkout(tmp_path / "broken")
    (root / "uv.lock").write_text("nonsense")
    with pytest.raises(BundlingFailed, match=r"uv export .* failed: .*uv\.lock"):
        bundle(root=root, architecture="arm64")
    assert list((root / "build").iterdir()) == []
