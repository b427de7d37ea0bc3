"""The proxy with real sockets on loopback; its time is the tests' own."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import resource
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.network import LISTEN_ANNOTATION, Network, NetworkError, loopback_range_usable
from kubetour.embedded.proxy import HostPort, Proxy
from tests.embedded.controlplane import ControlPlane, node, pod, scenario, service

pytestmark = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")

PORT = 18080
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


class Backend:
    """A server on an address of its own that tells its name."""

    def __init__(self, name: str, serve: Serve | None = None) -> None:
        self.name = name
        self._serve = serve or self._tell
        self.connections = 0
        self.address = ("", 0)

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.name.encode())

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError):
            await self._serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.address = self._server.sockets[0].getsockname()

    def stop(self) -> None:
        self._server.close()


class World:
    """A Service `web` with real backends behind it, and the proxy before it."""

    def __init__(self, plane: ControlPlane, network: Network) -> None:
        self.plane, self.plan = plane, network.plan
        self.cluster_ip = self.plan.services()[1]
        self.backends: list[Backend] = []

    async def settle(self) -> None:
        await self.plane.settle()
        await self.plane.proxy.forwarder.settled()  # type: ignore[attr-defined]

    async def serve(self, *backends: Backend, **spec: Any) -> None:
        for backend in backends:
            await backend.start()
            self.backends.append(backend)
        if not self.plane.exists("services", "web"):
            ports = [{"port": PORT, "targetPort": 8080}]
            wanted = service(clusterIP=self.cluster_ip, ports=spec.pop("ports", ports), **spec)
            self.plane.registry.create("services", wanted)
        self.publish(*backends)
        await self.settle()

    def publish(self, *backends: Backend, **conditions: dict[str, bool]) -> None:
        """Say by an EndpointSlice (and each Pod's annotation) that these are the endpoints."""
        endpoints = []
        for backend in backends:
            name = backend.name
            if not self.plane.exists("pods", name):
                listen = json.dumps({"8080": "{}:{}".format(*backend.address)})
                self.plane.registry.create("pods", pod(name, annotations={LISTEN_ANNOTATION: listen}))
            stored = self.plane.get("pods", name)["metadata"]
            target = {"kind": "Pod", "name": name, "namespace": "default", "uid": stored["uid"]}
            endpoints.append(
                {
                    "addresses": ["127.64.0.2"],
                    "conditions": conditions.get(name, {"ready": True}),
                    "targetRef": target,
                    "nodeName": "node-1",
                }
            )
        found: Object = {
            "metadata": {
                "name": "web-1",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        }
        if self.plane.exists("endpointslices", "web-1"):
            self.plane.registry.delete("endpointslices", "web-1", "default")
        self.plane.registry.create("endpointslices", found)

    async def ask(self, host: str = "", port: int = PORT, source: str = "127.0.0.1") -> str:
        """Return what a new connection is told."""
        reader, writer = await asyncio.open_connection(host or self.cluster_ip, port, local_addr=(source, 0))
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def world(plane: ControlPlane, *host_ports: HostPort) -> AsyncIterator[World]:
    network = Network.acquire()
    plane.proxy = plane.add(Proxy(plane.api, plane.clock, host_ports))  # type: ignore[attr-defined]
    made = World(plane, network)
    try:
        await made.settle()
        yield made
    finally:
        for backend in made.backends:
            backend.stop()
        network.close()
        await asyncio.sleep(0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@scenario()
async def test_connections_are_spread_at_random_over_the_ready_endpoints(plane: ControlPlane) -> None:
    async with world(plane) as here:
        await here.serve(Backend("a"), Backend("b"), Backend("c"))
        answers = [await here.ask() for _ in range(150)]
        counts = Counter(answers)
        assert set(counts) == {"a", "b", "c"}
        # Under one in a million by chance, and round robin would give 50 each time, in turn.
        assert min(counts.values()) > 20
        assert any(one == other for one, other in pairwise(answers))


@scenario()
async def test_an_endpoint_that_refuses_is_passed_over(plane: ControlPlane) -> None:
    async with world(plane) as here:
        a, b = Backend("a"), Backend("b")
        await here.serve(a, b)
        a.stop()
        assert {await here.ask() for _ in range(20)} == {"b"}


@scenario()
async def test_without_endpoints_a_client_is_refused_at_once(plane: ControlPlane) -> None:
    async with world(plane) as here:
        await here.serve()
        with pytest.raises(ConnectionError):
            await here.ask()


@scenario()
async def test_terminating_endpoints_serve_only_when_no_other_is_ready(plane: ControlPlane) -> None:
    async with world(plane) as here:
        a, b = Backend("a"), Backend("b")
        await here.serve(a, b)
        leaving = {"ready": False, "serving": True, "terminating": True}
        here.publish(a, b, a=leaving)
        await here.settle()
        assert {await here.ask() for _ in range(10)} == {"b"}
        here.publish(a, b, a=leaving, b={"ready": False, "serving": False, "terminating": False})
        await here.settle()
        assert {await here.ask() for _ in range(10)} == {"a"}


@scenario()
async def test_a_connection_in_flight_outlives_its_endpoint_and_the_service(plane: ControlPlane) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)

    async with world(plane) as here:
        a = Backend("a", echo)
        await here.serve(a)
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        writer.write(b"one\n")
        assert await reader.readline() == b"one\n"
        here.publish()
        plane.registry.delete("services", "web", "default")
        await here.settle()
        writer.write(b"two\n")
        assert await reader.readline() == b"two\n"
        with pytest.raises(ConnectionRefusedError):
            await here.ask()
        writer.close()
        await writer.wait_closed()


@scenario()
async def test_the_end_of_one_direction_is_passed_on_and_the_other_goes_on(plane: ControlPlane) -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read()
        writer.write(b"%d bytes" % len(said))

    async with world(plane) as here:
        await here.serve(Backend("a", answer_at_the_end))
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        writer.write(b"x" * 100_000)
        writer.write_eof()
        assert await reader.read() == b"100000 bytes"
        writer.close()
        await writer.wait_closed()
        while await plane.proxy.forwarder.settled():  # type: ignore[attr-defined]
            pass


@scenario()
async def test_a_slow_reader_holds_the_sender_back_and_loses_nothing(plane: ControlPlane) -> None:
    size = 8 * 1024 * 1024
    sent = 0
    held = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        chunk = bytes(range(256)) * 256
        # However much the system's buffers hold, there is more.
        while sent < size or not held.is_set():
            writer.write(chunk)
            sent += len(chunk)
            if writer.transport.get_write_buffer_size():
                held.set()
            await writer.drain()

    async with world(plane) as here:
        await here.serve(Backend("a", flood))
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT, limit=1024)
        await held.wait()
        received = 0
        while data := await reader.read(65536):
            assert data[0] == received % 256
            received += len(data)
        assert received == sent >= size
        writer.close()
        await writer.wait_closed()


@scenario()
async def test_a_reset_on_one_side_is_a_reset_on_the_other(plane: ControlPlane) -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with world(plane) as here:
        await here.serve(Backend("a", slam))
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        writer.write(b"hello\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@scenario()
async def test_session_affinity_keeps_a_client_with_its_endpoint(plane: ControlPlane) -> None:
    async with world(plane) as here:
        names = [Backend(name) for name in "abcdef"]
        await here.serve(*names, sessionAffinity="ClientIP")
        first = {await here.ask() for _ in range(20)}
        assert len(first) == 1
        others = {await here.ask(source=f"127.0.0.{host}") for host in range(2, 40)}
        assert len(others) > 1


@scenario()
async def test_a_client_whose_endpoint_is_gone_gets_another(plane: ControlPlane) -> None:
    async with world(plane) as here:
        a, b = Backend("a"), Backend("b")
        await here.serve(a, b, sessionAffinity="ClientIP")
        one = await here.ask()
        here.publish(b if one == "a" else a)
        await here.settle()
        assert await here.ask() == ("b" if one == "a" else "a")


def two_nodes(here: World) -> None:
    for index, name in enumerate(("node-1", "node-2")):
        made = node(name)
        made["status"]["addresses"] = [{"type": "InternalIP", "address": here.plan.node(index)}]
        here.plane.registry.create("nodes", made)


@scenario()
async def test_a_node_port_is_open_on_every_node_also_on_one_that_comes_later(plane: ControlPlane) -> None:
    async with world(plane) as here:
        ports = [{"port": PORT, "targetPort": 8080, "nodePort": 30123}]
        await here.serve(Backend("a"), type="NodePort", ports=ports)
        two_nodes(here)
        await here.settle()
        assert [await here.ask(here.plan.node(index), 30123) for index in (0, 1)] == ["a", "a"]
        plane.registry.delete("nodes", "node-2")
        await here.settle()
        with pytest.raises(ConnectionRefusedError):
            await here.ask(here.plan.node(1), 30123)


@scenario()
async def test_external_traffic_policy_local_stays_on_the_node(plane: ControlPlane) -> None:
    async with world(plane) as here:
        ports = [{"port": PORT, "targetPort": 8080, "nodePort": 30123}]
        two_nodes(here)
        await here.serve(Backend("a"), type="NodePort", ports=ports, externalTrafficPolicy="Local")
        assert await here.ask(here.plan.node(0), 30123) == "a"
        with pytest.raises(ConnectionError):
            await here.ask(here.plan.node(1), 30123)


@scenario()
async def test_a_host_port_leads_to_the_service_with_that_node_port(plane: ControlPlane) -> None:
    port = free_port()
    async with world(plane, HostPort(port, 30123)) as here:
        with pytest.raises(ConnectionError):
            await here.ask("127.0.0.1", port)
        ports = [{"port": PORT, "targetPort": 8080, "nodePort": 30123}]
        await here.serve(Backend("a"), type="NodePort", ports=ports)
        assert await here.ask("127.0.0.1", port) == "a"


def test_a_taken_host_port_is_an_error_that_names_it() -> None:
    plane = ControlPlane()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        proxy = Proxy(plane.api, plane.clock, [HostPort(free_port(), 30001), HostPort(port, 30002)])
        with pytest.raises(
            NetworkError, match=f"cannot listen on host port 127.0.0.1:{port}: Address already"
        ):
            proxy.bind_host_ports()
    plane.store.close()


@scenario()
async def test_a_port_that_cannot_be_bound_is_told_and_taken_when_it_is_free(plane: ControlPlane) -> None:
    async with world(plane) as here:
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((here.cluster_ip, PORT))
            taken.listen()
            ports = [{"name": "x", "port": PORT, "targetPort": 8080}, {"name": "y", "port": 18081}]
            await here.serve(ports=ports)
            (event,) = plane.items("events")
            assert (event["type"], event["reason"]) == ("Warning", "FailedToListen")
            assert event["message"].startswith(
                f"cannot listen on {here.cluster_ip}:{PORT}: Address already in use"
            )
        with pytest.raises(ConnectionRefusedError):
            await here.ask()
        await plane.settle(30)
        with pytest.raises(ConnectionResetError):
            await here.ask()


@scenario()
async def test_a_listener_that_could_not_be_handed_over_is_tried_again(plane: ControlPlane) -> None:
    def too_many(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with world(plane) as here:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "dup", too_many)
            await here.serve(Backend("a"))
        (event,) = plane.registry.list("events").items
        assert event["message"] == f"cannot listen on {here.cluster_ip}:{PORT}: Too many open files"
        await plane.settle(1)
        await here.settle()
        assert await here.ask() == "a"


@scenario()
async def test_udp_is_refused_in_words(plane: ControlPlane) -> None:
    async with world(plane) as here:
        await here.serve(ports=[{"port": 53, "protocol": "UDP"}])
        assert plane.events("UnsupportedProtocol") == [
            "port 53/UDP is not served: this cluster's proxy forwards TCP only"
        ]


@scenario()
async def test_when_the_port_of_a_service_changes_the_old_one_closes(plane: ControlPlane) -> None:
    async with world(plane) as here:
        await here.serve(Backend("a"))
        plane.registry.patch(
            "services", "web", {"spec": {"ports": [{"port": 18082, "targetPort": 8080}]}}, "default"
        )
        await here.settle()
        assert await here.ask(port=18082) == "a"
        with pytest.raises(ConnectionRefusedError):
            await here.ask()


@scenario()
async def test_a_changed_annotation_moves_new_connections(plane: ControlPlane) -> None:
    async with world(plane) as here:
        a, moved = Backend("a"), Backend("moved")
        await here.serve(a)
        plane.registry.patch("pods", "a", {"metadata": {"labels": {"app": "web"}}}, "default")
        await moved.start()
        here.backends.append(moved)
        listen = json.dumps({"8080": "{}:{}".format(*moved.address)})
        plane.registry.patch(
            "pods", "a", {"metadata": {"annotations": {LISTEN_ANNOTATION: listen}}}, "default"
        )
        await here.settle()
        assert await here.ask() == "moved"


@scenario()
async def test_a_process_that_was_killed_is_replaced_and_told_everything(plane: ControlPlane) -> None:
    port = free_port()
    async with world(plane, HostPort(port, 30123)) as here:
        ports = [{"port": PORT, "targetPort": 8080, "nodePort": 30123}]
        await here.serve(Backend("a"), type="NodePort", ports=ports)
        forwarder = plane.proxy.forwarder  # type: ignore[attr-defined]
        killed = forwarder.pid
        os.kill(killed, signal.SIGKILL)
        while forwarder.pid == killed:
            await asyncio.sleep(0)
        waiting = asyncio.create_task(here.ask())  # nobody is refused meanwhile
        await plane.settle(1)
        await forwarder.settled()
        assert await waiting == "a"
        assert await here.ask("127.0.0.1", port) == "a"


@scenario()
async def test_a_process_that_cannot_be_told_is_replaced_and_told_everything(plane: ControlPlane) -> None:
    async with world(plane) as here:
        await here.serve(Backend("a"))
        forwarder = plane.proxy.forwarder  # type: ignore[attr-defined]
        deaf = forwarder.pid
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "send_fds", no_buffers)
            here.publish()
            await plane.settle()
        while forwarder.pid == deaf:
            await asyncio.sleep(0)
        await plane.settle(1)
        await here.serve(Backend("b"))
        assert await here.ask() == "b"


def no_buffers(*_: object) -> int:
    raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))


@scenario()
async def test_a_listener_for_which_the_process_has_no_room_is_in_the_next_one(plane: ControlPlane) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"a")
        await reader.read()

    async with world(plane) as here:
        await here.serve(Backend("a", greet))
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        assert await reader.readexactly(1) == b"a"
        forwarder = plane.proxy.forwarder  # type: ignore[attr-defined]
        full = forwarder.pid
        taken = {int(entry) for entry in os.listdir(f"/proc/{full}/fd")}
        room = next(number for number in range(max(taken) + 2) if number not in taken)
        resource.prlimit(full, resource.RLIMIT_NOFILE, (room, room))
        other = here.plan.services()[0]
        plane.registry.create("services", service("other", clusterIP=other, ports=[{"port": PORT}]))
        with pytest.raises(ConnectionResetError):  # not an end that looks like that of an answer
            await reader.read()
        writer.close()
        while forwarder.pid == full:
            await asyncio.sleep(0)
        await plane.settle(1)
        await forwarder.settled()
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        assert await reader.readexactly(1) == b"a"
        writer.close()
        with pytest.raises(ConnectionError):  # it has no endpoints
            await here.ask(other)


@scenario()
async def test_with_too_many_open_files_clients_wait_until_others_have_gone(plane: ControlPlane) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)

    async def say(text: bytes) -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
        writer.write(text)
        assert await reader.readline() == text
        return writer

    async with world(plane) as here:
        await here.serve(Backend("a", echo))
        pid = plane.proxy.forwarder.pid  # type: ignore[attr-defined]
        taken = {int(entry) for entry in os.listdir(f"/proc/{pid}/fd")}
        free = [number for number in range(max(taken) + 3) if number not in taken]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[2], free[2]))  # room for one connection
        first = await say(b"one\n")
        second = asyncio.create_task(say(b"two\n"))
        await here.settle()
        first.close()
        (await second).close()


def test_stopping_closes_listeners_and_connections() -> None:
    async def run() -> None:
        plane = ControlPlane()
        async with world(plane) as here:

            async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read()

            await here.serve(Backend("a", wait))
            reader, writer = await asyncio.open_connection(here.cluster_ip, PORT)
            writer.write(b"x")
            while not here.backends[0].connections:
                await asyncio.sleep(0)
            await plane.stop()
            with pytest.raises(ConnectionError):
                await reader.read()
            with pytest.raises(ConnectionRefusedError):
                await here.ask()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    asyncio.run(run())


def test_it_does_not_go_on_without_what_carries_its_connections() -> None:
    async def run() -> None:
        plane = ControlPlane()
        proxy = Proxy(plane.api, plane.clock)

        async def carry() -> None:
            raise RuntimeError("can't start new thread")

        proxy.forwarder.run = carry  # type: ignore[method-assign]
        try:
            with pytest.raises(RuntimeError, match="new thread"):
                await asyncio.wait_for(proxy.run(), 10)
        finally:
            plane.store.close()

    asyncio.run(run())
