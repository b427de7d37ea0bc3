"""The process that carries connections, here as a thread: by epoll, and by what other systems have."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from kubetour.embedded.proxy_worker import Worker

SIZE = 4 * 1024 * 1024
DATA = bytes(range(251)) * (SIZE // 251)


class Running:
    """A worker in a thread, one listener, and one backend behind it."""

    def __init__(self, stack: ExitStack) -> None:
        self.control, theirs = (stack.enter_context(one) for one in socket.socketpair())
        self.backend, listener = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in "ab")
        self.address = listener.getsockname()
        self._thread = threading.Thread(target=Worker(theirs).run)
        self._thread.start()
        self.tell("route", 1, 0, False)
        self.tell("backends", 1, [[*self.backend.getsockname(), ""]])
        self.tell("listen", 2, "", sock=listener)
        self.tell("lead", 2, 1)

    def tell(self, *command: object, sock: socket.socket | None = None) -> None:
        data = json.dumps(command).encode() + b"\n"
        # In two parts, as a stream may be read.
        socket.send_fds(self.control, [data[:3]], [sock.fileno()] if sock else [])
        self.control.sendall(data[3:])

    def settled(self) -> int:
        self.tell("echo", 7)
        number, living = self.control.recv(100).split()
        assert number == b"7"
        return int(living)

    def end(self) -> None:
        self.control.shutdown(socket.SHUT_RDWR)
        self._thread.join()


@pytest.fixture(params=["epoll", "poll"])
def running(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    if request.param == "poll":
        monkeypatch.delattr(select, "epoll", raising=False)
    elif not hasattr(select, "epoll"):
        pytest.skip("Linux alone has epoll")
    with ExitStack() as stack:
        made = Running(stack)
        yield made
        made.end()


def pair(running: Running) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new connection."""
    client = socket.create_connection(running.address)
    return client, running.backend.accept()[0]


def fill(running: Running, sock: socket.socket) -> None:
    """Send until every buffer on the way is full."""
    sock.setblocking(False)
    with suppress(BlockingIOError):
        while sock.send(DATA):
            running.settled()
    sock.setblocking(True)


def drain(sock: socket.socket) -> bytes:
    found = bytearray()
    while data := sock.recv(65536):
        found += data
    return bytes(found)


def test_what_is_sent_in_both_directions_at_once_arrives_whole(running: Running) -> None:
    client, backend = pair(running)
    with client, backend:
        both = []
        for one in (client, backend):
            both.append(threading.Thread(target=lambda one=one: (one.sendall(DATA), one.shutdown(1))))
            both[-1].start()
        assert drain(backend) == DATA
        assert drain(client) == DATA
        for thread in both:
            thread.join()
        while running.settled():
            pass


def test_a_side_that_reads_nothing_does_not_stop_the_other_direction(running: Running) -> None:
    client, backend = pair(running)
    with client, backend:
        fill(running, client)
        for number in range(100):
            backend.sendall(b"%d\n" % number)
            assert client.recv(100) == b"%d\n" % number
        assert running.settled() == 1


def test_a_broken_side_that_is_full_ends_the_connection(running: Running) -> None:
    client, backend = pair(running)
    with client:
        fill(running, client)
        backend.close()  # with much unread: a reset
        with pytest.raises(ConnectionError):
            client.sendall(DATA)
        while running.settled():
            pass


def test_a_listener_that_leads_nowhere_resets_and_a_closed_one_refuses(running: Running) -> None:
    running.tell("lead", 2, 0)
    assert running.settled() == 0
    with pytest.raises(ConnectionError), socket.create_connection(running.address) as client:
        client.recv(1)
    running.tell("forget", 1)
    running.tell("close", 2)
    assert running.settled() == 0


def test_its_end_resets_every_connection(running: Running) -> None:
    client, backend = pair(running)
    with client, backend:
        assert running.settled() == 1
        running.end()
        for one in (client, backend):
            with pytest.raises(ConnectionResetError):
                one.recv(1)
