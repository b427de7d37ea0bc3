"""From nothing to a cluster whose nodes are ready, and what it takes in memory."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.embedded import memory_mb, spread, timed, with_children
from benchmarks.measure import against
from benchmarks.results import Result
from kubetour.embedded.testing import Server

ROUNDS = 7
MOST_RATIO, MOST_MB = 3.0, 100
# etcd and kube-apiserver 1.36 on a machine like this one, recorded, as they are not to be had everywhere.
REAL_SECONDS, REAL_MB = 3.3, 308
# What any program pays that is to be a web server with TLS in Python, before it does anything.
_BARE = "import aiohttp.web, cryptography.x509, sqlite3, ssl"


def _round() -> tuple[float, float, float]:
    """Return the seconds of the imports and to Ready, and the memory of the cluster's processes in MB."""
    bare = timed(lambda: subprocess.run((sys.executable, "-c", _BARE), check=True))
    with tempfile.TemporaryDirectory(prefix="bench") as root:
        began = time.monotonic()
        server = Server(Path(root))
        whole = time.monotonic() - began
        found = server.directory.server()
        idle = sum(map(memory_mb, with_children(found.pid))) if found else 0.0
        server.close()
    return bare, whole, idle


@contextlib.contextmanager
def keeping_bytecode(directory: str) -> Iterator[None]:
    """Have every Python that is started keep its bytecode there, as one that is installed does."""
    before = dict(os.environ)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = directory
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> Result:
    """Print the table; return both ratios."""
    with tempfile.TemporaryDirectory() as bytecode, keeping_bytecode(bytecode):
        first = _round()  # compiles what an installation has compiled
        bare, whole, idle = zip(*(_round() for _ in range(ROUNDS)), strict=True)
    print("| what | median | min–max |\n|---|---|---|")
    print(f"| Python importing a web server, TLS and SQLite, s | {spread(bare)} |")
    print(f"| `create cluster` to Ready, s | {spread(whole)} |")
    print(f"| memory idle (RSS), MB | {spread(idle, 0)} |")
    print(f"\nThe first time, when Python compiles all of it: {first[0]:.2f} and {first[1]:.2f} s.")
    seconds, mb = statistics.median(whole), statistics.median(idle)
    print(f"Of the recorded etcd with kube-apiserver it is {seconds / REAL_SECONDS:.2f} ({REAL_SECONDS} s)")
    print(f"and {mb / REAL_MB:.2f} ({REAL_MB} MB).\n")
    result, rounds = Result(), against(whole, bare)
    result.add(
        "create cluster to Python importing as much", statistics.median(rounds), rounds, most=MOST_RATIO
    )
    result.add("memory idle, MB", mb, idle, most=MOST_MB)
    return result
