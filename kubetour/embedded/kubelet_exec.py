"""`kubectl exec` and `kubectl attach`: a program beside a container, or its output, over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import WSMsgType, web

from kubetour.embedded import channels
from kubetour.embedded.container import Container, localised
from kubetour.embedded.container_io import ContainerIO
from kubetour.embedded.process import child_setup, exit_code, signal_group
from kubetour.embedded.runtime import Runtime
from kubetour.embedded.terminal import Terminal

_CHUNK = 32768
_DRAIN = 1.0  # seconds in which the output of a program that has ended must come to its end


async def execute(
    ws: web.WebSocketResponse,
    runtime: Runtime,
    container: Container,
    argv: Sequence[str],
    *,
    stdin: bool,
    tty: bool,
) -> None:
    """Run a program with a container's directory and environment; it ends with either of the two."""
    terminal = Terminal() if tty else None
    try:
        process = await _start(runtime, container, argv, stdin, terminal)
    except (OSError, ValueError) as error:
        if terminal:
            terminal.close()
        await ws.send_bytes(channels.internal_error(_start_error(argv, error)))
        return
    finally:
        if terminal:
            terminal.started()
    if terminal:
        outputs = [asyncio.ensure_future(_send(ws, channels.STDOUT, await terminal.open()))]
    else:
        pipes = ((channels.STDOUT, process.stdout), (channels.STDERR, process.stderr))
        outputs = [asyncio.ensure_future(_send(ws, number, pipe)) for number, pipe in pipes if pipe]
    fed = asyncio.ensure_future(_feed(ws, process, terminal, stdin))
    gone = asyncio.ensure_future(runtime.wait(container))
    ended = asyncio.ensure_future(process.wait())
    try:
        # The caller's going ends the feeding, too: but for that, the program may outlive its input.
        await asyncio.wait({fed, gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            signal_group(process.pid, signal.SIGKILL)
        code = exit_code(await ended)
        await asyncio.wait(outputs, timeout=_DRAIN)
        if not ws.closed:
            await ws.send_bytes(channels.exited(code))
    finally:
        signal_group(process.pid, signal.SIGKILL)
        for task in (*outputs, fed, gone, ended):
            task.cancel()
        await asyncio.gather(*outputs, fed, gone, ended, return_exceptions=True)
        if terminal:
            terminal.close()


async def attach(ws: web.WebSocketResponse, streams: ContainerIO, *, stdin: bool) -> None:
    """Send what a container prints from now on, and give it input, until it ends or the caller goes."""
    output = streams.attach()

    async def send() -> None:
        while item := await output.get():
            name, chunk = item
            channel = channels.STDERR if name == "stderr" else channels.STDOUT
            await ws.send_bytes(channels.message(channel, chunk))
        await ws.send_bytes(channels.success())

    async def feed() -> None:
        async for channel, data in _received(ws):
            if channel == channels.RESIZE:
                streams.resize(*_size(data))
            elif channel == channels.STDIN and stdin:
                await streams.write(data)
            elif channel == channels.CLOSE and data[:1] == bytes((channels.STDIN,)) and stdin:
                streams.input_ended()

    tasks = [asyncio.ensure_future(send()), asyncio.ensure_future(feed())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        streams.detach(output)
        if stdin:
            streams.input_ended()


async def _start(
    runtime: Runtime, container: Container, argv: Sequence[str], stdin: bool, terminal: Terminal | None
) -> asyncio.subprocess.Process:
    root = Path(runtime.directory) / container.id / "rootfs"
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    prepare = child_setup(os.getpid())

    def setup() -> None:
        prepare()
        if terminal:
            terminal.become_controlling()

    return await asyncio.create_subprocess_exec(
        *[localised(word, root) for word in argv],
        cwd=container.directory,
        env={**container.environment, **({"TERM": "xterm"} if terminal else {})},
        stdin=terminal.program if terminal else pipe if stdin else null,
        stdout=terminal.program if terminal else pipe,
        stderr=terminal.program if terminal else pipe,
        start_new_session=True,
        preexec_fn=setup,
    )


def _start_error(argv: Sequence[str], error: Exception) -> str:
    why = "executable file not found in $PATH" if isinstance(error, FileNotFoundError) else str(error)
    return (
        "error executing command in container: failed to exec in container: failed to start exec: "
        f'unable to start container process: exec: "{argv[0]}": {why}'
    )


async def _send(ws: web.WebSocketResponse, channel: int, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):  # a terminal whose program has gone reads as an error
        while chunk := await reader.read(_CHUNK):
            await ws.send_bytes(channels.message(channel, chunk))


async def _feed(
    ws: web.WebSocketResponse, process: asyncio.subprocess.Process, terminal: Terminal | None, stdin: bool
) -> None:
    """Give the program what comes for it, until the caller goes."""
    async for channel, data in _received(ws):
        with contextlib.suppress(ConnectionError, OSError, ValueError):
            if channel == channels.RESIZE and terminal:
                terminal.resize(*_size(data))
            elif channel == channels.STDIN and stdin:
                await _write(process, terminal, data)
            elif channel == channels.CLOSE and data[:1] == bytes((channels.STDIN,)) and process.stdin:
                process.stdin.close()


async def _received(ws: web.WebSocketResponse) -> AsyncIterator[tuple[int, bytes]]:
    """Yield what comes from the caller, with its channel, until the caller goes."""
    async for sent in ws:
        # Some clients (the Python one) send what is text as text.
        content = sent.data.encode() if sent.type is WSMsgType.TEXT else sent.data
        if content:
            yield content[0], content[1:]


def _size(data: bytes) -> tuple[int, int]:
    size = json.loads(data)
    return int(size["Width"]), int(size["Height"])


async def _write(process: asyncio.subprocess.Process, terminal: Terminal | None, data: bytes) -> None:
    if terminal:
        await terminal.write(data)
    elif process.stdin:
        process.stdin.write(data)
        await process.stdin.drain()
