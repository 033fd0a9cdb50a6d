"""The package as people get it: built from a copy of the sources, and installed into an environment of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
SOURCES = ("infra", "lambda", "personalize_relay_cli")
FILES = ("cdk.json", "LICENSE", "pyproject.toml", "README.md", "uv.lock", ".gitignore", ".python-version")


VERSION = "1.2.3"
WHO = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com")
TAGGING = (("init", "-q"), ("add", "."), (*WHO, "commit", "-qm", "all"), ("tag", f"v{VERSION}"))


def make_release(folder: Path) -> Path:
    """What `make release` writes, from a copy of the sources: nothing is put into the checkout."""
    copy = folder / "checkout"
    copy.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "function"))
    (ROOT / "build").mkdir(exist_ok=True)
    (copy / "build").symlink_to(ROOT / "build")  # the function is built once for the same sources
    for command in TAGGING:
        _run(copy, "git", *command)
    _run(copy, sys.executable, "-m", "infra.release", "dist")
    return copy / "dist"


def _run(folder: Path, *words: str | Path) -> None:
    run = subprocess.run(  # noqa: S603 - our own commands
        words, cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def interpreter(version: str) -> str | None:
    """A Python of that version on this machine, if there is one: on the path, uv's own, or pyenv's."""
    run = subprocess.run(  # noqa: S603 - the project's own tool
        [UV, "python", "find", "--no-python-downloads", "--no-project", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        return run.stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return next(map(str, pyenv.glob(f"versions/{version}.*/bin/python")), None)


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that holds a wheel, and what it needs."""

    folder: Path

    @classmethod
    def of(cls, wheel: Path, python: str, folder: Path) -> "Installed":
        """Make it: a fresh one, of an interpreter."""
        _run(folder.parent, UV, "venv", "--quiet", "--python", python, folder)
        _run(folder.parent, UV, "pip", "install", "--quiet", "--python", folder, wheel)
        return cls(folder)

    def relay(self, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run its `relay`."""
        return self.run("relay", *words, **environment)

    def run(self, command: str, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of it, in a folder that isn't the checkout's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        return subprocess.run(  # noqa: S603 - our own command
            [self.folder / "bin" / command, *words],
            cwd=self.folder,
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def top_level(self) -> set[str]:
        """The names that can be imported because of the wheel."""
        (record,) = self.folder.glob("lib/*/site-packages/personalize_relay-*.dist-info/RECORD")
        paths = [line.partition("/")[0] for line in record.read_text().splitlines()]
        return {name for name in paths if not name.endswith(".dist-info") and name != ".."}
