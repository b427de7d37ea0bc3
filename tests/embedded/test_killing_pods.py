"""kill -9 of a whole cluster's server at random moments: no process of a Pod is left over or there twice.

Once for every twenty-five times that KUBETOUR_KILLS says (200, so eight times).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.container import MARK
from kubetour.embedded.network import loopback_range_usable
from kubetour.embedded.process import is_alive
from tests.embedded.commands import Commands, until
from tests.embedded.making import context

KILLS = int(os.environ.get("KUBETOUR_KILLS", "200")) // 25
pytestmark = [
    pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here"),
    pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH"),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux only: it reads /proc"),
]

# It has a child that its own death does not end, and is probed by programs that take a while.
SCRIPT = "trap 'exit 0' TERM; sleep 300 & while :; do sleep 0.02; done\n"
DOCKERFILE = 'FROM scratch\nCOPY run.sh /run.sh\nENTRYPOINT ["sh", "/run.sh"]\n'
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "terminationGracePeriodSeconds": 2,
                "containers": [
                    {
                        "name": "web",
                        "image": "script:1",
                        "lifecycle": {"postStart": {"exec": {"command": ["sleep", "0.05"]}}},
                        "livenessProbe": {"exec": {"command": ["sleep", "0.5"]}, "periodSeconds": 1},
                    }
                ],
            },
        },
    },
}


class Cluster:
    """One cluster with a Deployment, whose server is killed and started again."""

    def __init__(self, run: Commands) -> None:
        self.run = run
        self.kubeconfig = run.root.parent / "kubeconfig"
        context(run.root.parent / "script", {"Dockerfile": DOCKERFILE, "run.sh": SCRIPT})
        run("build", "-t", "script:1", "script")
        run("create", "cluster", "--name", "t", "--kubeconfig", self.kubeconfig)
        run("load", "image", "script:1", "--name", "t")
        self.kubectl("apply", "-f", "-", stdin=json.dumps(DEPLOYMENT))

    def kubectl(self, *argv: str, stdin: str = "") -> str:
        command = ["kubectl", "--kubeconfig", str(self.kubeconfig), *argv]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def kill(self) -> None:
        server = ClusterDirectory("t", self.run.root).server()
        assert server
        os.kill(server.pid, signal.SIGKILL)
        until(lambda: not is_alive(server))

    def start(self) -> None:
        self.run("start", "cluster", "--name", "t")

    def wanted(self) -> set[str] | None:
        """Return the IDs of the containers that are to run, or None while that is in motion."""
        pods = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
        replicas = int(self.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"))
        statuses = [pod["status"].get("containerStatuses") or [{}] for pod in pods]
        if len(pods) != replicas or not all(status["ready"] for (status,) in statuses if status):
            return None
        if not all(status for (status,) in statuses):
            return None
        return {status["containerID"].removeprefix("embedded://") for (status,) in statuses}

    def running(self) -> Counter[str]:
        """Return how often each container's own program runs; 0 where only something else of it is left."""
        found: Counter[str] = Counter()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes().split(b"\0")
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if not any(str(self.run.root).encode() in each for each in environment):
                continue
            for each in environment:
                if each.startswith(f"{MARK}=".encode()):
                    found[each.partition(b"=")[2].decode()] += command.endswith(b"/run.sh\0")
        return found

    def is_right(self) -> bool:
        """Return whether the containers that are to run do, each once, and nothing of any other."""
        wanted = self.wanted()
        return wanted is not None and self.running() == Counter(dict.fromkeys(wanted, 1))


def change(cluster: Cluster, random: Random) -> None:
    """Set Pods in motion."""
    if random.random() < 0.7:
        cluster.kubectl("scale", "deployment", "web", f"--replicas={random.randrange(5)}")
    else:
        cluster.kubectl("delete", "pods", "--all", "--wait=false")


def test_whenever_the_server_is_killed_no_process_of_a_pod_is_left_over_or_doubled(tmp_path: Path) -> None:
    random = Random(int(os.environ.get("KUBETOUR_SEED", "1")))  # noqa: S311
    run = Commands(tmp_path / "state")
    try:
        cluster = Cluster(run)
        for _ in range(KILLS):
            change(cluster, random)
            threading.Event().wait(random.uniform(0, 0.3))  # the moment to die
            cluster.kill()
            cluster.start()
            until(cluster.is_right, 30)
    finally:
        run("delete", "cluster", "--name", "t", "--kubeconfig", tmp_path / "kubeconfig")
    assert run.processes() == []
    assert run.files() == []
