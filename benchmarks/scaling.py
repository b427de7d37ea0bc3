"""Deployments with real processes, against starting the very same processes bare."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.embedded import DEPLOYMENTS, Client, deployment, running, spread, until_available
from benchmarks.measure import against
from benchmarks.results import Result
from kubetour.embedded.testing import EmbeddedCluster

ROUNDS = 3
STEPS = ((0, 1), (1, 3), (3, 50))
FEWEST = 0.6  # of the bare rate, from 3 to 50
# The same steps on a real cluster (1.36, in containers, same kind of machine), recorded.
RECORDED = {(0, 1): "1.0–1.5", (1, 3): "1.2–1.4", (3, 50): "17–29"}
APP = """
const { HOST, PORT, HOSTNAME } = process.env;
const server = require("http").createServer((_, answer) => answer.end(HOSTNAME)).listen(PORT, HOST);
process.on("SIGTERM", () => process.exit(0));
"""
DOCKERFILE = 'FROM node:24\nWORKDIR /app\nCOPY app.js ./\nEXPOSE 8080\nENTRYPOINT ["node", "app.js"]\n'


def load_app(cluster: EmbeddedCluster) -> None:
    """Build the app's image, and load it onto the cluster's node."""
    with tempfile.TemporaryDirectory() as context:
        Path(context, "app.js").write_text(APP, encoding="utf-8")
        Path(context, "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        ours = (sys.executable, "-m", "kubetour.embedded")
        for argv in (
            ("build", "-q", "-t", "app:1", context),
            ("load", "image", "app:1", "--name", cluster.name),
        ):
            subprocess.run((*ours, *argv), env=cluster.environment, check=True, capture_output=True)


def bare(count: int) -> float:
    """Return the seconds in which that many processes of the app, started at once, all listen."""
    with tempfile.TemporaryDirectory() as directory:
        app = Path(directory, "app.js")
        app.write_text(APP, encoding="utf-8")
        node = shutil.which("node") or "node"
        began = time.monotonic()
        addresses = [f"127.63.0.{number + 2}" for number in range(count)]
        started = [
            subprocess.Popen((node, str(app)), env={"HOST": host, "PORT": "8080", "HOSTNAME": host})
            for host in addresses
        ]
        try:
            for host in addresses:
                _until_listening(host)
            return time.monotonic() - began
        finally:
            for process in started:
                process.kill()
                process.wait()


def _until_listening(host: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, 8080)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"nothing listens on {host} after two minutes")


def main() -> Result:
    """Print the table; return the ratio of the rates."""
    ours: dict[tuple[int, int], list[float]] = {step: [] for step in STEPS}
    base: dict[tuple[int, int], list[float]] = {step: [] for step in STEPS}
    with running() as cluster:
        load_app(cluster)
        client = Client(cluster.server)
        for number in range(ROUNDS):
            name = f"app{number}"
            for before, after in STEPS:
                base[before, after].append(bare(after - before))
                watcher = Client(cluster.server)
                began = time.monotonic()
                if before:
                    body = {"spec": {"replicas": after}}
                    client.json("PATCH", f"{DEPLOYMENTS}/{name}", body, "application/merge-patch+json")
                else:
                    client.json("POST", DEPLOYMENTS, deployment(name, after, "app:1", 8080))
                ours[before, after].append(until_available(client, name, after, watcher) - began)
                watcher.close()
            client.send("DELETE", f"{DEPLOYMENTS}/{name}")
            _until_none(client)
        client.close()
    print("| Pods | bare, median s | min–max | available, median s | min–max | rate of bare | recorded, s |")
    print("|---|---|---|---|---|---|---|")
    ratios = {}
    for step in STEPS:
        ratios[step] = statistics.median(base[step]) / statistics.median(ours[step])
        cells = f"{spread(base[step])} | {spread(ours[step])} | {ratios[step]:.2f} | {RECORDED[step]} |"
        print(f"| {step[0]} → {step[1]} | {cells}")
    print()
    result, most = Result(), STEPS[-1]
    rounds = against(base[most], ours[most])
    result.add("rate from 3 to 50 to that of bare processes", statistics.median(rounds), rounds, least=FEWEST)
    return result


def _until_none(client: Client) -> None:
    deadline = time.monotonic() + 60
    while client.json("GET", "/api/v1/namespaces/default/pods")["items"]:
        if time.monotonic() > deadline:
            raise RuntimeError("the Pods did not end within a minute")
        time.sleep(0.05)
