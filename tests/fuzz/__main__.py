"""The long run: `python -m tests.fuzz --minutes 60`. Each round has a seed of its own, which it prints."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from kubetour.embedded.clusterconfig import FAKE, PROCESSES
from kubetour.embedded.testing import Server
from tests.fuzz.harness import complaints, fire


def resident(pid: int) -> int:
    """Return a process' resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def main() -> int:
    """Fire until the time is over; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--examples", type=int, default=2000, help="requests in a round")
    parser.add_argument("--keep-going", action="store_true", help="after a finding, too")
    options = parser.parse_args()
    end, number, sent, found = time.monotonic() + options.minutes * 60, options.seed, 0, 0
    while time.monotonic() < end:
        runtime = FAKE if number % 2 else PROCESSES
        with tempfile.TemporaryDirectory() as directory:
            server = Server(Path(directory), runtime=runtime)
            try:
                fire(server, number, options.examples)
            except Exception:
                found += 1
                traceback.print_exc(limit=-1)
            finally:
                if said := complaints(server):
                    found += 1
                    print(*said[:5], sep="\n")
                    log = (server.directory.path / "server.log").read_text(encoding="utf-8", errors="replace")
                    Path(f"/tmp/fuzz-{number}.log").write_text(log)
                process = server.directory.server()
                memory = resident(process.pid) if process else 0
                server.close()
        sent += options.examples
        print(f"seed {number}, {runtime}: {sent} requests so far, {memory} MiB, {found} findings", flush=True)
        if found and not options.keep_going:
            break
        number += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
