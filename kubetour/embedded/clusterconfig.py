"""A cluster's config file, kind's own form (v1alpha4): read, checked, and reduced to what matters here.

https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kubetour.embedded import kubeadmpatch
from kubetour.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    import yaml

ROLES = ("control-plane", "worker")
# What runs Pods: processes of this machine, or nothing that only looks so.
PROCESSES, FAKE = RUNTIMES = ("processes", "fake")
API_VERSION = "kind.x-k8s.io/v1alpha4"
NODE_MONITOR_GRACE = 50.0  # seconds: kube-controller-manager's --node-monitor-grace-period
EVENT_TTL = 3600.0  # seconds: kube-apiserver's --event-ttl
_NAME = re.compile(r"[a-z0-9.-]+")
_DNS_NAME = re.compile(r"[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 45  # so that the nodes' names are labels' values, of 63 characters at most
_LABEL_KEY = re.compile(
    r"(?:[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?")

_MAPPING = {"containerPort", "hostPort", "listenAddress", "protocol"}
_NODE = {
    "role",
    "image",
    "labels",
    "extraMounts",
    "extraPortMappings",
    "kubeadmConfigPatches",
    "kubeadmConfigPatchesJSON6902",
}
_CLUSTER = {
    "kind",
    "apiVersion",
    "name",
    "nodes",
    "networking",
    "featureGates",
    "runtimeConfig",
    "kubeadmConfigPatches",
    "kubeadmConfigPatchesJSON6902",
    "containerdConfigPatches",
    "containerdConfigPatchesJSON6902",
}
# What has no meaning where nothing is booted, mounted or isolated: accepted, and said.
_IGNORED_CLUSTER = _CLUSTER - {"kind", "apiVersion", "name", "nodes"}
_IGNORED_NODE = _NODE - {"role", "labels", "extraPortMappings"}


@dataclass(frozen=True)
class PortMapping:
    """A port of this machine that leads to a port of a node."""

    host_port: int
    container_port: int
    listen_address: str = "127.0.0.1"


@dataclass(frozen=True)
class NodeSpec:
    """One node of the config."""

    role: str = "control-plane"
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[PortMapping, ...] = ()


@dataclass(frozen=True)
class ClusterConfig:
    """The config as far as it counts, and the fields of it that do not."""

    name: str = ""
    nodes: tuple[NodeSpec, ...] = (NodeSpec(),)
    ignored: tuple[str, ...] = ()
    runtime: str = PROCESSES
    node_monitor_grace: float = NODE_MONITOR_GRACE  # seconds
    event_ttl: float = EVENT_TTL  # seconds


def with_workers(config: ClusterConfig, nodes: int) -> ClusterConfig:
    """Return a config of so many nodes, the first a control plane; EmbeddedError where it names nodes."""
    if nodes < 1:
        raise EmbeddedError(f"a cluster has at least 1 node, not {nodes}")
    if len(config.nodes) > 1:
        raise EmbeddedError("the nodes stand in the config already; leave --nodes away, or `nodes` there")
    workers = (NodeSpec("worker"),) * (nodes - 1)
    return replace(config, nodes=(*config.nodes, *workers))


def check_name(name: str) -> None:
    """Raise EmbeddedError for what is no name of a cluster."""
    if not _NAME.fullmatch(name):
        raise EmbeddedError(f"'{name}' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`")
    if not _DNS_NAME.fullmatch(name) or ".." in name or len(name) > _LONGEST_NAME:
        raise EmbeddedError(
            f"'{name}' is not a valid cluster name, as nodes are named after it: "
            f"it begins and ends with a letter or digit, and has at most {_LONGEST_NAME} characters"
        )


def node_names(cluster: str, nodes: tuple[NodeSpec, ...]) -> list[str]:
    """Return the nodes' names as kind gives them: the first of a role has no number."""
    counts: dict[str, int] = {}
    names = []
    for node in nodes:
        counts[node.role] = counts.get(node.role, 0) + 1
        number = str(counts[node.role]) if counts[node.role] > 1 else ""
        names.append(f"{cluster}-{node.role}{number}")
    return names


def parse(text: str) -> ClusterConfig:
    """Return a config from YAML text; EmbeddedError says what is wrong with it, and where."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text) if root else None
    except yaml.YAMLError as error:
        raise _cannot_decode(f"yaml: {error}") from error
    if root is None:
        raise _cannot_decode("the file is empty; it begins with `kind: Cluster`")
    if not isinstance(document, dict):
        raise _cannot_decode("yaml: the file is no mapping; it begins with `kind: Cluster`")
    if document.get("kind") != "Cluster" or document.get("apiVersion") != API_VERSION:
        found = f"kind: {document.get('kind')}, apiVersion: {document.get('apiVersion')}"
        raise _cannot_decode(f"unknown {found}; it must have kind: Cluster and apiVersion: {API_VERSION}")
    _check_fields(root)
    nodes, errors = _nodes(document.get("nodes"))
    if errors:
        joined = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        raise EmbeddedError(joined)
    ignored = {name for name in _IGNORED_CLUSTER if document.get(name)}
    ignored |= {name for node in document.get("nodes") or [] for name in _IGNORED_NODE if node.get(name)}
    seconds, understood = kubeadmpatch.durations(document.get("kubeadmConfigPatches"))
    if understood and not any(node.get("kubeadmConfigPatches") for node in document.get("nodes") or []):
        ignored.discard("kubeadmConfigPatches")
    return ClusterConfig(
        str(document.get("name") or ""),
        nodes,
        tuple(sorted(ignored)),
        node_monitor_grace=seconds.get(kubeadmpatch.NODE_MONITOR_GRACE, NODE_MONITOR_GRACE),
        event_ttl=seconds.get(kubeadmpatch.EVENT_TTL, EVENT_TTL),
    )


def _cannot_decode(why: str) -> EmbeddedError:
    return EmbeddedError(f"unable to decode config: {why}")


def _check_fields(root: yaml.Node) -> None:
    """Raise for fields that v1alpha4 does not have, as Go's strict YAML decoder does."""
    unknown = _unknown(root, _CLUSTER, "Cluster")
    for node in _items(_value(root, "nodes")):
        unknown += _unknown(node, _NODE, "Node")
        for mapping in _items(_value(node, "extraPortMappings")):
            unknown += _unknown(mapping, _MAPPING, "PortMapping")
    if unknown:
        raise _cannot_decode("yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in unknown))


def _unknown(node: yaml.Node, known: set[str], kind: str) -> list[str]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return [f"line {node.start_mark.line + 1}: cannot unmarshal into v1alpha4.{kind}"]
    return [
        f"line {key.start_mark.line + 1}: field {key.value} not found in type v1alpha4.{kind}"
        for key, _ in node.value
        if key.value not in known
    ]


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    import yaml

    if not isinstance(node, yaml.SequenceNode):
        return []
    return list(node.value)


def _nodes(document: Any) -> tuple[tuple[NodeSpec, ...], list[str]]:
    if document is None:
        return (NodeSpec(),), []
    if not isinstance(document, list):
        return (), ["`nodes` is no list; each of its items has a role"]
    errors: list[str] = []
    nodes = []
    for index, node in enumerate(document):
        role = node.get("role", "control-plane")
        found = [] if role in ROLES else [f'"{role}" is not a valid node role']
        labels, wrong = _labels(node.get("labels") or {})
        ports, bad = _ports(node.get("extraPortMappings") or [])
        errors += [f"invalid configuration for node {index}: {error}" for error in (*found, *wrong, *bad)]
        nodes.append(NodeSpec(role, labels, ports))
    if not any(node.role == "control-plane" for node in nodes):
        errors.append("must have at least one control-plane node")
    hosts = [(port.listen_address, port.host_port) for node in nodes for port in node.ports]
    for address, number in {host for host in hosts if hosts.count(host) > 1}:
        errors.append(f"host port {address}:{number} is mapped twice")
    return tuple(nodes), errors


def _labels(document: Any) -> tuple[dict[str, str], list[str]]:
    if not isinstance(document, dict):
        return {}, ["`labels` is no mapping"]
    labels = {str(key): str(value) for key, value in document.items()}
    wrong = [
        f"{key}={value} is no valid label; keys and values have at most 63 letters, digits, '-', '_' and '.'"
        for key, value in labels.items()
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value)
    ]
    return labels, wrong


def _ports(document: Any) -> tuple[tuple[PortMapping, ...], list[str]]:
    if not isinstance(document, list):
        return (), ["`extraPortMappings` is no list"]
    ports, errors = [], []
    for mapping in document:
        container, host = mapping.get("containerPort", 0), mapping.get("hostPort", 0)
        address = str(mapping.get("listenAddress") or "127.0.0.1")
        if str(mapping.get("protocol", "TCP")).upper() != "TCP":
            errors.append(f"containerPort {container}: only TCP is forwarded by the embedded cluster")
        elif not isinstance(container, int) or not 0 < container < 65536:
            errors.append(
                f"invalid containerPort: {container!r} is no port, which has a number from 1 to 65535"
            )
        elif not isinstance(host, int) or not 0 < host < 65536:
            errors.append(f"invalid hostPort: {host!r} is no port, which has a number from 1 to 65535")
        else:
            ports.append(PortMapping(host, container, address))
    return tuple(ports), errors
