"""A tunnel through a real sshd: to what listens there, to nothing, and where forwarding is forbidden."""

from __future__ import annotations

import os
import signal
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kubetour.errors import HostError, RefusedError
from kubetour.remote.connection import HostConnection, connection
from kubetour.remote.tunnel import Tunnel
from tests.remote import sshd
from tests.remote.conftest import Land
from tests.remote.sshd import Sshd
from tests.remote.test_group import wait_for
from tests.serving import PROGRAM, serving


@pytest.fixture
def c(known: Path, host: str) -> Iterator[HostConnection]:
    """Yield an open connection."""
    with closing(connection(host)) as opened:
        opened.open()
        yield opened


def get(port: int) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return bytes(answer.read())


def test_requests_go_through_one_after_the_other_and_at_once(c: HostConnection) -> None:
    with (
        serving("good", body=PROGRAM * 50) as web,
        closing(Tunnel(c.transport, ("127.0.0.1", web.server_port), "x")) as t,
    ):
        assert get(t.port) == PROGRAM * 50
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(get(t.port))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [PROGRAM * 50] * 8


def test_it_listens_on_loopback_alone_and_only_while_it_is_open(c: HostConnection) -> None:
    tunnel = Tunnel(c.transport, ("127.0.0.1", 1), "x")
    assert tunnel._listener.getsockname()[0] == "127.0.0.1"
    tunnel.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", tunnel.port), 5)


def test_where_nothing_listens_there_the_connection_just_ends(c: HostConnection) -> None:
    with closing(Tunnel(c.transport, ("127.0.0.1", sshd.free_port()), "x")) as tunnel:
        with socket.create_connection(("127.0.0.1", tunnel.port), 20) as client:
            assert client.recv(1) == b""
        assert tunnel.is_alive


def test_closing_ends_what_is_open_and_leaves_no_thread_and_no_file(c: HostConnection) -> None:
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with serving("silent", "good") as web:
        tunnel = Tunnel(c.transport, ("127.0.0.1", web.server_port), "x")
        with socket.create_connection(("127.0.0.1", tunnel.port), 20) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert client.recv(1) == b"H"
            tunnel.close()
            while client.recv(65536):
                pass
    wait_for(lambda: threading.active_count() <= threads)
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= files)


def test_it_knows_when_the_connection_is_gone(c: HostConnection, server: Sshd) -> None:
    with closing(Tunnel(c.transport, ("127.0.0.1", server.port), "x")) as tunnel:
        server.signal(signal.SIGKILL)
        wait_for(lambda: not tunnel.is_alive)
        with socket.create_connection(("127.0.0.1", tunnel.port), 20) as client:
            assert client.recv(1) == b""
    with pytest.raises(HostError) as caught:
        Tunnel(c.transport, ("127.0.0.1", 1), "x")
    assert caught.value.key == "host-lost"


def test_a_server_that_forwards_nothing_is_told_at_once(home: Path, land: Land) -> None:
    with sshd.serve(land.public, land.account.home, "AllowTcpForwarding no") as closed:
        (home / ".ssh/known_hosts").write_text(closed.known(), encoding="utf-8")
        with closing(connection(f"{land.account.name}@127.0.0.1:{closed.port}")) as c:
            c.open()
            with pytest.raises(RefusedError) as caught:
                Tunnel(c.transport, ("127.0.0.1", 6443), "x")
    assert caught.value.key == "host-no-forwarding"
