"""`kind create cluster`."""

from __future__ import annotations

import random
import re
import shlex
import signal
import sys
import time
from typing import Any

import yaml

from kind_standin import config as configs
from kind_standin import docker, durations, export, failures, kubeconfig, node_image, nodes, pace, provision
from kind_standin.errors import KindError, quote_list
from kind_standin.status import Log

KUBELETS_OWN = (  # the labels in Kubernetes' own domains that a kubelet may give itself
    "kubernetes.io/hostname",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)

SALUTATIONS = (
    "Have a nice day! 👋",
    "Thanks for using kind! 😊",
    "Not sure what to do next? 😅  Check out https://kind.sigs.k8s.io/docs/user/quick-start/",
    "Have a question, bug, or feature request? Let us know! https://kind.sigs.k8s.io/#community 🙂",
)


def create(
    log: Log, *, name: str, path: str, image: str, retain: bool, wait: float, kubeconfig_path: str
) -> None:
    """Create the cluster; KindError in kind's words, and then no node is left unless `retain`."""
    config = configs.load(path, name, image)
    cluster = config["name"]
    if nodes.of(cluster):
        raise KindError(f'node(s) already exist for a cluster with the name "{cluster}"')
    configs.validate(config)
    if sum(node["role"] == "control-plane" for node in config["nodes"]) > 1:
        raise KindError("kubetour's stand-in for kind runs one control-plane node, no more")
    log(f'Creating cluster "{cluster}" ...')
    try:
        with pace.kept("create") as began:
            _nodes(log, config)
            _kubernetes(log, config, began)
        if wait:
            _wait(log, nodes.control_plane(cluster), wait)
    except KindError:
        if not retain:
            remove(log, cluster, kubeconfig_path)
        raise
    export.to_file(cluster, kubeconfig_path)
    where = f" --kubeconfig {shlex.quote(kubeconfig_path)}" if kubeconfig_path else ""
    context = kubeconfig.key(cluster)
    log(f'Set kubectl context to "{context}"')
    log(f"You can now use your cluster with:\n\nkubectl cluster-info --context {context}{where}")
    log("")
    log(random.choice(SALUTATIONS))  # noqa: S311 - a greeting


def remove(log: Log, cluster: str, kubeconfig_path: str) -> None:
    """Remove the cluster's entries from the kubeconfig, then its nodes, if there are any."""
    there = nodes.of(cluster)
    kubeconfig.remove(kubeconfig.key(cluster), kubeconfig_path)
    if there:
        if failures.asked("delete"):
            raise failures.removing(there).within("failed to delete nodes")
        nodes.delete(there)
        log(f"Deleted nodes: {quote_list(there)}")


def _nodes(log: Log, config: dict[str, Any]) -> None:
    for image in sorted({node["image"] for node in config["nodes"]}):
        with log.phase(f"Ensuring node image ({image.partition('@sha256:')[0]}) 🖼️"):
            node_image.ensure(image)
    provision.network()
    with log.phase(f"Preparing nodes {'📦 ' * len(config['nodes'])}"):
        provision.provision(config)
    if failures.asked("stall"):
        signal.pause()


def _kubernetes(log: Log, config: dict[str, Any], began: float) -> None:
    """Start the embedded cluster in the control plane's container, under the names of kind's phases."""
    node = nodes.control_plane(config["name"])
    with log.phase("Writing configuration 📜"):
        text = yaml.safe_dump(_for_embedded(config))
    with log.phase("Starting control-plane 🕹️"):
        if failures.asked("create") or any(map(is_refused, config["nodes"])):
            raise failures.kubeadm(node).within("failed to init node with kubeadm")
        _embedded(node, config["name"], text)
        pace.hold_back(node, provision.names(config), began)
    if not config["networking"].get("disableDefaultCNI"):
        with log.phase("Installing CNI 🔌"):
            pass
    with log.phase("Installing StorageClass 💾"):
        pass
    if any(each["role"] == "worker" for each in config["nodes"]):
        with log.phase("Joining worker nodes 🚜"):
            pass


def is_refused(node: dict[str, Any]) -> bool:
    """Return whether the node has a label with which its kubelet would not start.

    https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
    """
    own = re.compile(r"(.+\.)?(kubelet|node)\.kubernetes\.io")
    kubernetes = re.compile(r"(.+\.)?(kubernetes|k8s)\.io")
    domains = {key: key.rpartition("/")[0] for key in node.get("labels") or {} if key not in KUBELETS_OWN}
    return any(kubernetes.fullmatch(each) and not own.fullmatch(each) for each in domains.values())


def _embedded(node: str, cluster: str, text: str) -> None:
    embedded = (
        "-m",
        "kubetour.embedded",
        "create",
        "cluster",
        "--name",
        cluster,
        "--kubeconfig",
        provision.ADMIN,
    )
    argv = (sys.executable, *embedded, "--config", "-")
    try:
        docker.on_node(node, *argv, content=text.encode())
    except KindError as error:
        raise error.within("failed to init node with kubeadm") from None


def _for_embedded(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config for the cluster in the container: there, each mapped port is listened on as it is.

    Docker publishes the host's port to the container's, and process 1 hands it on to 127.0.0.1.
    """
    result = []
    for node in config["nodes"]:
        mappings = [
            {
                "containerPort": each["containerPort"],
                "hostPort": each["containerPort"],
                "listenAddress": "127.0.0.1",
            }
            for each in node.get("extraPortMappings", ())
            if (each.get("protocol") or "TCP") == "TCP"
        ]
        result.append({"role": node["role"], "labels": node.get("labels", {}), "extraPortMappings": mappings})
    return {"kind": "Cluster", "apiVersion": configs.API_VERSION, "name": config["name"], "nodes": result}


def _wait(log: Log, node: str, wait: float) -> None:
    """Wait for the control plane alone, as kind does; time running out is a warning, not an error."""
    began = time.monotonic()
    name = f"Waiting ≤ {durations.text(wait)} for control-plane = Ready ⏳"
    log(f" • {name}  ...")
    limit = ("kubectl", "wait", "--for=condition=Ready", "node", node, f"--timeout={max(round(wait), 1)}s")
    try:
        if failures.asked("wait"):
            raise KindError("asked to")
        docker.on_node(node, *limit)
    except KindError:
        log(f" ✗ {name}")
        log(" • WARNING: Timed out waiting for Ready ⚠️")
        return
    log(f" ✓ {name}")
    log(f" • Ready after {durations.text(time.monotonic() - began)} 💚")
