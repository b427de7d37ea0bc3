"""`kind export` and `kind get kubeconfig`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kind_standin import docker, kubeconfig, nodes, provision
from kind_standin.errors import KindError


def config(cluster: str, *, internal: bool = False) -> dict[str, Any]:
    """Return the cluster's kubeconfig, as seen from this machine or from its nodes."""
    node = nodes.control_plane(cluster)
    try:
        raw = docker.on_node(node, "cat", provision.ADMIN)
    except KindError as error:
        raise error.within("failed to get cluster internal kubeconfig") from None
    endpoint = f"{node}:{provision.API_PORT}" if internal else _published(node)
    return kubeconfig.of_kind(raw, cluster, f"https://{endpoint}")


def to_file(cluster: str, path: str, *, internal: bool = False) -> None:
    """Merge the cluster's kubeconfig into the file and make its context current."""
    kubeconfig.write_merged(config(cluster, internal=internal), path)


def _published(node: str) -> str:
    try:
        ports = json.loads(docker.run("inspect", "--format", "{{json .NetworkSettings.Ports}}", node))
    except KindError as error:
        raise error.within("failed to get api server port") from None
    mapped = (ports.get(f"{provision.API_PORT}/tcp") or [{}])[0]
    address, number = mapped.get("HostIp", ""), mapped.get("HostPort", "")
    return f"[{address}]:{number}" if ":" in address else f"{address}:{number}"


def logs(cluster: str, folder: str) -> None:
    """Write what Docker and the nodes say into the folder."""
    to = Path(folder)
    to.mkdir(parents=True, exist_ok=True)
    (to / "kind-version.txt").write_text("kind v0.33.0-alpha (kubetour's stand-in)\n")
    (to / f"{docker.program()}-info.txt").write_text(docker.run("info"))
    for node in nodes.of(cluster):
        (to / node).mkdir(exist_ok=True)
        (to / node / "inspect.json").write_text(docker.run("inspect", node))
        (to / node / "serial.log").write_text(docker.run("logs", node))
        (to / node / "kubernetes-version.txt").write_text(docker.on_node(node, "cat", "/kind/version"))
