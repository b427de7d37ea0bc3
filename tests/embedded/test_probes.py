from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kubetour.embedded.listening import can_bind
from kubetour.embedded.probes import ProbeCount, Result, probe_once


@asynccontextmanager
async def answering(answer: bytes | None, port: int = 0) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve one fixed answer (None: never any); give the port, and what was asked."""
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        asked.append(await reader.read(1000))
        if answer is not None:
            writer.write(answer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def no_exec(argv: list[str], timeout: float) -> tuple[int, bytes]:
    raise AssertionError("nothing is to be run")


def probe(answer: bytes | None, **action: Any) -> tuple[Result, list[bytes], int]:
    async def run() -> tuple[Result, list[bytes], int]:
        async with answering(answer) as (port, asked):
            request = {"httpGet": {"port": "http", **action}, "timeoutSeconds": 0.2}
            result = await probe_once(request, lambda _: ("127.0.0.1", port), no_exec)
            return result, asked, port

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "ok", "message"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, ""),
        (b"HTTP/1.0 204 No Content\r\n\r\n", True, ""),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", True, ""),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", False, "HTTP probe failed with statuscode: 404"),
        (b"HTTP/1.1 503 No\r\n\r\n", False, "HTTP probe failed with statuscode: 503"),
        (b"SSH-2.0-x\r\n", False, "malformed HTTP response"),
        (b"", False, "EOF"),
        (None, False, "context deadline exceeded"),
    ],
)
def test_an_http_probe_is_judged_by_its_status(answer: bytes | None, ok: bool, message: str) -> None:
    result, _, _ = probe(answer)
    assert result.ok is ok
    assert ok or message in result.message


def test_an_http_probe_asks_as_kubelet_does() -> None:
    _, asked, port = probe(
        b"HTTP/1.1 200 OK\r\n\r\n", path="/healthz?a=1", httpHeaders=[{"name": "X-Probe", "value": "1"}]
    )
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /healthz?a=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in lines
    assert "X-Probe: 1" in lines
    assert any(line.startswith("User-Agent: kube-probe/") for line in lines)


def test_a_port_whose_digits_are_in_the_address_too_is_asked_for_the_path() -> None:
    """As port 80 of a Pod at 127.80.0.2; but only the privileged may listen there."""
    host = str(int.from_bytes(socket.inet_aton("127.0.0.1"), "big"))

    async def run() -> list[bytes]:
        free = next(port for port in (21307, 13070, 30706) if can_bind("127.0.0.1", port))
        assert str(free) in host
        async with answering(b"HTTP/1.1 200 OK\r\n\r\n", free) as (port, asked):
            request = {"httpGet": {"port": port, "host": host, "path": "/healthz"}}
            assert (await probe_once(request, lambda p: ("", p), no_exec)).ok
            return asked

    assert asyncio.run(run())[0].startswith(b"GET /healthz HTTP/1.1\r\n")


def test_a_header_cannot_add_another_request() -> None:
    result, asked, _ = probe(b"", httpHeaders=[{"name": "X", "value": "1\r\n\r\nGET /admin HTTP/1.1"}])
    assert "line break" in result.message
    assert asked == []


def refused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize("kind", ["httpGet", "tcpSocket"])
def test_a_refused_connection_is_told_in_gos_words(kind: str) -> None:
    port = refused_port()
    result = asyncio.run(probe_once({kind: {"port": 1}}, lambda _: ("127.0.0.1", port), no_exec))
    assert not result.ok
    assert result.message.endswith(f"dial tcp 127.0.0.1:{port}: connect: connection refused")
    if kind == "httpGet":
        assert result.message.startswith(f'Get "http://127.0.0.1:{port}/": ')


def test_a_tcp_probe_only_connects() -> None:
    async def run() -> Result:
        async with answering(b"") as (port, _):
            return await probe_once({"tcpSocket": {"port": port}}, lambda p: ("127.0.0.1", p), no_exec)

    assert asyncio.run(run()).ok


@pytest.mark.parametrize(("code", "ok"), [(0, True), (1, False)])
def test_an_exec_probe_is_judged_by_its_exit_code(code: int, ok: bool) -> None:
    async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
        assert (argv, timeout) == (["cat", "x"], 3.0)
        return code, b"output"

    request = {"exec": {"command": ["cat", "x"]}, "timeoutSeconds": 3}
    result = asyncio.run(probe_once(request, lambda _: ("", 0), run))
    assert result == Result(ok, "output")


def test_an_exec_probe_that_takes_too_long_has_failed() -> None:
    async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
        raise asyncio.TimeoutError

    result = asyncio.run(probe_once({"exec": {"command": ["sleep", "9"]}}, lambda _: ("", 0), run))
    assert result == Result(False, 'command timed out: "sleep 9" timed out after 1s')


def test_another_kind_of_probe_is_told() -> None:
    result = asyncio.run(probe_once({"grpc": {"port": 1}}, lambda _: ("", 0), no_exec))
    assert "not supported by the embedded cluster" in result.message


@pytest.mark.parametrize(
    ("probe", "initial", "results", "states"),
    [
        ({}, False, [True], [True]),
        ({}, True, [False, False, False], [True, True, False]),
        ({"failureThreshold": 1}, True, [False, True], [False, True]),
        ({"successThreshold": 2}, False, [True, False, True, True], [False, False, False, True]),
        ({"failureThreshold": 2}, True, [False, True, False, False], [True, True, True, False]),
    ],
)
def test_enough_results_in_a_row_settle_it(
    probe: dict[str, Any], initial: bool, results: list[bool], states: list[bool]
) -> None:
    count = ProbeCount(probe, initial)
    seen = []
    for result in results:
        count.add(result)
        seen.append(count.state)
    assert seen == states
