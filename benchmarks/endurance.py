"""An hour of unrest under steady load: no request may fail, and nothing may grow.

First the API server is killed and started again, some times over; what is asked while it is down cannot be
answered, as the process of the Services' proxy ends with it, and is counted apart. Then, in one and the same
process for all the minutes, the Deployment has no peace (`unrest`), and samples are taken.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.embedded import DEPLOYMENTS, Client, deployment, process_of
from benchmarks.flatness import MOST, growth, quarters, slope
from benchmarks.footprint import footprint, processes
from benchmarks.results import Result
from benchmarks.steadyload import Failure, Load, sorted_out
from benchmarks.unrest import FEWEST, NAME, StuckError, Unrest, settle
from kubetour.embedded.testing import EmbeddedCluster, Server

ROOT = Path(__file__).resolve().parent.parent
PORT, NODES = 8080, 3
RATE = 30  # requests per second, each on a new connection
KEPT = 4  # connections that are kept, four requests a second each
EVENT_TTL = 300.0  # seconds: with Kubernetes' hour, an hour would end before the first Event has gone
SAMPLES = 720  # at most one each `LEAST` seconds
LEAST = 0.25
# By how much a count of few may differ between two quarters and still be the same.
SLACK = {
    "files": 3,
    "threads": 1,
    "apps": 1,
    "server": 0,
    "proxies": 0,
    "others": 1,
    "logs": 0.05,
    "wal": 0.5,
    "disk": 0.5,
}


@dataclass
class Account:
    """What a run came to."""

    seed: int
    seconds: float = 0.0
    samples: list[dict[str, float]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    slowest: float = 0.0  # seconds of an answer
    failed: list[Failure] = field(default_factory=list)
    cut: list[Failure] = field(default_factory=list)
    refused: int = 0  # while the server was down
    outages: list[float] = field(default_factory=list)  # seconds
    late: list[Failure] = field(default_factory=list)  # once it answered again
    before: list[str] = field(default_factory=list)  # what each that failed followed
    left: list[str] = field(default_factory=list)  # processes that are too many at the end, or remain


def run(minutes: float, seed: int, restarts: int) -> Account:
    """Return what became of it. StuckError where the Deployment did not settle."""
    account = Account(seed)
    with tempfile.TemporaryDirectory(prefix="endure") as root:
        server = Server(Path(root), nodes=NODES, event_ttl=EVENT_TTL)
        try:
            with server.lend() as cluster:
                _calm_begin(cluster)
                host = _service(server)
                _kill_servers(account, cluster, host, restarts, Random(seed))  # noqa: S311
                _unrest(account, cluster, host, minutes * 60)
                _calm_end(account, cluster)
        finally:
            server.close()
            account.left += [f"{pid}: {kind}" for pid, kind in processes(Path(root)).items()]
    return account


def _calm_begin(cluster: EmbeddedCluster) -> None:
    ours = (sys.executable, "-m", "kubetour.embedded")
    for argv in (
        ("build", "-q", "-t", "app:1", str(ROOT)),
        ("load", "image", "app:1", "--name", cluster.name),
    ):
        subprocess.run((*ours, *argv), env=cluster.environment, check=True, capture_output=True)
    body = deployment(NAME, 3, "app:1", PORT)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "DRAIN_MS", "value": "2000"}]  # as the tour's own manifest has it
    container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1}
    client = Client(cluster.server)
    client.json("POST", DEPLOYMENTS, body)
    client.close()
    settle(partial(Client, cluster.server))


def _service(server: Server) -> str:
    client = Client(server)
    spec = {"selector": {"app": NAME}, "ports": [{"port": PORT}]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec}
    made: dict[str, Any] = client.json("POST", "/api/v1/namespaces/default/services", body)
    client.close()
    host = str(made["spec"]["clusterIP"])
    with Load(host, PORT, RATE, 0) as load:  # the proxy may hear of its endpoints later than we do
        if not load.until(lambda: load.last_answer > 0, 60):
            raise StuckError("a minute after the Service was made no request is answered")
    return host


def _kill_servers(
    account: Account, cluster: EmbeddedCluster, host: str, restarts: int, random: Random
) -> None:
    """Kill the server and start it again. It is down until a request is answered that began after `start`."""
    down: list[tuple[float, float]] = []
    with Load(host, PORT, RATE, KEPT) as load:
        for _ in range(restarts):
            time.sleep(random.uniform(0.5, 2))
            pid = process_of(cluster)
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            _wait_dead(cluster, pid)
            argv = (sys.executable, "-m", "kubetour.embedded", "start", "cluster", "--name", cluster.name)
            subprocess.run(argv, env=cluster.environment, check=True, capture_output=True)
            started = time.monotonic()
            if not load.until(partial(_answered_since, load, started), 60):
                raise StuckError("a minute after `start cluster` no request is answered")
            down.append((began, load.last_answer))
            account.outages.append(load.last_answer - began)
            settle(partial(Client, cluster.server))
    account.late, refused = sorted_out(load.failures, down)
    account.refused = len(refused)


def _answered_since(load: Load, moment: float) -> bool:
    return load.last_answer >= moment


def _wait_dead(cluster: EmbeddedCluster, pid: int) -> None:
    while (found := cluster.server.directory.server()) is not None and found.pid == pid:
        time.sleep(0.005)


class Sampler:
    """Takes samples in a thread of its own, each so many seconds."""

    def __init__(self, cluster: EmbeddedCluster, interval: float) -> None:
        self.samples: list[dict[str, float]] = []
        self._directory, self._pid, self._interval = cluster.server.directory, process_of(cluster), interval
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sampler")

    def __enter__(self) -> Sampler:
        """Begin, and return itself."""
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        """End it."""
        self._closed.set()
        self._thread.join()

    def _work(self) -> None:
        began = time.monotonic()
        while not self._closed.is_set():
            found = footprint(self._pid, self._directory.path, self._directory.root)
            self.samples.append({"at": time.monotonic() - began, **found.values})
            self._closed.wait(self._interval)


def _unrest(account: Account, cluster: EmbeddedCluster, host: str, seconds: float) -> None:
    unrest = Unrest(partial(Client, cluster.server), cluster.server.directory.path, account.seed)
    began = told = time.monotonic()
    with (
        Sampler(cluster, max(seconds / SAMPLES, LEAST)) as sampler,
        Load(host, PORT, RATE, KEPT) as load,
    ):
        while time.monotonic() < began + seconds:
            unrest.go_on()
            if time.monotonic() > told + 60:
                told = time.monotonic()
                failed, cut = sorted_out(load.failures, unrest.cuts)
                memory = sampler.samples[-1]["memory"]
                print(
                    f"  {(told - began) / 60:.0f} min: {dict(unrest.done)}, {load.answered},"
                    f" {len(failed)} failed, {len(cut)} cut, {memory:.0f} MB",
                    flush=True,
                )
    account.seconds = time.monotonic() - began
    account.samples, account.done = sampler.samples, dict(unrest.done)
    account.answered, account.repeated, account.slowest = load.answered, load.repeated, load.slowest
    account.failed, account.cut = sorted_out(load.failures, unrest.cuts)
    account.before = [
        f"{unrest.before(each.began)} (ended {unrest.before(each.ended)})" for each in account.failed
    ]


def _calm_end(account: Account, cluster: EmbeddedCluster) -> None:
    """Note each process of an app that is there when a few Pods are all that is wanted."""
    client, root = Client(cluster.server), cluster.server.directory.root
    body = {"spec": {"replicas": FEWEST}}
    client.json("PATCH", f"{DEPLOYMENTS}/{NAME}/scale", body, "application/merge-patch+json")
    client.close()
    settle(partial(Client, cluster.server))
    deadline = time.monotonic() + 60  # those that are on their way out may take their time of grace
    while time.monotonic() < deadline:
        found = {pid: kind for pid, kind in processes(root).items() if pid != os.getpid()}
        if sorted(found.values()) == ["app"] * FEWEST + ["proxy", "server"]:
            return
        time.sleep(0.1)
    account.left += [f"{pid}: {kind}, with {FEWEST} Pods" for pid, kind in found.items()]


def judge(account: Account) -> Result:
    """Print what was found, and return it with its bounds."""
    result = Result()
    sent = sum(account.answered.values()) + len(account.failed) + len(account.cut)
    print(f"{account.seconds / 60:.1f} minutes, seed {account.seed}: {_listed(account.done)}")
    print(
        f"{sent} requests ({_listed(account.answered)}); {account.repeated} sent again, as a kept connection"
    )
    print(f"was closed when they came; {len(account.cut)} under way to a container as it was killed;")
    print(f"the slowest answer took {account.slowest:.2f} s\n")
    for each in (*account.failed[:10], *account.late[:10]):
        print(f"  failed: {each.kind} connection, after {each.ended - each.began:.3f} s: {each.why}")
    for line in (*account.before[:10], *(f"left: {each}" for each in account.left)):
        print(f"  {line}")
    if account.outages:
        longest, middle = max(account.outages), statistics.median(account.outages)
        print(
            f"{len(account.outages)} kills of the server: no answer for {middle:.2f} s, at most {longest:.2f}"
        )
        print(f"({account.refused} requests meanwhile)\n")
    result.samples = account.samples
    result.add("failed requests", len(account.failed), most=0)
    result.add("failed requests once a killed server was back", len(account.late), most=0)
    result.add("processes too many", len(account.left), most=0)
    seconds = [sample["at"] for sample in account.samples]
    print("\n| | median of 2nd quarter | of the last | least–most | growth per hour |\n|---|---|---|---|---|")
    measures = [name for name in (account.samples or [{}])[0] if name != "at"]
    for name in measures:
        values = [sample[name] for sample in account.samples]
        second, last = quarters(values)
        hourly = slope(seconds, values)
        print(f"| {name} | {second:.4g} | {last:.4g} | {min(values):.4g}–{max(values):.4g} | {hourly:+.3g} |")
    print()
    for name in measures:
        values = [sample[name] for sample in account.samples]
        result.add(f"growth: {name}", growth(values, SLACK.get(name, 0.0)), most=MOST)
    return result


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def main(minutes: float = 60.0, seed: int = 0, restarts: int = 20) -> Result:
    """Run it and print what was found; the figures are in the JSON, too."""
    seed = seed or Random().randrange(1, 1_000_000)  # noqa: S311
    print(f"seed {seed}, {NODES} nodes, {minutes:g} minutes, {restarts} kills of the server\n", flush=True)
    return judge(run(minutes, seed, restarts))
