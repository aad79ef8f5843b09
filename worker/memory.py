"""The memory limit of worker processes in a container, and whether the kernel killed one for it."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from wetread.settings import Settings

ROOM = 2
"""What a process may map, as a multiple of what it may use: libraries reserve memory that they never touch."""

KEPT_FREE = 256 * 1024**2
"""Bytes of a container's limit that are left to the process that serves, and to what the kernel counts in."""

LEAST = 128 * 1024**2
"""Bytes that a process may use whatever the limit: with less, no process would reach a film."""

UNLIMITED = 2**60
"""From here on a limit of cgroup v1 means no limit: it writes the largest number of pages."""

CGROUPS, OF_THIS_PROCESS, VMSTAT = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup"), Path("/proc/vmstat")


def bound_memory(memory_bytes: int) -> None:
    """Refuse this process more than twice `memory_bytes` of memory of its own, with a MemoryError.

    So one allocation that the whole machine could not bear fails before anything looks. A lower bound that was set
    from outside stays.
    """
    bound = ROOM * memory_bytes
    now, most = resource.getrlimit(resource.RLIMIT_DATA)
    if now == resource.RLIM_INFINITY or bound < now:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, most))


def with_memory_for(settings: Settings, processes: int) -> Settings:
    """Return the settings of `processes` worker processes, so that they together stay below the cgroup's limit.

    What is set by hand stays as it is.
    """
    limit = memory_limit()
    if limit is None or "memory_bytes" in settings.model_fields_set:
        return settings
    each = max(LEAST, (limit - KEPT_FREE) // processes)
    return settings.model_copy(update={"memory_bytes": min(settings.memory_bytes, each)})


def set_memory_for(settings: Settings, processes: int) -> Settings:
    """Return the same, and hand it on to processes that read their settings from the environment."""
    mine = with_memory_for(settings, processes)
    if mine is not settings:
        os.environ["WETREAD_MEMORY_BYTES"] = str(mine.memory_bytes)
    return mine


def memory_limit(cgroups: Path = CGROUPS, of_process: Path = OF_THIS_PROCESS) -> int | None:
    """Return the bytes that this process's cgroup and those above it allow; None where nothing limits them.

    cgroups, of_process: where cgroups are mounted, and what names this process's own.
    """
    found = []
    for folder in _folders(cgroups, of_process):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _text(folder / name).strip()
            if text.isdecimal() and int(text) < UNLIMITED:
                found.append(int(text))
    return min(found, default=None)


def oom_kills(cgroups: Path = CGROUPS, of_process: Path = OF_THIS_PROCESS, vmstat: Path = VMSTAT) -> int | None:
    """Return how many processes of this one's cgroup the kernel has ended for lack of memory, ever.

    Where the process is in no cgroup of its own, those of the whole machine; None where the kernel does not say.
    """
    for folder in _folders(cgroups, of_process):
        for name in ("memory.events", "memory.oom_control"):
            if (said := _count(folder / name)) is not None:
                return said
    return _count(vmstat)


def _folders(cgroups: Path, of_process: Path) -> Iterator[Path]:
    """Yield this process's memory cgroup and those above it, as far as they are seen from here.

    In a container its own may be mounted as the root, or hold a path that only the machine knows.
    """
    paths: dict[str, str] = {}
    for line in _text(of_process).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            paths["v1"] = path
        elif controllers == "":
            paths["v2"] = path
    mounts = [(cgroups, paths.get("v2")), (cgroups / "unified", paths.get("v2")), (cgroups / "memory", paths.get("v1"))]
    for mount, inside in mounts:
        parts = [part for part in (inside or "").split("/") if part not in ("", "..")]
        for length in range(len(parts), -1, -1):
            yield mount.joinpath(*parts[:length])


def _count(file: Path) -> int | None:
    for line in _text(file).splitlines():
        if line.startswith("oom_kill ") and (count := line.removeprefix("oom_kill ").strip()).isdecimal():
            return int(count)
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
