"""The function's code as one archive: the same folder gives the same bytes."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MAPPING_FILE = "mapping.toml"
"""The name of a mapping's file at the root of the function's code."""
_READABLE = 0o100644 << 16
"""Lambda runs the function as another user."""


def pack(folder: Path, archive: Path) -> None:
    """Write a folder's files into an archive, in the order of their names and without times."""
    with ZipFile(archive, "w") as opened:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            add(opened, str(path.relative_to(folder)), path.read_bytes())


def add(archive: ZipFile, name: str, content: bytes) -> None:
    """Write a file in the way of `pack`."""
    entry = ZipInfo(name)  # dated 1980, the first year that the format knows
    entry.external_attr = _READABLE
    archive.writestr(entry, content, compress_type=ZIP_DEFLATED, compresslevel=9)
