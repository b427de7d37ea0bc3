"""The cluster's config, kind.x-k8s.io/v1alpha4: read, defaulted, validated.

https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

import ipaddress
import re
import sys
from pathlib import Path
from typing import Any

from kind_standin import decoding
from kind_standin.errors import KindError, aggregate, quote

NODE_IMAGE = "kindest/node:v1.36.2"
API_VERSION = "kind.x-k8s.io/v1alpha4"
NAME = r"^[a-z0-9.-]+$"
PATCHES = {"kubeadmConfigPatches": "[]string", "kubeadmConfigPatchesJSON6902": "[]PatchJSON6902"}
TYPES = {
    "Cluster": {
        "kind": "string",
        "apiVersion": "string",
        "name": "string",
        "nodes": "[]Node",
        "networking": "Networking",
        "featureGates": "map[string]bool",
        "runtimeConfig": "map[string]string",
        **PATCHES,
        "containerdConfigPatches": "[]string",
        "containerdConfigPatchesJSON6902": "[]string",
    },
    "Node": {
        "role": "string",
        "image": "string",
        "labels": "map[string]string",
        "extraMounts": "[]Mount",
        "extraPortMappings": "[]PortMapping",
        **PATCHES,
    },
    "Networking": {
        "ipFamily": "string",
        "apiServerPort": "int32",
        "apiServerAddress": "string",
        "podSubnet": "string",
        "serviceSubnet": "string",
        "disableDefaultCNI": "bool",
        "kubeProxyMode": "string",
        "dnsSearch": "[]string",
    },
    "PatchJSON6902": {"group": "string", "version": "string", "kind": "string", "patch": "string"},
    "Mount": {
        "containerPath": "string",
        "hostPath": "string",
        "readOnly": "bool",
        "selinuxRelabel": "bool",
        "propagation": "string",
    },
    "PortMapping": {
        "containerPort": "int32",
        "hostPort": "int32",
        "listenAddress": "string",
        "protocol": "string",
    },
}
NETWORKING = {
    "ipFamily": "ipv4",
    "apiServerPort": 0,
    "apiServerAddress": "127.0.0.1",
    "podSubnet": "10.244.0.0/16",
    "serviceSubnet": "10.96.0.0/16",
    "kubeProxyMode": "iptables",
}


def load(path: str, name: str = "", image: str = "") -> dict[str, Any]:
    """Return the config at `path` ("-": stdin, "": none) with kind's defaults; KindError in kind's words."""
    config = parse(_read(path)) if path else {}
    if name:
        config["name"] = name
    config.setdefault("name", "kind")
    config["nodes"] = config.get("nodes") or [{}]
    for node in config["nodes"]:
        node.setdefault("role", "control-plane")
        node["image"] = image or node.get("image") or NODE_IMAGE
    config["networking"] = {**NETWORKING, **config.get("networking", {})}
    return config


def _read(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text()
    except FileNotFoundError:
        raise KindError(f"error reading file: open {path}: no such file or directory") from None
    except OSError as error:
        raise KindError(f"error reading file: open {path}: {(error.strerror or '').lower()}") from None


def parse(text: str) -> dict[str, Any]:
    """Return the config of a YAML text, without defaults."""
    node = decoding.document(text, "could not determine kind / apiVersion for config")
    meta = decoding.fields(node)
    if meta.get("apiVersion") != API_VERSION:
        raise KindError(f"unknown apiVersion: {meta.get('apiVersion', '')}")
    if meta.get("kind") != "Cluster":
        raise KindError(f"unknown kind {meta.get('kind', '')} for apiVersion: {API_VERSION}")
    try:
        config: dict[str, Any] = decoding.decode(node, "Cluster", TYPES, "v1alpha4")
    except KindError as error:
        raise error.within("unable to decode config") from None
    config["nodes"] = [node or {} for node in config.get("nodes", ())]
    return config


def validate(config: dict[str, Any]) -> None:
    """Raise a KindError that names every problem."""
    found = []
    if not re.match(NAME, config["name"]):
        found.append(f"'{config['name']}' is not a valid cluster name, cluster names must match `{NAME}`")
    found += _networking(config["networking"])
    for index, node in enumerate(config["nodes"]):
        if problems := _node(node):
            found.append(f"invalid configuration for node {index}: {aggregate(problems)}")
    if not any(node["role"] == "control-plane" for node in config["nodes"]):
        found.append("must have at least one control-plane node")
    if found:
        raise KindError(aggregate(found))


def _networking(networking: dict[str, Any]) -> list[str]:
    found = []
    if bad := _port(networking["apiServerPort"]):
        found.append(f"invalid apiServerPort: {bad}")
    family, mode = networking["ipFamily"], networking["kubeProxyMode"]
    if family not in ("ipv4", "ipv6", "dual"):
        found.append(f"invalid ipFamily: {family}")
    for field, shown in (("podSubnet", "pod"), ("serviceSubnet", "service")):
        for cidr in networking[field].split(","):
            try:
                ipaddress.ip_interface(cidr if "/" in cidr else "no prefix length")
            except ValueError:
                found.append(
                    f"invalid {shown} subnet failed to parse cidr value:{quote(cidr)} "
                    f"with error: invalid CIDR address: {cidr}"
                )
    if mode not in ("iptables", "ipvs", "nftables", "none"):
        found.append(f"invalid kubeProxyMode: {mode}")
    return found


def _node(node: dict[str, Any]) -> list[str]:
    found = []
    if node["role"] not in ("control-plane", "worker"):
        found.append(f"{quote(node['role'])} is not a valid node role")
    mappings = node.get("extraPortMappings", ())
    for mapping in mappings:
        for field in ("hostPort", "containerPort"):
            if bad := _port(mapping.get(field, 0)):
                found.append(f"invalid {field}: {bad}")
    if bad := _port_mappings(mappings):
        found.append(f"invalid portMapping: {bad}")
    return found


def _port(port: int) -> str:
    return "" if -1 <= port <= 65535 else f"invalid port number: {port}"


def _port_mappings(mappings: list[dict[str, Any]]) -> str:
    """Return what is wrong if two mappings want the same port, where 0.0.0.0 means every address."""
    taken: dict[str, set[str]] = {}
    for mapping in mappings:
        if mapping.get("hostPort", 0) in (-1, 0):
            continue
        shown = mapping.get("listenAddress") or "0.0.0.0"  # noqa: S104 - kind's default, only compared here
        try:
            address = str(ipaddress.ip_address(shown))
        except ValueError:
            return f"invalid listen address: {shown}"
        where = f"{mapping['hostPort']}/{mapping.get('protocol', '')}"
        wildcard = address in ("0.0.0.0", "::")  # noqa: S104
        address = "0.0.0.0" if wildcard else address  # noqa: S104
        others = taken.setdefault(where, set())
        if others and (wildcard or others & {address, "0.0.0.0"}):  # noqa: S104
            return (
                "port mapping with same listen address, port and protocol already configured: "
                f"{address}:{where}"
            )
        others.add(address)
    return ""
