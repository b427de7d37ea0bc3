"""ClusterIPs and node ports: which are taken, which come next."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from random import Random

from kubetour.embedded.api import Object
from kubetour.embedded.apierrors import internal_error
from kubetour.embedded.fielderrors import FieldError, invalid

NODE_PORTS = range(30000, 32768)
NODE_PORT_TYPES = ("NodePort", "LoadBalancer")


class Allocator:
    """Hands out addresses of one range. It keeps nothing: the Services there are say what is taken."""

    def __init__(self, first: str, last: str, random: Random) -> None:
        self._first = int(ipaddress.IPv4Address(first))
        self._last = int(ipaddress.IPv4Address(last))
        self._random = random

    @property
    def _range(self) -> str:
        return f"{ipaddress.IPv4Address(self._first)}-{ipaddress.IPv4Address(self._last)}"

    def allocate(self, service: Object, others: Iterable[Object]) -> list[FieldError]:
        """Fill in clusterIP, clusterIPs and node ports; return why what was asked for cannot be had."""
        spec = service["spec"]
        specs = [
            other["spec"] for other in others if other["metadata"]["uid"] != service["metadata"].get("uid")
        ]
        errors = []
        if spec.get("type") != "ExternalName":
            errors += self._cluster_ip(spec, {s.get("clusterIP") for s in specs})
        if spec.get("type") in NODE_PORT_TYPES and spec.get("allocateLoadBalancerNodePorts", True):
            ports = [port for other in specs for port in other.get("ports") or ()]
            taken = {(p.get("protocol"), p["nodePort"]) for p in ports if p.get("nodePort")}
            errors += self._node_ports(spec, taken)
        return errors

    def _cluster_ip(self, spec: Object, taken: set[str | None]) -> list[FieldError]:
        asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
        errors = []
        if asked and asked != "None":
            if why := self._refusal(asked, taken):
                errors.append(invalid("spec.clusterIPs", [asked], why))
        elif not asked:
            asked = self._free_ip(taken)
        spec["clusterIP"], spec["clusterIPs"] = asked, [asked]
        return errors

    def _refusal(self, address: str, taken: set[str | None]) -> str:
        try:
            number = int(ipaddress.IPv4Address(address))
        except ValueError:
            return "must be a valid IP address"
        if not self._first <= number <= self._last:
            return (
                f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {self._range}"
            )
        return (
            f"failed to allocate IP {address}: provided IP is already allocated" if address in taken else ""
        )

    def _free_ip(self, taken: set[str | None]) -> str:
        # The first sixteenth is left for addresses asked for by number, as Kubernetes does (KEP-3070).
        size = self._last - self._first + 1
        start = self._first + min(max(16, size // 16), 256)
        span = self._last - start + 1
        at = self._random.randrange(span)
        for step in range(span):
            address = str(ipaddress.IPv4Address(start + (at + step) % span))
            if address not in taken and not address.endswith((".0", ".255")):
                return address
        raise internal_error(f"failed to allocate a serviceIP: the range {self._range} is full")

    def _node_ports(self, spec: Object, taken: set[tuple[str | None, int]]) -> list[FieldError]:
        errors = []
        for index, port in enumerate(spec.get("ports") or []):
            protocol, number = port.get("protocol", "TCP"), port.get("nodePort")
            where = f"spec.ports[{index}].nodePort"
            if not number:
                free = [n for n in NODE_PORTS if (protocol, n) not in taken]
                if not free:
                    raise internal_error("failed to allocate a nodePort: range is full")
                number = port["nodePort"] = self._random.choice(free)
            elif number not in NODE_PORTS:
                span = f"{NODE_PORTS[0]}-{NODE_PORTS[-1]}"
                errors.append(
                    invalid(
                        where,
                        number,
                        f"provided port is not in the valid range. The range of valid ports is {span}",
                    )
                )
            elif (protocol, number) in taken:
                errors.append(invalid(where, number, "provided port is already allocated"))
            taken.add((protocol, number))
        return errors
