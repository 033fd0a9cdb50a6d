"""The function's code as one file: the same bytes from the same folder."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MAPPING_FILE = "mapping.toml"
"""What the file of a mapping is called at the root of the function's code."""
_READABLE = 0o100644 << 16
"""Lambda runs as another user."""


def pack(folder: Path, archive: Path) -> None:
    """Write a folder's files into an archive, in the order of their names and without a time."""
    with ZipFile(archive, "w") as opened:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            add(opened, str(path.relative_to(folder)), path.read_bytes())


def add(archive: ZipFile, name: str, content: bytes) -> None:
    """Write one file as `pack` does."""
    entry = ZipInfo(name)  # of 1980, the first year of this form
    entry.external_attr = _READABLE
    archive.writestr(entry, content, compress_type=ZIP_DEFLATED, compresslevel=9)
