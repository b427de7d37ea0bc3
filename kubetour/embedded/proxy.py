"""The proxy: what kube-proxy does with kernel rules, done with sockets.

`Proxy(api: Informers, clock: Clock, host_ports: Sequence[HostPort] = ())`. It listens on every Service's
address and port, on every node's address at each node port, and on this machine's at each of the host ports;
each TCP connection goes to one ready endpoint. `bind_host_ports()` may be called before `run()`, to know
early that one is taken.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

from kubetour.embedded import endpoints_util as util
from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers, Key, key_of
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.network import LISTEN_ANNOTATION, NetworkError
from kubetour.embedded.proxy_forwarder import Forwarder, Listener, Route
from kubetour.embedded.proxy_rules import (
    Address,
    ServicePort,
    addresses,
    backends,
    service_ports,
    unsupported,
)

_FIRST_UNPRIVILEGED = 1024
# Whoever has the port, or too many files open, may let go.
_PASSING = (errno.EADDRINUSE, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True)
class HostPort:
    """One extraPortMapping of the cluster's config: `listen_address`:`host_port` leads to a node's port."""

    host_port: int
    container_port: int
    listen_address: str = "127.0.0.1"


class Proxy(Controller[Key]):
    """Keeps one listener per address, and each Service's endpoints behind it."""

    def __init__(self, api: Informers, clock: Clock, host_ports: Sequence[HostPort] = ()) -> None:
        super().__init__(api, clock)
        self._events = EventRecorder(api, clock, "kube-proxy")
        self._host_ports = tuple(host_ports)
        self._host_listeners: list[tuple[int, Listener]] = []
        self._routes: dict[tuple[Key, str, str], Route] = {}
        self._node_ports: dict[int, Route] = {}
        self._listeners: dict[Address, tuple[Key, Listener]] = {}
        self.forwarder = Forwarder(clock)
        self._nodes = self.follow("nodes", self._node_changed)
        self._pods = self.follow("pods", self._pod_changed)
        self._services = self.follow("services", self._service_changed)
        self._slices = self.follow("endpointslices", self._slice_changed)
        self._slices.add_index("service", lambda found: (util.service_key(found),))

    # --- events to keys

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        self.queue.add(key_of(new or old or {}))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for found in filter(None, (old, new)):
            self.queue.add(util.service_key(found))

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if _internal_addresses(old) != _internal_addresses(new):
            for service in self._services.all():
                self.queue.add(key_of(service))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new and old and _annotation(old) != _annotation(new):
            for service in self._services.by("namespace", new["metadata"]["namespace"]):
                if util.selects(service, new):
                    self.queue.add(key_of(service))

    # --- one Service

    def sync(self, key: Key) -> None:
        """Bring one Service's listeners and backends to what the API says."""
        service = self._services.get(*key)
        ports = service_ports(service) if service else []
        if service:
            for port in unsupported(ports):
                message = (
                    f"port {port.port}/{port.protocol} is not served: this cluster's proxy forwards TCP only"
                )
                self._events.warning("services", service, "UnsupportedProtocol", message)
        ports = [port for port in ports if port.protocol == "TCP"]
        routes = {(key, port.name, port.protocol): self._route(port) for port in ports}
        slices = self._slices.by("service", key)
        for route in routes.values():
            route.to(backends(route.port, slices, self._pods.get))
        self._set_node_ports(key, list(routes.values()))
        failures = self._set_listeners(key, list(routes.values()))
        for identity in [known for known in self._routes if known[0] == key]:
            if self._routes[identity] is not routes.get(identity):
                self._routes.pop(identity).forget()
        self._routes.update(routes)
        if failures and service:
            self._report(service, failures)

    def _route(self, port: ServicePort) -> Route:
        known = self._routes.get((port.service, port.name, port.protocol))
        # A port that changed gets a new one: what was remembered of its clients no longer holds.
        return known if known and known.port == port else Route(self.forwarder, port)

    def _set_node_ports(self, key: Key, routes: Sequence[Route]) -> None:
        for number in [number for number, known in self._node_ports.items() if known.port.service == key]:
            del self._node_ports[number]
        self._node_ports.update({one.port.node_port: one for one in routes if one.port.node_port})
        for number, listener in self._host_listeners:
            listener.lead(self._node_ports.get(number))

    def _set_listeners(self, key: Key, routes: Sequence[Route]) -> dict[Address, OSError]:
        nodes = self._nodes.all()
        wanted = {address: one for one in routes for address in addresses(one.port, nodes)}
        for address, (owner, listener) in list(self._listeners.items()):
            if owner == key and address not in wanted:
                listener.close()
                del self._listeners[address]
        failures: dict[Address, OSError] = {}
        for address, route in wanted.items():
            present = self._listeners.get(address)
            if present is None or present[0] != key:
                try:
                    present = self._listeners[address] = key, Listener(self.forwarder, address)
                except OSError as error:
                    failures[address] = error
                    continue
            present[1].lead(route)
        return failures

    def _report(self, service: Object, failures: dict[Address, OSError]) -> None:
        for address, error in failures.items():
            message = f"cannot listen on {address}: {os.strerror(error.errno or 0)}{_advice(address, error)}"
            self._events.warning("services", service, "FailedToListen", message)
        if any(error.errno in _PASSING for error in failures.values()):
            self.queue.add_rate_limited(key_of(service))

    # --- from beginning to end

    def bind_host_ports(self) -> None:
        """Take the host ports, or raise NetworkError with the one that cannot be had; once is enough."""
        if self._host_listeners:
            return
        for mapping in self._host_ports:
            address = Address(mapping.listen_address, mapping.host_port)
            try:
                self._host_listeners.append((mapping.container_port, Listener(self.forwarder, address)))
            except OSError as error:
                self.forwarder.close()
                why = f"{os.strerror(error.errno or 0)}{_advice(address, error)}"
                raise NetworkError(f"cannot listen on host port {address}: {why}") from error

    async def run(self) -> None:
        """Serve until cancelled; then every listener and every connection is closed.

        What ends either part of it, its work or what carries its connections, ends it.
        """
        self.bind_host_ports()
        parts = [asyncio.create_task(self.forwarder.run()), asyncio.create_task(super().run())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            self.forwarder.close()
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)


def _annotation(pod: Object) -> str | None:
    found: str | None = (pod["metadata"].get("annotations") or {}).get(LISTEN_ANNOTATION)
    return found


def _internal_addresses(node: Object | None) -> list[str]:
    items = ((node or {}).get("status") or {}).get("addresses") or ()
    return [item["address"] for item in items if item["type"] == "InternalIP"]


def _advice(address: Address, error: OSError) -> str:
    if error.errno == errno.EACCES and address.port < _FIRST_UNPRIVILEGED:
        return "; ports below 1024 need root here: give the Service a higher port, or use its node port"
    if error.errno == errno.EADDRINUSE:
        return f"; another process has it: `ss -ltnp sport = :{address.port}` shows which"
    if error.errno == errno.EADDRNOTAVAIL:
        return "; this machine has no such address: use the node port"
    return ""
