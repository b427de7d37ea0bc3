"""A thousand nodes and ten thousand Pods that only pretend: the rate, and how cost grows."""

from __future__ import annotations

import math
import time

from benchmarks.embedded import (
    DEPLOYMENTS,
    Client,
    cpu_seconds,
    deployment,
    memory_mb,
    process_of,
    running,
    until_available,
)
from benchmarks.results import Result

NODES = 1000
SIZES = (1250, 2500, 5000, 10000)
FEWEST, STEEPEST = 100, 1.25  # Pods per second; slope of CPU time over Pods on a log-log scale
KWOK = 167  # Pods per second that kwok's own CI asks for, without a scheduler


def main() -> Result:
    """Print the table; return the rate and the slope."""
    points = []
    print(f"| Pods on {NODES} nodes | seconds | Pods/s | CPU s of the cluster | ms of it per Pod | RSS, MB |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        with running(NODES, "fake") as cluster:
            pid = process_of(cluster)
            client, watcher = Client(cluster.server), Client(cluster.server)
            before, began = cpu_seconds(pid), time.monotonic()
            client.json("POST", DEPLOYMENTS, deployment("d", size, "nginx"))
            seconds = until_available(client, "d", size, watcher) - began
            used = cpu_seconds(pid) - before
            points.append((size, seconds, used))
            watcher.close()
            client.close()
            row = f"{size} | {seconds:.1f} | {size / seconds:.0f} | {used:.1f} | {1000 * used / size:.2f}"
            print(f"| {row} | {memory_mb(pid):.0f} |", flush=True)
    slope = _slope([(size, used) for size, _, used in points])
    rate = points[-1][0] / points[-1][1]
    print(f"\n(kwok's CI asks for {KWOK} Pods/s)\n")
    result = Result()
    result.add(f"Pods/s at {SIZES[-1]}", rate, least=FEWEST)
    spent = [(size, round(used, 3)) for size, _, used in points]
    result.curve = {"x": "Pods", "y": "CPU seconds of the cluster", "points": spent, "slope": round(slope, 3)}
    result.add("slope of CPU time over Pods, both as logarithms", slope, most=STEEPEST)
    return result


def _slope(points: list[tuple[int, float]]) -> float:
    """Return the slope of the best line through the points' logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    middle = [sum(axis) / len(logs) for axis in zip(*logs, strict=True)]
    over = sum((x - middle[0]) * (y - middle[1]) for x, y in logs)
    return over / sum((x - middle[0]) ** 2 for x, _ in logs)
