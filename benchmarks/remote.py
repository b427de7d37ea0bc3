"""A command on a host over a connection that stays, against plain ssh over one that stays, to a real sshd."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from invoke.context import Context

from benchmarks.measure import against
from benchmarks.results import Result
from kubetour.remote.host import RemoteHost
from kubetour.runner import configure, perform
from kubetour.steps import Run
from tests.remote import sshd

COMMANDS, ROUNDS, MOST = 30, 5, 3.0


def main() -> Result:
    """Print the table; return the ratio."""
    result = Result()
    if not (sshd.find_sshd() and shutil.which("ssh")):
        print("SKIP: there is no sshd (no pass)")
        return result
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        base = Path(name)
        base.chmod(0o755)
        key = base / "key"
        public = sshd.keygen(key)
        with (
            sshd.account(f"kb{os.getpid() % 100000}", base) as account,
            sshd.serve(public, account.home) as server,
        ):
            (base / "home/.ssh").mkdir(parents=True)
            known = base / "home/.ssh/known_hosts"
            known.write_text(server.known(), encoding="utf-8")
            shutil.copy2(key, base / "home/.ssh/id_ed25519")
            theirs, ours = _measure(base, known, account.name, server.port)
    print("| `true` on a host | median, ms | min–max |\n|---|---|---|")
    for what, found in (("ssh, multiplexed", theirs), ("kubetour", ours)):
        print(f"| {what} | {statistics.median(found):.1f} | {min(found):.1f}–{max(found):.1f} |")
    print()
    rounds = against(ours, theirs)
    result.add("a command of ours to ssh's", statistics.median(rounds), rounds, most=MOST)
    return result


def _measure(base: Path, known: Path, user: str, port: int) -> tuple[list[float], list[float]]:
    """Return milliseconds for each command, by ssh and by us."""
    options = (
        "-i",
        str(base / "key"),
        "-o",
        f"UserKnownHostsFile={known}",
        "-o",
        "BatchMode=yes",
        "-p",
        str(port),
    )
    ssh = ("ssh", "-S", str(base / "s"), *options, f"{user}@127.0.0.1")
    subprocess.run(("ssh", "-M", "-f", "-N", *ssh[1:]), check=True, stderr=subprocess.DEVNULL)
    theirs, ours = [], []
    home, agent = os.environ.get("HOME", ""), os.environ.pop("SSH_AUTH_SOCK", None)
    os.environ["HOME"] = str(base / "home")
    try:
        c = Context()
        configure(c)
        with closing(RemoteHost(c, f"{user}@127.0.0.1:{port}")) as host:
            there = host.context(c)
            for number in range(ROUNDS + 1):
                one = _each(lambda: subprocess.run((*ssh, "true"), check=True, stderr=subprocess.DEVNULL))
                other = _each(lambda: perform(there, Run(("true",))))
                if number:
                    theirs.append(one)
                    ours.append(other)
    finally:
        os.environ["HOME"] = home
        if agent is not None:
            os.environ["SSH_AUTH_SOCK"] = agent
        subprocess.run((*ssh[:3], "-O", "exit", *ssh[3:]), check=False, stderr=subprocess.DEVNULL)
    return theirs, ours


def _each(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(COMMANDS):
        call()
    return 1e3 * (time.perf_counter() - began) / COMMANDS
