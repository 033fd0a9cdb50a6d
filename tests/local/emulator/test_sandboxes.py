"""A sandbox's folder holds what unpacking the archive would put there, and is its own."""

import shutil
import zipfile
from pathlib import Path

import pytest

from local.emulator.sandboxes import LinkingArchive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return archived(tmp_path / "code.zip", {"handler.py": "one", "package/inner.py": "two"})


def archived(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name, content in files.items():
            written.writestr(name, content)
    return path


def unpacked(archive: Path, folder: Path) -> dict[str, str]:
    """What a folder holds after unpacking, by path."""
    with LinkingArchive(archive) as opened:
        opened.extractall(str(folder))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_each_folder_holds_all_files_and_outlives_the_others(archive: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        assert unpacked(archive, tmp_path / name) == {"handler.py": "one", "package/inner.py": "two"}
    shutil.rmtree(tmp_path / "first")
    assert (tmp_path / "second" / "package" / "inner.py").read_text() == "two"
    assert unpacked(archive, tmp_path / "third").keys() == {"handler.py", "package/inner.py"}


def test_what_one_sandbox_adds_to_its_folder_is_in_no_other(archive: Path, tmp_path: Path) -> None:
    unpacked(archive, tmp_path / "first")
    (tmp_path / "first" / "package" / "__pycache__").mkdir()
    assert not [path for path in unpacked(archive, tmp_path / "second") if "__pycache__" in path]


def test_another_archive_of_the_same_names_has_its_own_content(archive: Path, tmp_path: Path) -> None:
    unpacked(archive, tmp_path / "first")
    other = archived(tmp_path / "other.zip", {"handler.py": "new", "package/inner.py": "two"})
    assert unpacked(other, tmp_path / "second") == {"handler.py": "new", "package/inner.py": "two"}
