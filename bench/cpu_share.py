"""A share of a core, as Lambda gives one: a control group of Linux with a CPU quota.

Version 1 of control groups and version 2 both do; either has to be writable, which takes root as a rule.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD = 20_000
"""Microseconds in which a group gets its quota once: what Lambda's sandboxes are set to."""
MOUNT = Path("/sys/fs/cgroup")


class NoControlGroup(Exception):
    """No control group with a quota can be had here; the text says what is missing."""


class CpuGroup:
    """A control group, whose processes may be held to a share of a core among them."""

    def __init__(self, folder: Path, settings: Callable[[int | None], dict[str, str]]) -> None:
        self.folder = folder
        """Where its files are."""
        self._settings = settings

    def admit(self, pid: int) -> None:
        """Take in a process with all its threads."""
        self._write("cgroup.procs", str(pid))

    @contextmanager
    def limited(self, share: float) -> Iterator[None]:
        """Meanwhile the group has so much of a core; before and after, as much as it likes."""
        self._set(round(share * PERIOD))
        try:
            yield
        finally:
            self._set(None)

    def _set(self, quota: int | None) -> None:
        for file, content in self._settings(quota).items():
            self._write(file, content)

    def _write(self, file: str, content: str) -> None:
        try:
            (self.folder / file).write_text(content)
        except OSError as exc:
            raise NoControlGroup(f"{self.folder / file} cannot be written ({exc.strerror})") from exc


@contextmanager
def cpu_group(mount: Path = MOUNT, name: str = f"bench-{os.getpid()}") -> Iterator[CpuGroup]:
    """A group of that name, removed afterwards, when its processes must have ended.

    Raises NoControlGroup where none can be made or written.
    """
    parent, settings = _hierarchy(mount)
    folder = parent / name
    try:
        folder.mkdir()
    except OSError as exc:
        raise NoControlGroup(f"no group can be made in {parent} ({exc.strerror})") from exc
    try:
        group = CpuGroup(folder, settings)
        with group.limited(1):
            pass  # it can be written, then
        yield group
    finally:
        folder.rmdir()


def _hierarchy(mount: Path) -> tuple[Path, Callable[[int | None], dict[str, str]]]:
    """Where groups with a CPU quota are made, and how a quota is written there."""
    if (mount / "cpu" / "cpu.cfs_quota_us").exists():
        return mount / "cpu", version_1
    controlled = mount / "cgroup.subtree_control"
    if not controlled.exists():
        raise NoControlGroup(f"{mount} has neither cpu/cpu.cfs_quota_us nor cgroup.subtree_control")
    if "cpu" not in controlled.read_text().split():
        raise NoControlGroup(f"{controlled} does not name cpu")
    return mount, version_2


def version_1(quota: int | None) -> dict[str, str]:
    """What to write into which file, for microseconds of CPU in a period, or None for any number."""
    return {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(-1 if quota is None else quota)}


def version_2(quota: int | None) -> dict[str, str]:
    """The same for version 2."""
    return {"cpu.max": f"{'max' if quota is None else quota} {PERIOD}"}
