"""Addresses and ports of the Pods of one node. docs/architecture.md, "Its network"."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kubetour.embedded.api import Object
from kubetour.embedded.listening import can_bind, free_ports

LISTEN = "embedded.kubetour.dev/listen"


class NoAddressError(Exception):
    """All of a node's Pod addresses are in use."""


@dataclass
class PodNetwork:
    """Gives each Pod of a node an address; the one freed last is given again last."""

    addresses: list[str]
    usable: Callable[[str, int], bool] = can_bind
    _used: dict[str, str] = field(default_factory=dict)
    _next: int = 0

    @property
    def shared(self) -> bool:
        """Return whether all Pods have one address, so that ports tell them apart."""
        return len(self.addresses) == 1

    def assign(self, uid: str, wanted: str = "") -> str:
        """Return a Pod's address: the one it has, the wanted one if free, else the next free one."""
        if uid in self._used:
            return self._used[uid]
        if self.shared:
            return self.addresses[0]
        taken = set(self._used.values())
        if wanted in self.addresses and wanted not in taken:
            self._used[uid] = wanted
            return wanted
        for step in range(len(self.addresses)):
            index = (self._next + step) % len(self.addresses)
            if self.addresses[index] not in taken:
                self._next = index + 1
                self._used[uid] = self.addresses[index]
                return self.addresses[index]
        raise NoAddressError(f"all {len(self.addresses)} Pod addresses of this node are in use")

    def release(self, uid: str) -> None:
        """Take a Pod's address back."""
        self._used.pop(uid, None)

    def listen(self, address: str, port: int, taken: set[int]) -> int:
        """Return the port a container's program is told to use: its own where that is free, else another."""
        if port not in taken and not self.shared and self.usable(address, port):
            return port
        return next(number for number in self._others(address) if number not in taken)

    @staticmethod
    def _others(address: str) -> Iterator[int]:
        return free_ports(address)


def container_ports(container: Object) -> list[int]:
    """Return the numbers of a container's TCP ports, in their order."""
    ports = container.get("ports") or []
    return [int(port["containerPort"]) for port in ports if port.get("protocol", "TCP") == "TCP"]


def port_number(container: Object, port: int | str) -> int:
    """Return a port by number or name; 0 if the container has none of that name."""
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    named = (p["containerPort"] for p in container.get("ports") or [] if p.get("name") == port)
    return next((int(number) for number in named), 0)


def listening_at(listens: dict[int, str], address: str, port: int) -> tuple[str, int]:
    """Return where a container's port really is: where it was noted, else at the Pod's address."""
    host, _, number = listens.get(port, f"{address}:{port}").rpartition(":")
    return host, int(number)


def listen_annotation(listens: dict[int, str]) -> str:
    """Return the annotation's value: a JSON object from container port to "host:port"."""
    return json.dumps({str(port): where for port, where in sorted(listens.items())}, separators=(",", ":"))
