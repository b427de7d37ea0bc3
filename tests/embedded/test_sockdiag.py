"""The two ways of asking who listens, against each other, with real sockets of both families."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kubetour.embedded import listening, sockdiag

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone has sock_diag")

ADDRESSES = {
    "IPv4": (socket.AF_INET, "127.0.0.7"),
    "any IPv4": (socket.AF_INET, "0.0.0.0"),  # noqa: S104
    "IPv6": (socket.AF_INET6, "::1"),
    "any IPv6": (socket.AF_INET6, "::"),
    "IPv4 in IPv6": (socket.AF_INET6, "::ffff:127.0.0.7"),
}


@pytest.fixture(autouse=True)
def told() -> None:
    try:
        sockdiag.listening()
    except OSError as error:
        pytest.skip(f"the kernel does not tell: {error}")


@pytest.fixture
def servers() -> Iterator[list[tuple[bytes, int]]]:
    """Bind a socket to each of the addresses, listen on all of them, and return what they are."""
    with ExitStack() as stack:
        found = []
        for family, address in ADDRESSES.values():
            try:
                server = stack.enter_context(socket.socket(family))
                server.bind((address, 0))
            except OSError:
                continue  # a machine without IPv6
            server.listen()
            found.append((socket.inet_pton(family, address), server.getsockname()[1]))
        yield found


def test_the_kernel_and_its_files_tell_the_same(servers: list[tuple[bytes, int]]) -> None:
    ports = {port for _, port in servers}
    tables = listening.read_tables()
    assert tables is not None
    for seen in (sockdiag.listening(), tables):
        assert sorted(one for one in seen if one[1] in ports) == sorted(servers)


def test_each_of_them_is_found_by_an_ipv4_address(servers: list[tuple[bytes, int]]) -> None:
    loopback_v6 = socket.inet_pton(socket.AF_INET6, "::1")
    for address, port in servers:
        assert listening.is_listening("127.0.0.7", port) is (address != loopback_v6)


def test_connections_and_bound_sockets_do_not_listen() -> None:
    with socket.socket() as server, socket.socket() as bound:
        server.bind(("127.0.0.1", 0))
        server.listen()
        bound.bind(("127.0.0.1", 0))
        with socket.create_connection(server.getsockname()) as client:
            ports = [client.getsockname()[1], bound.getsockname()[1]]
            assert not [one for one in sockdiag.listening() if one[1] in ports]


def test_more_sockets_than_fit_into_one_message_are_all_seen() -> None:
    with ExitStack() as stack:
        expected = set()
        for _ in range(300):
            server = stack.enter_context(socket.socket())
            server.bind(("127.0.0.1", 0))
            server.listen()
            expected.add((b"\x7f\0\0\x01", server.getsockname()[1]))
        assert expected <= sockdiag.listening()


_INSIDE = """
import socket
from kubetour.embedded import listening, sockdiag
assert sockdiag.listening() == frozenset() == listening.read_tables()
with socket.socket() as server:
    server.bind(("0.0.0.0", 0))
    server.listen()
    expected = frozenset({(bytes(4), server.getsockname()[1])})
    assert sockdiag.listening() == expected == listening.read_tables()
"""


def test_what_is_seen_is_the_own_network_namespace(servers: list[tuple[bytes, int]]) -> None:
    if not shutil.which("unshare") or _alone("true").returncode:
        pytest.skip("no network namespace can be made here")
    assert servers
    done = _alone(sys.executable, "-c", _INSIDE)
    assert (done.returncode, done.stderr) == (0, "")


def _alone(*argv: str) -> subprocess.CompletedProcess[str]:
    alone = ("unshare", "--net", "--map-root-user")
    return subprocess.run((*alone, *argv), check=False, capture_output=True, text=True)


def test_where_the_kernel_refuses_its_files_are_read(
    monkeypatch: pytest.MonkeyPatch, servers: list[tuple[bytes, int]]
) -> None:
    def refuse() -> frozenset[tuple[bytes, int]]:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(sockdiag, "listening", refuse)
    seen = listening.listening()
    assert seen is not None
    assert seen.issuperset(servers)
