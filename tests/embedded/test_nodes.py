"""Nodes that are stopped and started again, through the commands, with the real kubectl."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.commands import Commands, until
from tests.embedded.making import context
from tests.embedded.test_cluster import APP, DOCKERFILE, Cluster

pytestmark = pytest.mark.skipif(
    not shutil.which("kubectl") or not shutil.which("node"), reason="kubectl and Node must be on PATH"
)
GRACE = "kind: ClusterConfiguration\ncontrollerManager: {extraArgs: {node-monitor-grace-period: 3s}}"
CONFIG = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "nodes": [{"role": role} for role in ("control-plane", "worker", "worker")],
    "kubeadmConfigPatches": [GRACE],
}
NODE = "t-worker2"


def pod(name: str, seconds: int) -> dict[str, Any]:
    """Return a Pod for that node which stays there for so long after it has fallen silent."""
    tolerations = [
        {
            "key": f"node.kubernetes.io/{why}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": seconds,
        }
        for why in ("not-ready", "unreachable")
    ]
    container = {"name": "app", "image": "shop:1", "ports": [{"containerPort": 8080}]}
    spec = {
        "containers": [container],
        "nodeSelector": {"kubernetes.io/hostname": NODE},
        "tolerations": tolerations,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    run = Commands(tmp_path / "state")
    context(tmp_path / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "shop:1", "app")
    cluster = Cluster.__new__(Cluster)
    cluster.run, cluster.kubeconfig = run, tmp_path / "kubeconfig"
    where = ("--kubeconfig", cluster.kubeconfig, "--config", "-")
    cluster.created = run("create", "cluster", "--name", "t", *where, stdin=json.dumps(CONFIG))
    run("load", "image", "shop:1", "--name", "t")
    yield cluster
    run("delete", "cluster", "--name", "t", "--kubeconfig", cluster.kubeconfig)
    until(lambda: run.processes() == [])


def found(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    """Return an object, or an empty one if there is none of that name."""
    done = cluster.kubectl("get", kind, name, "-o", "json", ok=False)
    return done.json if done.status == 0 else {}


def ready(cluster: Cluster) -> str:
    conditions = found(cluster, "node", NODE)["status"]["conditions"]
    return next(each["status"] for each in conditions if each["type"] == "Ready")


def app_processes(cluster: Cluster) -> list[str]:
    return [process for process in cluster.run.processes() if "app.js" in process]


def test_a_node_that_is_stopped_falls_silent_and_one_that_is_started_has_its_pods_again(
    cluster: Cluster,
) -> None:
    assert "Not used" not in cluster.created.err
    manifest = cluster.run.root.parent / "pods.json"
    items = [pod("leaves", 1), pod("stays", 3600)]
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    cluster.kubectl("apply", "-f", str(manifest))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/leaves", "pod/stays", "--timeout=30s")
    assert len(app_processes(cluster)) == 2

    assert cluster.run("stop", "node", NODE).out == f"{NODE}\n"
    assert app_processes(cluster) == []
    assert ready(cluster) == "True"  # nobody has noticed
    assert cluster.run("stop", "node", NODE).out == f"{NODE}\n"  # twice is not worse than once
    refused = cluster.run("exec", NODE, "--", "true", ok=False)
    assert (refused.status, f"{NODE} is not running" in refused.err) == (1, True)
    until(lambda: ready(cluster) == "Unknown", 30)
    until(lambda: "deletionTimestamp" in found(cluster, "pod", "leaves")["metadata"], 30)
    assert "deletionTimestamp" not in found(cluster, "pod", "stays")["metadata"]

    assert cluster.run("start", "node", NODE).out == f"{NODE}\n"
    until(lambda: ready(cluster) == "True", 30)
    until(lambda: not found(cluster, "pod", "leaves"), 30)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/stays", "--timeout=30s")
    (status,) = found(cluster, "pod", "stays")["status"]["containerStatuses"]
    assert status["restartCount"] == 1
    assert len(app_processes(cluster)) == 1
    assert "taints" not in found(cluster, "node", NODE)["spec"]
    assert cluster.run("start", "node", NODE).out == f"{NODE}\n"
    assert len(app_processes(cluster)) == 1


def test_a_cluster_with_a_stopped_node_is_deleted_whole(cluster: Cluster) -> None:
    cluster.run("stop", "node", NODE)
    cluster.run("delete", "cluster", "--name", "t", "--kubeconfig", cluster.kubeconfig)
    assert cluster.run.processes() == []
    assert cluster.run.files() == []


@pytest.mark.parametrize("verb", ["stop", "start"])
def test_a_node_that_no_cluster_has_is_told(verb: str, tmp_path: Path) -> None:
    done = Commands(tmp_path / "state")(verb, "node", "nowhere", ok=False)
    assert done.status == 1
    assert done.err == "ERROR: no such node: nowhere; `get nodes --name CLUSTER` lists them\n"


def test_a_container_called_node_is_still_stopped(tmp_path: Path) -> None:
    run = Commands(tmp_path / "state")
    context(tmp_path / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "shop:1", "app")
    run("run", "-d", "--rm", "--name", "node", "-e", "HOST=127.0.0.1", "-e", "PORT=0", "shop:1")
    assert run("stop", "node").out == "node\n"
    until(lambda: run.processes() == [])
