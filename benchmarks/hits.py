"""The rate of the tour's proof requests, a new connection for each, against ApacheBench's."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time

from benchmarks.embedded import DEPLOYMENTS, Client, deployment, running, until_available
from benchmarks.measure import against
from benchmarks.results import Result
from benchmarks.scaling import load_app

REQUESTS, ROUNDS, LEAST = 2000, 5, 0.8
# As `hit-all` types it: with curl, or with the few flags of it that the project brings along.
FLAGS = ("-sS", "--fail", "--max-time", "5", "--noproxy", "*", "-H", "Connection: close")
OURS = {"curl": ("curl",), "kubetour.curl": (sys.executable, "-m", "kubetour.curl")}


def _rate(url: str, program: tuple[str, ...], answer: int) -> float:
    """Return the rate of as many requests, each of which is answered with so many bytes."""
    began = time.monotonic()
    pattern = f"{url}?[1-{REQUESTS}]"
    done = subprocess.run((*program, *FLAGS, pattern), stdout=subprocess.PIPE, check=True)
    seconds = time.monotonic() - began
    if len(done.stdout) != REQUESTS * answer:
        raise RuntimeError(f"{program[0]}: not every request was answered")
    return REQUESTS / seconds


def _bench(url: str) -> float:
    """Return ApacheBench's rate: it keeps no connection unless told to."""
    done = subprocess.run(
        ("ab", "-q", "-n", str(REQUESTS), "-c", "1", url),
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
    failed = re.search(r"Non-2xx responses:", done.stdout)
    found = re.search(r"Requests per second:\s+([\d.]+)", done.stdout)
    if not found or failed:
        raise RuntimeError(done.stdout)
    return float(found[1])


def main() -> Result:
    """Print the table; return the ratios."""
    result = Result()
    if not shutil.which("ab"):
        print("SKIP: there is no ab; Debian has it in apache2-utils (no pass)")
        return result
    rates: dict[str, list[float]] = {"ab": [], **{name: [] for name in OURS}}
    with running() as cluster:
        load_app(cluster)
        client, watcher = Client(cluster.server), Client(cluster.server)
        client.json("POST", DEPLOYMENTS, deployment("app", 3, "app:1", 8080))
        until_available(client, "app", 3, watcher)
        spec = {"selector": {"app": "app"}, "ports": [{"port": 8080}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"}, "spec": spec}
        made = client.json("POST", "/api/v1/namespaces/default/services", service)
        url = f"http://{made['spec']['clusterIP']}:8080/"
        deadline = time.monotonic() + 30
        while not (
            answer := subprocess.run(("curl", "-sf", url), stdout=subprocess.PIPE, check=False).stdout
        ):
            if time.monotonic() > deadline:
                raise RuntimeError("the Service did not answer")
            time.sleep(0.05)
        for _ in range(ROUNDS):
            rates["ab"].append(_bench(url))
            for name, program in OURS.items():
                rates[name].append(_rate(url, program, len(answer)))
        for each in (client, watcher):
            each.close()
    print("| requests, a connection each | per second, median | min–max |\n|---|---|---|")
    for name, found in rates.items():
        print(f"| {name} | {statistics.median(found):.0f} | {min(found):.0f}–{max(found):.0f} |")
    print()
    for name in OURS:
        rounds = against(rates[name], rates["ab"])
        bound = {"least": LEAST} if name == "curl" else {}
        result.add(f"{name} to ab", statistics.median(rounds), rounds, **bound)
    return result
