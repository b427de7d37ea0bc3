"""The loopback address plan of docs/architecture.md: addresses as arithmetic, and the hold on an octet."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import SystemRandom

LOOPBACK = "127.0.0.1"
LISTEN_ANNOTATION = "embedded.kubetour.dev/listen"
OCTETS = range(64, 127)
_MAX_NODES = 128
# Held on the last address of the range, which is nobody's. Below 32768, so no outgoing connection takes it.
_HOLD_HOST, _HOLD_PORT = 254, 10250


class NetworkError(Exception):
    """No addresses can be had; the message says why and what to do."""


@dataclass(frozen=True)
class AddressPlan:
    """The addresses of one cluster within 127.OCTET.0.0/16; octet 0 means that there is only 127.0.0.1."""

    octet: int

    def node(self, index: int) -> str:
        """Return the address of node number `index`, counted from 0."""
        _check_node(index)
        return f"127.{self.octet}.255.{index + 1}" if self.octet else LOOPBACK

    def pods(self, index: int) -> Iterator[str]:
        """Yield the addresses that node number `index` can give to its Pods."""
        _check_node(index)
        if not self.octet:
            yield LOOPBACK
            return
        for host in range(2, 255):
            yield f"127.{self.octet}.{index}.{host}"

    def pod_cidr(self, index: int) -> str:
        """Return the range of a node's Pods, as the Node's spec.podCIDR has it."""
        _check_node(index)
        return f"127.{self.octet}.{index}.0/24"

    def services(self) -> tuple[str, str]:
        """Return the first and the last address that Services may get."""
        octet = self.octet or OCTETS.start
        return f"127.{octet}.128.1", f"127.{octet}.254.254"

    @property
    def kubernetes(self) -> str:
        """Return the address of the Service `kubernetes`."""
        return self.services()[0]


def _check_node(index: int) -> None:
    if not 0 <= index < _MAX_NODES:
        raise NetworkError(f"a cluster has room for {_MAX_NODES} nodes; this would be number {index + 1}")


def loopback_range_usable() -> bool:
    """Tell whether all of 127.0.0.0/8 can be bound (Linux), not 127.0.0.1 alone (macOS)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((f"127.{OCTETS.start}.255.{_HOLD_HOST}", 0))
        except OSError:
            return False
        return True


@dataclass
class Network:
    """An address plan that belongs to this process until `close()`."""

    plan: AddressPlan
    _hold: socket.socket | None = field(default=None, repr=False)

    @classmethod
    def acquire(cls, octet: int | None = None) -> Network:
        """Take an octet that no other cluster has: a given one (the cluster's own, on a restart), or any.

        Raises NetworkError where there is none. On a machine with 127.0.0.1 only, plan.octet is 0.
        """
        if octet == 0 or (octet is None and not loopback_range_usable()):
            return cls(AddressPlan(0))
        for candidate in [octet] if octet else SystemRandom().sample(OCTETS, len(OCTETS)):
            hold = _bind(candidate)
            if hold:
                return cls(AddressPlan(candidate), hold)
        if octet:
            raise NetworkError(
                f"the addresses 127.{octet}.0.0/16 of this cluster are in use by another process; "
                f"`ss -ltnp src 127.{octet}.255.{_HOLD_HOST}` shows which, end it and try again"
            )
        raise NetworkError(
            f"all {len(OCTETS)} address ranges are taken by other clusters; delete one of them"
        )

    def close(self) -> None:
        """Give the octet back; harmless when repeated."""
        if self._hold:
            self._hold.close()
            self._hold = None


def _bind(octet: int) -> socket.socket | None:
    """Return the socket that holds an octet: it listens (so that `ss` shows it) but accepts nobody."""
    hold = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        hold.bind((f"127.{octet}.255.{_HOLD_HOST}", _HOLD_PORT))
        hold.listen(0)
    except OSError:
        hold.close()
        return None
    return hold
