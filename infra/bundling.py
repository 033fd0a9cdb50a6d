"""The function's code with its dependencies, built without Docker and byte for byte the same every time."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .packed import MAPPING_FILE

WHEEL_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
PYTHON_VERSION = "3.13"
# The installer's notes: the function reads none of them, and their paths and times differ each time.
NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


class BundlingFailed(Exception):
    """A command of the recipe failed; the message holds the command and its output."""


def bundle(*, root: Path, architecture: str, mapping: Path | None = None) -> Path:
    """Return the folder of the function's code under `build/`, and build it unless it was built from the same inputs.

    A mapping's file goes into it as MAPPING_FILE.
    """
    packed = mapping.read_bytes() if mapping else None
    target = root / "build" / f"function-{architecture}-{_fingerprint(root, architecture, packed)}"
    if target.exists():
        return target
    target.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        finished = _build(root, architecture, Path(scratch), packed)
        _publish(finished, target)
    return target


def _fingerprint(root: Path, architecture: str, mapping: bytes | None) -> str:
    digest = hashlib.sha256(architecture.encode())
    digest.update(Path(__file__).read_bytes())  # the recipe
    inputs = [(str(path.relative_to(root)), path.read_bytes()) for path in (root / "uv.lock", *_sources(root))]
    # The name and place of the file make no difference to the bundle.
    inputs += [(MAPPING_FILE, mapping)] if mapping is not None else []
    for name, content in inputs:
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted((root / "lambda").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _build(root: Path, architecture: str, scratch: Path, mapping: bytes | None) -> Path:
    requirements, code = scratch / "requirements.txt", scratch / "code"
    uv = str(Path(sys.executable).with_name("uv"))
    _run(root, uv, "export", "--frozen", "--only-group", "function", "--no-emit-project", "-q", "-o", requirements)
    _run(
        root,
        *(uv, "pip", "install", "-q", "--target", code, "--python-version", PYTHON_VERSION),
        *("--python-platform", WHEEL_PLATFORMS[architecture], "--only-binary", ":all:"),
        *("--no-deps", "--require-hashes", "-r", requirements),
    )
    shutil.copytree(root / "lambda", code, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    if mapping is not None:
        (code / MAPPING_FILE).write_bytes(mapping)
    # Hash-based bytecode holds no time stamp, and on Lambda Python can't write bytecode.
    _run(
        root,
        *(sys.executable, "-m", "compileall", "-q", "-s", code, "-p", "/var/task"),
        *("--invalidation-mode", "unchecked-hash", code),
    )
    _strip(code)
    return code


def _strip(code: Path) -> None:
    shutil.rmtree(code / "bin", ignore_errors=True)
    (code / ".lock").unlink(missing_ok=True)
    for path in [path for name in NOTES for path in code.glob(f"*.dist-info/{name}")]:
        path.unlink()
    # Lambda runs as another user, whatever the umask here.
    for path in code.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _publish(finished: Path, target: Path) -> None:
    finished.chmod(0o755)
    try:
        finished.rename(target)
    except OSError:
        # Another build of the same inputs has finished first.
        if not target.exists():
            raise


def _run(folder: Path, *command: str | Path) -> None:
    # Without a fixed seed, the members of a set come in another order in the bytecode each time.
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    result = subprocess.run(  # noqa: S603 - every word of the command is written above
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise BundlingFailed(f"{' '.join(map(str, command))} failed: {result.stderr.strip()}")
