"""How long a change takes to reach a hundred watchers."""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import time

from benchmarks.embedded import PODS, running, unscheduled
from benchmarks.results import Result

WATCHERS, CHANGES = 100, 50
MOST_SECONDS = 0.5  # p99 of the last watcher to hear


async def _measure(address: str, token: str, authority: str) -> list[tuple[float, float]]:
    """Return, for each change, the seconds until the first and until the last watcher heard of it."""
    import aiohttp

    context = ssl.create_default_context(cafile=authority)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=300)
    heard: dict[str, list[float]] = {}
    changed = asyncio.Condition()
    async with aiohttp.ClientSession(
        address, connector=connector, headers=headers, timeout=timeout
    ) as session:
        watching = 0

        async def watch() -> None:
            nonlocal watching
            async with session.get(f"{PODS}?watch=1&timeoutSeconds=300&resourceVersion={version}") as answer:
                watching += 1
                async for line in answer.content:
                    name = json.loads(line)["object"]["metadata"]["annotations"]["n"]
                    heard[name].append(time.perf_counter())
                    async with changed:
                        changed.notify_all()

        async with session.post(PODS, json=unscheduled("watched")) as answer:
            version = (await answer.json())["metadata"]["resourceVersion"]
        tasks = [asyncio.create_task(watch()) for _ in range(WATCHERS)]
        while watching < WATCHERS:
            await asyncio.sleep(0.01)
        found = []
        for number in range(CHANGES):
            name = str(number)
            heard[name] = []
            body = json.dumps({"metadata": {"annotations": {"n": name}}})
            began = time.perf_counter()
            kind = {"Content-Type": "application/merge-patch+json"}
            async with session.patch(f"{PODS}/watched", data=body, headers=kind) as answer:
                answer.raise_for_status()
            async with changed:
                await asyncio.wait_for(changed.wait_for(lambda: len(heard[name]) == WATCHERS), 60)  # noqa: B023
            found.append((min(heard[name]) - began, max(heard[name]) - began))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


def main() -> Result:
    """Print the table; return when the slowest watcher hears."""
    with running() as cluster:
        server = cluster.server
        found = asyncio.run(_measure(server.address, server.record.token, str(server.authority)))
    print(f"| a patch, {CHANGES} times, until | median, ms | p99, ms |\n|---|---|---|")
    worst = 0.0
    for index, name in enumerate(("the first watcher knows", f"all {WATCHERS} know")):
        values = sorted(each[index] * 1e3 for each in found)
        worst = values[int(len(values) * 0.99)]
        print(f"| {name} | {statistics.median(values):.1f} | {worst:.1f} |")
    print("\n(all watchers are one client process)\n")
    result = Result()
    result.add(f"p99 until all {WATCHERS} watchers know, ms", worst, most=MOST_SECONDS * 1e3)
    return result
