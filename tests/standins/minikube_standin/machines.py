"""The nodes' containers: made, started, asked for, entered and removed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from kind_standin import docker, node_image, provision
from kind_standin import failures as kinds_failures
from kind_standin.errors import CommandError

from minikube_standin import failures, profiles
from minikube_standin.profiles import API_PORT, Config

IMAGE = "gcr.io/k8s-minikube/kicbase:v0.0.50"  # made here, as kind's stand-in makes its node image

MADE = "created_by.minikube.sigs.k8s.io"


def _labels(name: str, *, control_plane: bool) -> dict[str, str]:
    return {
        MADE: "true",
        "name.minikube.sigs.k8s.io": name,
        "role.minikube.sigs.k8s.io": "control-plane" if control_plane else "",
        "mode.minikube.sigs.k8s.io": name,
    }


def container_ports(config: Config) -> list[int]:
    """Return the ports of the first node that the engine publishes, besides the API server's."""
    return [int(spec.rpartition(":")[2].partition("/")[0]) for spec in config["ExposedPorts"]]


def make_first(config: Config) -> None:
    """Make and start the first node; CommandError if Docker cannot."""
    if not node_image.is_there(IMAGE):
        node_image.make(IMAGE)
    name = config["Name"]
    if failures.asked("space"):
        raise kinds_failures.no_space(name)
    docker.run(
        "run",
        "--detach",
        *provision.common(name, name, _labels(name, control_plane=True), []),
        *("--hostname", name, "--volume", "/var"),
        *(word for spec in config["ExposedPorts"] for word in ("-p", spec)),
        f"--publish=127.0.0.1::{API_PORT}",
        *("-e", f"KUBECONFIG={provision.ADMIN}", IMAGE),
        *(sys.executable, "-m", "kind_standin.agent", provision.ADMIN, str(API_PORT)),
        *map(str, container_ports(config)),
    )


def make_other(config: Config, name: str) -> None:
    """Make and start another node; CommandError if Docker cannot, as with a port that the first one has."""
    first = config["Name"]
    for spec in config["ExposedPorts"]:
        address, _, host = spec.rpartition(":")[0].rpartition(":")
        if host:
            said = f"Bind for {address or '0.0.0.0'}:{host} failed: port is already allocated."  # noqa: S104
            failed = f"driver failed programming external connectivity on endpoint {name}: {said}"
            raise CommandError(["docker", "run", name], 125, f"docker: Error response from daemon: {failed}")
    shared = f"container:{first}"
    docker.run(
        "run",
        "--detach",
        *provision.common(name, first, _labels(name, control_plane=False), []),
        *("--network", shared, "--pid", shared, "--volumes-from", first),
        *(IMAGE, "sleep", "infinity"),
    )


def state(name: str) -> str:
    """Return a container's state in minikube's words: Running, Stopped or Nonexistent."""
    try:
        running = docker.run("inspect", "--type=container", "-f", "{{.State.Running}}", name).strip()
    except CommandError:
        return "Nonexistent"
    return "Running" if running == "true" else "Stopped"


def start(name: str) -> None:
    """Start a container that was stopped."""
    docker.run("start", name)


def stop(name: str) -> None:
    """Stop a container."""
    docker.run("stop", "-t", "1", name)


def remove(name: str) -> None:
    """Remove a container with its volumes, if it is there and minikube has made it."""
    made = docker.lines("ps", "-aq", "--filter", f"label={MADE}=true", "--filter", f"name=^{name}$")
    if made:
        docker.run("rm", "-f", "-v", name)


def address(name: str) -> str:
    """Return the address of the first node's container."""
    return docker.run("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name).strip()


def server(config: Config) -> str:
    """Return where this machine reaches the API server."""
    return f"https://{docker.lines('port', config['Name'], f'{API_PORT}/tcp')[0]}"


def cluster(config: Config, command: str, *machines: str) -> None:
    """Run a command of `minikube_standin.cluster` on the first node; CommandError if it fails."""
    ports = json.dumps(container_ports(config))
    argv = (sys.executable, "-m", "minikube_standin.cluster", command, config["Name"], ports, *machines)
    docker.on_node(config["Name"], *argv)


def admin(config: Config) -> str:
    """Return the cluster's own kubeconfig."""
    return docker.on_node(config["Name"], "cat", provision.ADMIN)


def enter(name: str, line: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell on a node: with a terminal, as minikube's SSH has, so both outputs are one."""
    argv = (docker.program(), "exec", name, "sh", "-c", line)
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def existing(config: Config) -> list[dict[str, Any]]:
    """Return the nodes whose containers run."""
    return [node for node in config["Nodes"] if state(profiles.machine(config, node)) == "Running"]
