"""The embedded cluster in the first node, under minikube's names. This runs in that node's container.

python -m minikube_standin.cluster create NAME PORTS NODE...     make it, PORTS a JSON list of node ports
python -m minikube_standin.cluster start NAME PORTS              start it again after a stop
python -m minikube_standin.cluster add NAME PORTS NODE...        start it anew with more nodes
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch

from kind_standin.provision import ADMIN

from kubetour.embedded import cluster, clusterconfig
from kubetour.embedded.clusterconfig import ClusterConfig, NodeSpec, PortMapping
from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.errors import EmbeddedError

PATIENCE = 60.0  # seconds for the nodes to be Ready


def _silent(_: str) -> None:
    return


def create(name: str, ports: list[int], nodes: list[str]) -> None:
    """Make the cluster; EmbeddedError if it does not come up."""
    mapped = tuple(PortMapping(port, port) for port in ports)
    first, *others = [NodeSpec("control-plane" if node == name else "worker") for node in nodes]
    specs = (NodeSpec(first.role, {}, mapped), *others)
    with patch.object(clusterconfig, "node_names", lambda cluster, specs: nodes):  # which are kind's
        cluster.create(name, ClusterConfig(name, specs), PATIENCE, Path(ADMIN), _silent)


def restart(name: str, more: list[str]) -> None:
    """Start the cluster's process anew, with more nodes; its objects are kept."""
    directory = ClusterDirectory(name)
    cluster.stop(directory)
    record = directory.load()
    record.nodes += [{"name": node, "role": "worker", "labels": {}} for node in more]
    directory.save(record)
    cluster._start(directory, PATIENCE, _silent)  # the embedded cluster has no command for this
    cluster.write_kubeconfig(directory, directory.load(), Path(ADMIN))


def main(argv: list[str]) -> int:
    """Run one command and return its exit status."""
    command, name, ports, *nodes = argv
    try:
        if command == "create":
            create(name, json.loads(ports), nodes)
        else:
            restart(name, nodes)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
