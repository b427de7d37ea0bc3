"""The process behind one `run -d` container: it keeps the log and the exit code, and ends with it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from kubetour.embedded import container as containers
from kubetour.embedded.clock import SystemClock
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.runtime import Runtime, StartError


async def supervise(root: Path, identity: str, report: int) -> None:
    """Start a prepared container and stay until it ends. Its start, or why it failed, goes to `report`."""
    images = ImageStore(root / "images")
    runtime = Runtime(root / "containers", images, SystemClock(), lambda _: None)
    container = containers.load(runtime.directory / identity)
    runtime.containers[identity] = container
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, lambda: None)
    # Killed with SIGTERM alone, it takes its container along.
    loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(runtime.stop(container, grace=10.0)))
    with open(report, "w", encoding="utf-8") as out:
        try:
            runtime.start(container)
        except StartError as error:
            out.write(str(error))
            return
        out.write(containers.STARTED)
    await runtime.wait(container)
    if container.annotations.get("auto-remove"):
        runtime.remove(container)


def main(root: str, identity: str, report: str) -> int:
    """Run the shim of one container; 0 when it has ended."""
    asyncio.run(supervise(Path(root), identity, int(report)))
    return 0
