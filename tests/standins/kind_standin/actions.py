"""What each command of kind does here."""

from __future__ import annotations

import os
import platform
import sys
import tempfile

import yaml

from kind_standin import create, export, load, nodes
from kind_standin.cli import Values
from kind_standin.errors import KindError, quote, quote_list

VERSION = "0.33.0-alpha"


def _name(values: Values, default: str = "kind") -> str:
    """Return the cluster's name: flag, else environment, else the default."""
    return str(values.get("name") or os.environ.get("KIND_CLUSTER_NAME") or default)


def create_cluster(values: Values, _: list[str]) -> int:
    """Create a cluster."""
    try:
        create.create(
            values["log"],
            name=_name(values, ""),
            path=values.get("config", ""),
            image=values.get("image", ""),
            retain=values.get("retain", False),
            wait=values.get("wait", 0.0),
            kubeconfig_path=values.get("kubeconfig", ""),
        )
    except KindError as error:
        raise error.within("failed to create cluster") from None
    return 0


def delete_cluster(values: Values, _: list[str]) -> int:
    """Delete a cluster, if it is there."""
    name = _name(values)
    values["log"](f'Deleting cluster "{name}" ...')
    try:
        create.remove(values["log"], name, values.get("kubeconfig", ""))
    except KindError as error:
        raise error.within(f'failed to delete cluster "{name}"') from None
    return 0


def delete_clusters(values: Values, arguments: list[str]) -> int:
    """Delete the clusters that are named, or all."""
    if not arguments and not values.get("all"):
        raise KindError("no cluster names provided")
    done = []
    for name in nodes.clusters() if values.get("all") else arguments:
        try:
            create.remove(values["log"], name, values.get("kubeconfig", ""))
            done.append(name)
        except KindError as error:
            values["log"](f"{error.within(f'failed to delete cluster {quote(name)}')}")
    values["log"](f"Deleted clusters: {quote_list(done)}")
    return 0


def get_clusters(values: Values, _: list[str]) -> int:
    """Print the clusters."""
    found = nodes.clusters()
    if not found:
        values["log"]("No kind clusters found.")
    print("".join(f"{name}\n" for name in found), end="")
    return 0


def get_nodes(values: Values, _: list[str]) -> int:
    """Print the nodes."""
    if values.get("all-clusters"):
        found = [node for cluster in nodes.clusters() for node in nodes.of(cluster)]
        none = "No kind nodes for any cluster."
    else:
        found = nodes.of(_name(values))
        none = f"No kind nodes found for cluster {quote(_name(values))}."
    if not found:
        values["log"](none)
    print("".join(f"{node}\n" for node in found), end="")
    return 0


def get_kubeconfig(values: Values, _: list[str]) -> int:
    """Print the kubeconfig."""
    config = export.config(_name(values), internal=values.get("internal", False))
    print(yaml.safe_dump(config))
    return 0


def export_kubeconfig(values: Values, _: list[str]) -> int:
    """Merge the kubeconfig into a file."""
    export.to_file(_name(values), values.get("kubeconfig", ""), internal=values.get("internal", False))
    values["log"](f'Set kubectl context to "kind-{_name(values)}"')
    return 0


def export_logs(values: Values, arguments: list[str]) -> int:
    """Write logs into a folder and print its name."""
    name = _name(values)
    if not nodes.of(name):
        raise KindError(f"unknown cluster {quote(name)}")
    folder = arguments[0] if arguments else tempfile.mkdtemp()
    values["log"](f"Exporting logs for cluster {quote(name)} to:")
    print(folder)
    export.logs(name, folder)
    return 0


def load_images(values: Values, arguments: list[str]) -> int:
    """Load images of the Docker Engine."""
    load.docker_images(values["log"], arguments, _name(values), values.get("nodes", []))
    return 0


def load_archives(values: Values, arguments: list[str]) -> int:
    """Load archives."""
    load.archives(arguments, _name(values), values.get("nodes", []))
    return 0


def version(values: Values, _: list[str]) -> int:
    """Print the version."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    long = f"kind v{VERSION} go1.26.6 {sys.platform}/{machine}"
    print(VERSION if values["log"].quiet else long)
    return 0


def absent(values: Values, _: list[str]) -> int:
    """Fail: a command of kind that the tests do not need."""
    raise KindError("kubetour's stand-in for kind does not know this command")
