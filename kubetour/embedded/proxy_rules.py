"""What the proxy has to do for a Service, from it, its EndpointSlices and its Pods. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kubetour.embedded.api import Object
from kubetour.embedded.controller import Key, key_of
from kubetour.embedded.network import LISTEN_ANNOTATION

FindPod = Callable[[str, str], "Object | None"]
_DEFAULT_AFFINITY = 10800


@dataclass(frozen=True)
class ServicePort:
    """One port of a Service; node_port 0 means that there is none, affinity_seconds 0 no affinity."""

    service: Key
    name: str
    protocol: str
    cluster_ip: str
    port: int
    node_port: int = 0
    affinity_seconds: int = 0
    local_only: bool = False


@dataclass(frozen=True)
class Backend:
    """Where a connection can go: a Pod's real address, and the node it is on."""

    host: str
    port: int
    node: str = ""


@dataclass(frozen=True)
class Address:
    """Where the proxy listens; `node` is set on a node's own address."""

    host: str
    port: int
    node: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def service_ports(service: Object) -> list[ServicePort]:
    """Return the ports a Service is reached on: none for a headless or an external one."""
    spec = service["spec"]
    cluster_ip = spec.get("clusterIP") or "None"
    if spec.get("type") == "ExternalName" or cluster_ip == "None":
        return []
    affinity = 0
    if spec.get("sessionAffinity") == "ClientIP":
        settings = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        affinity = settings.get("timeoutSeconds", _DEFAULT_AFFINITY)
    return [
        ServicePort(
            service=key_of(service),
            name=port.get("name", ""),
            protocol=port.get("protocol", "TCP"),
            cluster_ip=cluster_ip,
            port=port["port"],
            node_port=port.get("nodePort", 0),
            affinity_seconds=affinity,
            local_only=spec.get("externalTrafficPolicy") == "Local",
        )
        for port in spec.get("ports") or ()
    ]


def addresses(port: ServicePort, nodes: Iterable[Object]) -> list[Address]:
    """Return where to listen for a Service's port: its own address, and each node's at the node port."""
    found = {Address(port.cluster_ip, port.port)}
    if port.node_port:
        taken: set[str] = set()
        for node in nodes:
            for item in (node.get("status") or {}).get("addresses") or ():
                # Where all nodes have one address, the first of them stands for all.
                if item["type"] == "InternalIP" and item["address"] not in taken:
                    taken.add(item["address"])
                    found.add(Address(item["address"], port.node_port, node["metadata"]["name"]))
    return sorted(found, key=str)


def backends(port: ServicePort, slices: Iterable[Object], find_pod: FindPod) -> tuple[Backend, ...]:
    """Return the endpoints that connections go to: the ready ones, or where there is none those that end but
    still serve (ProxyTerminatingEndpoints)."""
    ready: dict[Backend, None] = {}
    serving: dict[Backend, None] = {}
    for found in slices:
        number = next(
            (item["port"] for item in found.get("ports") or () if item.get("name", "") == port.name), None
        )
        if number is None or found.get("addressType") != "IPv4":
            continue
        for endpoint in found.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            # As in the API: absent means ready; serving follows ready, terminating is false.
            is_ready = conditions.get("ready", True)
            if is_ready:
                ready[_backend(endpoint, number, find_pod)] = None
            elif conditions.get("serving", is_ready) and conditions.get("terminating"):
                serving[_backend(endpoint, number, find_pod)] = None
    return tuple(ready or serving)


def _backend(endpoint: Object, number: int, find_pod: FindPod) -> Backend:
    host, port = endpoint["addresses"][0], number
    target = endpoint.get("targetRef") or {}
    pod = find_pod(target.get("namespace", ""), target["name"]) if target.get("kind") == "Pod" else None
    if pod is not None and pod["metadata"]["uid"] == target.get("uid"):
        real = listens(pod).get(str(number))
        if real:
            host, _, text = real.rpartition(":")
            port = int(text)
    return Backend(host, port, endpoint.get("nodeName", ""))


def listens(pod: Object) -> dict[str, str]:
    """Return from container port to "host:port" what a Pod's process really listens on; {} if nobody said."""
    text = (pod["metadata"].get("annotations") or {}).get(LISTEN_ANNOTATION)
    if not text:
        return {}
    try:
        found = json.loads(text)
        return {str(key): value for key, value in found.items() if _is_address(value)}
    except (ValueError, AttributeError):
        return {}


def _is_address(value: object) -> bool:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return bool(host) and port.isdigit()


def unsupported(ports: Sequence[ServicePort]) -> list[ServicePort]:
    """Return the ports the proxy cannot serve."""
    return [port for port in ports if port.protocol != "TCP"]
