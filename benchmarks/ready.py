"""From nothing to a cluster whose nodes are ready, and what it takes in memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.embedded import memory_mb, spread, timed
from benchmarks.measure import against
from benchmarks.results import Result
from kubetour.embedded.testing import Server

ROUNDS = 7
MOST_RATIO, MOST_MB = 3.0, 100
# etcd and kube-apiserver 1.36 on a machine like this one, recorded, as they are not to be had everywhere.
REAL_SECONDS, REAL_MB = 3.3, 308
# What any program pays that is to be a web server with TLS in Python, before it does anything.
_BARE = "import aiohttp.web, cryptography.x509, sqlite3, ssl"


def main() -> Result:
    """Print the table; return both ratios."""
    bare, whole, idle = [], [], []
    for _ in range(ROUNDS):
        bare.append(timed(lambda: subprocess.run((sys.executable, "-c", _BARE), check=True)))
        with tempfile.TemporaryDirectory(prefix="bench") as root:
            began = time.monotonic()
            server = Server(Path(root))
            whole.append(time.monotonic() - began)
            found = server.directory.server()
            idle.append(memory_mb(found.pid) if found else 0.0)
            server.close()
    print("| what | median | min–max |\n|---|---|---|")
    print(f"| Python importing a web server, TLS and SQLite, s | {spread(bare)} |")
    print(f"| `create cluster` to Ready, s | {spread(whole)} |")
    print(f"| memory idle (RSS), MB | {spread(idle, 0)} |")
    seconds, mb = statistics.median(whole), statistics.median(idle)
    print(f"\nOf the recorded etcd with kube-apiserver it is {seconds / REAL_SECONDS:.2f} ({REAL_SECONDS} s)")
    print(f"and {mb / REAL_MB:.2f} ({REAL_MB} MB).\n")
    result, rounds = Result(), against(whole, bare)
    result.add(
        "create cluster to Python importing as much", statistics.median(rounds), rounds, most=MOST_RATIO
    )
    result.add("memory idle, MB", mb, idle, most=MOST_MB)
    return result
