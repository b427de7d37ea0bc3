"""The nodes' containers, as kind makes them. See the package for where they differ."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from typing import Any

from kind_standin import docker, failures, node_image, nodes
from kind_standin.errors import CommandError, KindError

NETWORK = "kind"
API_PORT = 6443
ROOT = "/var/lib/embedded"  # in kind's anonymous volume, which goes when the node goes
ADMIN = "/etc/kubernetes/admin.conf"


def names(config: dict[str, Any]) -> list[str]:
    """Return the nodes' names, in the config's order: NAME-control-plane, NAME-worker, NAME-worker2."""
    seen: Counter[str] = Counter()
    result = []
    for node in config["nodes"]:
        seen[node["role"]] += 1
        count = seen[node["role"]]
        result.append(f"{config['name']}-{node['role']}{count if count > 1 else ''}")
    return result


def network() -> None:
    """Make the network `kind` unless it is there; two may try at once."""
    if docker.lines("network", "ls", "--filter", f"name=^{NETWORK}$", "--format", "{{.Name}}"):
        return
    try:
        options = ("-o", "com.docker.network.bridge.enable_ip_masquerade=true")
        docker.run("network", "create", "-d=bridge", *options, NETWORK)
    except CommandError as error:
        if "already exists" not in error.output:
            raise error.within("failed to ensure docker network") from None


def provision(config: dict[str, Any]) -> None:
    """Make and start all nodes. A failed start leaves them made, for the caller to remove."""
    named = list(zip(names(config), config["nodes"], strict=True))
    first = next(name for name, node in named if node["role"] == "control-plane")
    failed: CommandError | None = None
    try:
        _control_plane(first, config)
    except CommandError as error:
        failed = error
    # kind makes all nodes at the same time, so these are there, too, when that one failed.
    workers = [(name, node) for name, node in named if name != first]
    for name, node in workers:
        shared = f"container:{first}"
        docker.run(
            "create",
            *_common(name, node["role"], config["name"]),
            *("--network", shared, "--pid", shared, "--volumes-from", first),
            *(node["image"], "sleep", "infinity"),
        )
    if failed:
        raise failed
    for name, _ in workers:
        docker.run("start", name)


def _control_plane(name: str, config: dict[str, Any]) -> None:
    networking = config["networking"]
    listen = networking["apiServerAddress"]
    ports = [(listen, networking["apiServerPort"] or _free_port(listen), API_PORT, "tcp")]
    inside = []
    for node in config["nodes"]:
        for mapping in node.get("extraPortMappings", ()):
            address = mapping.get("listenAddress") or "0.0.0.0"  # noqa: S104 - kind's default
            port = mapping.get("hostPort") or _free_port(address)
            protocol = (mapping.get("protocol") or "TCP").lower()
            ports.append((address, 0 if port == -1 else port, mapping.get("containerPort", 0), protocol))
            inside += [str(mapping.get("containerPort", 0))] if protocol == "tcp" else []
    arguments = [
        "run",
        *_common(name, "control-plane", config["name"]),
        *("--detach", "--hostname", name, "--net", NETWORK, "--volume", "/var", "--restart=on-failure:1"),
        *(
            f"--publish={address}:{host}:{container}/{protocol.upper()}"
            for address, host, container, protocol in ports
        ),
        *("-e", f"KUBECONFIG={ADMIN}"),
        *(next(node["image"] for node in config["nodes"] if node["role"] == "control-plane"),),
        *(sys.executable, "-m", "kind_standin.agent", ADMIN, str(API_PORT), *inside),
    ]
    if failures.asked("port") and len(ports) > 1:
        docker.run("create", *(word for word in arguments[1:] if word != "--detach"))
        raise failures.port(["docker", *arguments], name, f"{ports[1][0]}:{ports[1][1]}")
    docker.run(*arguments)


def _common(name: str, role: str, cluster: str) -> list[str]:
    """Return the arguments that every node gets."""
    environment = {
        "PATH": node_image.PATH,
        "NODE_NAME": name,
        "CLUSTER_NAME": cluster,
        "KUBETOUR_EMBEDDED_ROOT": ROOT,
        "KIND_STANDIN_PYTHON": sys.executable,
        "PYTHONPATH": f"{node_image.STANDINS}:{node_image.PROJECT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }
    mounts = [f"{path}:{path}:ro" for path in node_image.borrowed()]
    return [
        *(
            "--name",
            name,
            "--label",
            f"{nodes.CLUSTER_LABEL}={cluster}",
            "--label",
            f"{nodes.ROLE_LABEL}={role}",
        ),
        *("--init=false", "--entrypoint", "", "--tmpfs", "/tmp", "--tmpfs", "/run"),
        *(word for mount in mounts for word in ("--volume", mount)),
        *(word for item in environment.items() for word in ("-e", "=".join(item))),
    ]


def _free_port(address: str) -> int:
    """Return a port that is free now, as kind picks one; another may take it before Docker does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise KindError(f"failed to get random host port for {address}: {error.strerror}") from None
        return int(probe.getsockname()[1])
