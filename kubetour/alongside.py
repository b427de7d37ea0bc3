"""What programs share that run commands while something of their own goes on: words, ends, signals.

Python's standard library alone: it travels with them to another host.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Sequence
from typing import Any

ENDING = 5.0  # seconds that a command has to end when it is told to
NOT_STARTED = 127


def split(argv: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the words before the first `--`, and the commands, each behind one."""
    parts: list[list[str]] = [[]]
    for word in argv:
        if word == "--":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts[0], parts[1:]


def shell_status(returncode: int) -> int:
    """Return an exit status as a shell gives it: 128 and the signal's number, if a signal ended it."""
    return 128 - returncode if returncode < 0 else returncode


async def ended(process: asyncio.subprocess.Process) -> None:
    """End a command if it still runs: it is told to, and killed if it does not listen."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), ENDING)
    except asyncio.TimeoutError:
        process.kill()
        await process.wait()


async def interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Return what the work returns; a signal cancels it, and gives the exit status that a shell gives."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []
    task = asyncio.ensure_future(work)

    def end(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        return 128 + caught[0]
