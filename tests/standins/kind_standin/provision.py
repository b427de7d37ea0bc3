"""The nodes' containers, as kind makes them. See the package for where they differ."""

from __future__ import annotations

import contextlib
import os
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
        option = "com.docker.network.bridge.enable_ip_masquerade=true"
        options = ("-o", option) if docker.program() == "docker" else ()
        docker.run("network", "create", "-d=bridge", *options, NETWORK)
    except CommandError as error:
        if "already exists" not in error.output:
            raise error.within(f"failed to ensure {docker.program()} network") from None


def provision(config: dict[str, Any]) -> None:
    """Make and start all nodes. A failed start leaves them made, for the caller to remove."""
    named = list(zip(names(config), config["nodes"], strict=True))
    first, control_plane = next((name, node) for name, node in named if node["role"] == "control-plane")
    workers = [(name, node) for name, node in named if name != first]
    try:
        _control_plane(first, control_plane, config)
    except CommandError:
        # kind makes all nodes at the same time, so these are there, too, when that one failed.
        with contextlib.suppress(CommandError):
            _make_workers(workers, first, config["name"])
        raise
    _make_workers(workers, first, config["name"])
    for name, _ in workers:
        docker.run("start", name)


def _make_workers(workers: list[tuple[str, dict[str, Any]]], first: str, cluster: str) -> None:
    shared = f"container:{first}"
    for name, node in workers:
        docker.run(
            "create",
            *_common(name, node, cluster),
            *("--network", shared, "--pid", shared, "--volumes-from", first),
            *(docker.pullable(node["image"]), "sleep", "infinity"),
        )


def _control_plane(name: str, node: dict[str, Any], config: dict[str, Any]) -> None:
    listen = config["networking"]["apiServerAddress"]
    api = (listen, config["networking"]["apiServerPort"] or _free_port(listen), API_PORT, "TCP")
    mapped = [
        _published(mapping) for each in config["nodes"] for mapping in each.get("extraPortMappings", ())
    ]
    arguments = [
        *_common(name, node, config["name"]),
        *("--hostname", name, "--net", NETWORK, "--volume", "/var", "--restart=on-failure:1"),
        *(
            f"--publish={address}:{host}:{port}/{protocol}"
            for address, host, port, protocol in (api, *mapped)
        ),
        *("-e", f"KUBECONFIG={ADMIN}"),
        docker.pullable(node["image"]),
        *(sys.executable, "-m", "kind_standin.agent", ADMIN, str(API_PORT)),
        *(str(port) for _, _, port, protocol in mapped if protocol == "TCP"),
    ]
    if failures.asked("port") and mapped:
        docker.run("create", *arguments)
        where = f"{mapped[0][0]}:{mapped[0][1]}"
        raise failures.port([docker.program(), "run", *arguments], name, where)
    if failures.asked("space"):
        raise failures.no_space(name)
    docker.run("run", "--detach", *arguments)


def _published(mapping: dict[str, Any]) -> tuple[str, int, int, str]:
    """Return a mapping's address, host port, container port and protocol, with kind's defaults.

    Host port 0 is chosen here, as kind does; -1 leaves it to Docker.
    """
    address = mapping.get("listenAddress") or "0.0.0.0"  # noqa: S104 - kind's default
    host = mapping.get("hostPort") or _free_port(address)
    protocol = mapping.get("protocol") or "TCP"
    return address, 0 if host == -1 else host, mapping.get("containerPort", 0), protocol


def _mounts(node: dict[str, Any]) -> list[str]:
    """Return a node's extraMounts as volumes."""
    mounts = []
    for mount in node.get("extraMounts", ()):
        read_only = ":ro" if mount.get("readOnly") else ""
        mounts.append(f"{os.path.abspath(mount['hostPath'])}:{mount['containerPath']}{read_only}")
    return mounts


def _common(name: str, node: dict[str, Any], cluster: str) -> list[str]:
    """Return the arguments that every node gets."""
    labels = {nodes.CLUSTER_LABEL: cluster, nodes.ROLE_LABEL: node["role"]}
    return common(name, cluster, labels, _mounts(node))


def common(name: str, cluster: str, labels: dict[str, str], mounts: list[str]) -> list[str]:
    """Return the arguments of a container that is a node, with what it borrows from this machine."""
    borrowed = [f"{path}:{path}:ro" for path in node_image.borrowed()]
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
    return [
        *("--name", name),
        *(word for item in labels.items() for word in ("--label", "=".join(item))),
        *("--init=false", "--entrypoint", "", "--tmpfs", "/tmp", "--tmpfs", "/run"),
        *(word for mount in (*borrowed, *mounts) for word in ("--volume", mount)),
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
