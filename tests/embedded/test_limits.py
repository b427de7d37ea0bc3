"""What clients may take of the API server: each limit is reached for real, with times made short."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.limits import STANDARD, Limits
from tests.embedded.serving import TOKEN, Cluster, serving

SOON, NEVER = 0.2, 600.0
PATIENT = replace(STANDARD, handshake=NEVER, idle=NEVER, body=NEVER, reading=NEVER)
HEAD = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
Scenario = Callable[[Cluster], Awaitable[None]]


def run(tmp_path: Path, limits: Limits, scenario: Scenario) -> None:
    async def serve() -> None:
        async with serving(tmp_path, limits=limits) as cluster:
            await scenario(cluster)

    asyncio.run(asyncio.wait_for(serve(), 30))


@asynccontextmanager
async def connected(
    cluster: Cluster, **options: Any
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    context = ssl.create_default_context(cafile=str(cluster.kubeconfig.parent / "pki" / "ca.crt"))
    port = int(cluster.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, **options)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what still comes until the server closes the connection."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "GET /version HT",
        "GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\nX: y",
        "GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["nothing", "half a line", "half a head", "one request, and no other"],
)
def test_a_client_that_sends_no_whole_head_is_cut_off(tmp_path: Path, sent: str) -> None:
    async def scenario(cluster: Cluster) -> None:
        async with connected(cluster) as (reader, writer):
            writer.write(sent.encode())
            answer = await ended(reader)
            assert answer.startswith(b"HTTP/1.1 200" if sent.endswith("\r\n\r\n") else b"")

    run(tmp_path, replace(PATIENT, idle=SOON), scenario)


def test_a_client_that_never_ends_its_handshake_is_cut_off(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(cluster.url.rpartition(":")[2]))
        assert await ended(reader) == b""
        writer.close()

    run(tmp_path, replace(PATIENT, handshake=SOON), scenario)


def test_a_body_that_does_not_come_is_408_and_the_end(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        async with connected(cluster) as (reader, writer):
            writer.write(f"POST /api/v1/namespaces HTTP/1.1\r\n{HEAD}Content-Length: 9\r\n\r\n{{".encode())
            answer = await ended(reader)
            assert answer.startswith(b"HTTP/1.1 408")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["reason"] == "Timeout"

    run(tmp_path, replace(PATIENT, body=SOON, lingering=SOON), scenario)


def test_a_client_that_leaves_its_answer_unread_is_cut_off(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        path = "/api/v1/namespaces/default/configmaps"
        async with connected(cluster, limit=1024) as (reader, writer):
            writer.write(f"GET {path}?watch=1 HTTP/1.1\r\n{HEAD}\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            number = 0
            # Events that nobody reads, until the buffers of both sides are full and the patience is over.
            while cluster.server._watches:
                number += 1
                body = {"metadata": {"name": f"c{number}"}, "data": {"k": "x" * 500_000}}
                assert (await cluster.call("POST", path, body)).status == 201
            assert number > 1

    run(tmp_path, replace(PATIENT, reading=SOON), scenario)


def test_there_are_only_so_many_connections(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        async with connected(cluster) as (first, asking), connected(cluster), connected(cluster) as (late, _):
            assert await ended(late) == b""
            asking.write(f"GET /version HTTP/1.1\r\n{HEAD}\r\n".encode())
            assert (await first.readline()).startswith(b"HTTP/1.1 200")

    run(tmp_path, replace(PATIENT, connections=2), scenario)


def test_there_are_only_so_many_watches(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        path = cluster.url + "/api/v1/pods?watch=1"
        sent = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            cluster.session.get(path, headers=sent) as one,
            cluster.session.get(path, headers=sent) as two,
        ):
            assert (one.status, two.status) == (200, 200)
            answer = await cluster.call("GET", "/api/v1/pods?watch=1")
            assert (answer.status, answer.json["reason"]) == (429, "TooManyRequests")
            assert answer.headers["Retry-After"] == "1"
            assert (await cluster.call("GET", "/api/v1/pods")).status == 200

    run(tmp_path, replace(PATIENT, watches=2), scenario)


@pytest.mark.parametrize(
    "head",
    [
        f"GET /{'x' * 20_000} HTTP/1.1\r\n{HEAD}\r\n",
        f"GET / HTTP/1.1\r\n{HEAD}X: {'x' * 20_000}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{HEAD}" + "X: y\r\n" * 500 + "\r\n",
    ],
    ids=["a long target", "a long header", "many headers"],
)
def test_a_head_that_is_too_large_is_400_and_the_end(tmp_path: Path, head: str) -> None:
    async def scenario(cluster: Cluster) -> None:
        async with connected(cluster) as (reader, writer):
            writer.write(head.encode())
            assert b" 400 " in (await ended(reader)).partition(b"\r\n")[0]

    run(tmp_path, PATIENT, scenario)


def test_a_body_that_is_small_until_it_is_unpacked_is_413(tmp_path: Path) -> None:
    async def scenario(cluster: Cluster) -> None:
        body = gzip.compress(b" " * 50_000_000)
        assert len(body) < 100_000
        answer = await cluster.call("POST", "/api/v1/namespaces", body, Content_Encoding="gzip")
        assert (answer.status, answer.json["reason"]) == (413, "RequestEntityTooLarge")

    run(tmp_path, PATIENT, scenario)


@pytest.mark.parametrize(
    "headers",
    [
        "Authorization: Bearer x\r\n",
        "",
        f"{HEAD}Origin: https://evil.example\r\n",
        "Authorization: Bearer \xff\xfe\r\n",
    ],
)
def test_whoever_may_not_in_keeps_no_connection(tmp_path: Path, headers: str) -> None:
    async def scenario(cluster: Cluster) -> None:
        host = "" if "Host" in headers else "Host: 127.0.0.1\r\n"
        async with connected(cluster) as (reader, writer):
            writer.write(f"GET /api HTTP/1.1\r\n{host}{headers}\r\n".encode("latin-1"))
            answer = await ended(reader)
            assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 403"))
            assert b"Connection: close" in answer

    run(tmp_path, PATIENT, scenario)
