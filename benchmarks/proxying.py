"""Requests through a Service of one Pod, against the same requests to the Pod itself."""

from __future__ import annotations

import asyncio
import statistics
import time

from benchmarks.embedded import DEPLOYMENTS, PODS, Client, deployment, running, until_available
from benchmarks.measure import against
from benchmarks.results import Result
from benchmarks.scaling import load_app

ROUNDS, SECONDS, CLIENTS = 5, 2.0, 16
FEWEST = {"keep-alive": 0.5, "a connection each": 0.3}
_REQUEST = b"GET / HTTP/1.1\r\nHost: app\r\nConnection: %s\r\n\r\n"


async def _rate(host: str, port: int, *, keep: bool) -> float:
    """Return the requests per second that a few clients get answered."""
    end = time.monotonic() + SECONDS
    counts = await asyncio.gather(*(_client(host, port, end, keep=keep) for _ in range(CLIENTS)))
    return sum(counts) / SECONDS


async def _client(host: str, port: int, end: float, *, keep: bool) -> int:
    count = 0
    while time.monotonic() < end:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            while time.monotonic() < end:
                writer.write(_REQUEST % (b"keep-alive" if keep else b"close"))
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"an answer that is none: {head!r}")
                # The answer is chunked or has a length; of this app it is a few bytes.
                await (_body(reader, head) if keep else reader.read())
                count += 1
                if not keep:
                    break
        finally:
            writer.close()
    return count


async def _body(reader: asyncio.StreamReader, head: bytes) -> None:
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(length)


def main() -> Result:
    """Print the table; return both ratios."""
    rates: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in FEWEST}
    with running() as cluster:
        load_app(cluster)
        client, watcher = Client(cluster.server), Client(cluster.server)
        client.json("POST", DEPLOYMENTS, deployment("app", 1, "app:1", 8080))
        until_available(client, "app", 1, watcher)
        spec = {"selector": {"app": "app"}, "ports": [{"port": 8080}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app"}, "spec": spec}
        made = client.json("POST", "/api/v1/namespaces/default/services", service)
        (found,) = client.json("GET", PODS)["items"]
        direct, proxied = found["status"]["podIP"], made["spec"]["clusterIP"]
        asyncio.run(_until_answered(proxied))
        for _ in range(ROUNDS):
            for name, (base, ours) in rates.items():
                keep = name == "keep-alive"
                base.append(asyncio.run(_rate(direct, 8080, keep=keep)))
                ours.append(asyncio.run(_rate(proxied, 8080, keep=keep)))
        watcher.close()
        client.close()
    print("| requests | direct /s | proxied /s | ratio | min–max |\n|---|---|---|---|---|")
    for name, (base, ours) in rates.items():
        ratios = [mine / theirs for mine, theirs in zip(ours, base, strict=True)]
        medians = f"{statistics.median(base):.0f} | {statistics.median(ours):.0f}"
        ratio = statistics.median(ratios)
        print(f"| {name} | {medians} | {ratio:.2f} | {min(ratios):.2f}–{max(ratios):.2f} |")
    print()
    result = Result()
    for name, (base, ours) in rates.items():
        rounds = against(ours, base)
        result.add(f"{name}, proxied to direct", statistics.median(rounds), rounds, least=FEWEST[name])
    return result


async def _until_answered(host: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            await _client(host, 8080, time.monotonic() + 0.01, keep=False)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            return
    raise RuntimeError("the Service did not answer within 30 s")
