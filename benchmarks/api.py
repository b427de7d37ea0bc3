"""Requests to the API over TLS, on one connection and on eight, with validation, and ten watches on."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from multiprocessing.connection import Connection

from benchmarks.embedded import PODS, Client, cpu_seconds, process_of, running, unscheduled
from benchmarks.results import Result
from kubetour.embedded.testing import Server

SECONDS = 3.0
CONNECTIONS = (1, 8)
LISTED, WATCHES = 1000, 10
# etcd and kube-apiserver 1.36, the same client's kind, on a machine like this one: recorded.
REAL_CREATES = {1: 260.0, 8: 603.0}
FEWEST_TIMES = 1.5  # what the recorded server creates
_MERGE = "application/merge-patch+json"


def _work(
    server: Server, verb: str, worker: int, ready: Connection, begin: object, results: Connection
) -> None:
    """Send requests of one kind for a while, one after the other; send their latencies."""
    client = Client(server)
    client.send("GET", "/version")
    mark = f"{os.getpid()}-{worker}"
    ready.send(None)
    begin.wait()  # type: ignore[attr-defined]
    latencies, end = [], time.perf_counter() + SECONDS
    number, now = 0, time.perf_counter()
    while now < end:
        if verb == "create":
            client.send("POST", PODS, json.dumps(unscheduled(f"made-{mark}-{number}")).encode())
        elif verb == "get":
            client.send("GET", f"{PODS}/listed-{number % LISTED}")
        elif verb == "list":
            client.send("GET", PODS)
        else:
            body = json.dumps({"metadata": {"annotations": {"n": str(number)}}}).encode()
            client.send("PATCH", f"{PODS}/listed-{worker * 100 + number % 100}", body, _MERGE)
        number, before, now = number + 1, now, time.perf_counter()
        latencies.append(now - before)
    results.send(latencies)
    client.close()


def _watch(server: Server, ready: Connection) -> None:
    client = Client(server)
    ready.send(None)
    client.drain(f"{PODS}?watch=1&timeoutSeconds=600")


def measure(server: Server, verb: str, connections: int) -> list[float]:
    """Return the latencies of one kind of request, from that many processes at once."""
    context = multiprocessing.get_context("fork")
    begin = context.Event()
    processes, pipes = [], []
    for worker in range(connections):
        here, there = context.Pipe()
        argv = (server, verb, worker, there, begin, there)
        processes.append(context.Process(target=_work, args=argv, daemon=True))
        processes[-1].start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()
    begin.set()
    found = [latency for pipe in pipes for latency in pipe.recv()]
    for process in processes:
        process.join()
    return found


def main() -> Result:
    """Print the table; return how fast Pods are created."""
    rates: dict[int, float] = {}
    print("| request | connections | per second | p50, ms | p99, ms | CPU of the cluster, ms each |")
    print("|---|---|---|---|---|---|")
    with running() as cluster:
        server, client, pid = cluster.server, Client(cluster.server), process_of(cluster)
        for number in range(LISTED):
            client.json("POST", PODS, unscheduled(f"listed-{number}"))
        watchers = []
        context = multiprocessing.get_context("fork")
        for _ in range(WATCHES):
            here, there = context.Pipe()
            watchers.append(context.Process(target=_watch, args=(server, there), daemon=True))
            watchers[-1].start()
            here.recv()
        try:
            for verb in ("get", "list", "patch", "create"):
                for connections in CONNECTIONS:
                    before = cpu_seconds(pid)
                    found = sorted(measure(server, verb, connections))
                    used = (cpu_seconds(pid) - before) * 1e3 / len(found)
                    rate = len(found) / SECONDS
                    p50, p99 = (1e3 * found[int(len(found) * share)] for share in (0.5, 0.99))
                    name = f"list of {LISTED}" if verb == "list" else verb
                    print(f"| {name} | {connections} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {used:.2f} |")
                    if verb == "create":
                        rates[connections] = rate
        finally:
            for process in watchers:
                process.kill()
                process.join()
        client.close()
    print()
    result = Result()
    for connections, real in REAL_CREATES.items():
        name = f"Pods created on {connections} connections to the recorded real server's {real:.0f}/s"
        result.add(name, rates[connections] / real, least=FEWEST_TIMES)
    return result
