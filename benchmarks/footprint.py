"""What a cluster takes of this machine at a moment, read from /proc and its directory."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

MB = 1e6


@dataclass(frozen=True)
class Footprint:
    """One sample. Sizes are in MB of 10^6 bytes."""

    memory: float  # resident, of the server
    files: int  # open, of the server
    threads: int  # of the server
    database: float
    wal: float
    disk: float  # all of the cluster's files but the database
    logs: float  # of the server
    server: int  # processes
    apps: int
    others: int

    @property
    def values(self) -> dict[str, float]:
        """Return them by name."""
        return asdict(self)


def footprint(pid: int, directory: Path, root: Path) -> Footprint:
    """Return what the cluster in this directory, with this server, takes. OSError if the server has ended."""
    process = Path("/proc", str(pid))
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines()
    )
    database, wal = (_size(directory / name) for name in ("state.db", "state.db-wal"))
    whole = sum(_size(path) for path in _files(directory))
    kinds = Counter(kind for other, kind in processes(root).items() if other != os.getpid())
    return Footprint(
        memory=int(status["VmRSS"].split()[0]) * 1024 / MB,
        files=len(os.listdir(process / "fd")),
        threads=int(status["Threads"]),
        database=database,
        wal=wal,
        disk=whole - database - wal,
        logs=_size(directory / "server.log"),
        server=kinds.pop("server", 0),
        apps=kinds.pop("app", 0),
        others=sum(kinds.values()),
    )


def processes(root: Path) -> dict[int, str]:
    """Return the processes with this state directory in their environment: server, app, or their words."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(root).encode() not in (entry / "environ").read_bytes():
                continue
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        found[int(entry.name)] = _kind(words)
    return found


def _kind(words: list[str]) -> str:
    if "kubetour.embedded" in words and "serve" in words:
        return "server"
    return "app" if any(word.endswith("app.js") for word in words) else " ".join(words).strip()


def _files(directory: Path) -> list[Path]:
    return [Path(parent, name) for parent, _, names in os.walk(directory) for name in names]


def _size(path: Path) -> float:
    try:
        return path.lstat().st_size / MB
    except OSError:  # it was removed meanwhile
        return 0.0
