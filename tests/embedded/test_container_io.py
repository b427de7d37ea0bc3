"""The streams of processes as a runtime starts them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path

import pytest

from kubetour.embedded import container_io
from kubetour.embedded.container_io import ContainerIO, Output
from kubetour.embedded.process import spawn
from kubetour.embedded.terminal import Terminal

Test = Callable[[Path], Awaitable[None]]


def eventually(test: Test) -> Callable[[Path], None]:
    """Run an asynchronous test, ten seconds at most."""

    @wraps(test)
    def run(tmp_path: Path) -> None:
        asyncio.run(asyncio.wait_for(test(tmp_path), 10))

    return run


@asynccontextmanager
async def streams(
    root: Path, script: str, *, stdin: bool = True, once: bool = False, tty: bool = False
) -> AsyncIterator[ContainerIO]:
    terminal = Terminal() if tty else None
    process = spawn(
        ["sh", "-c", script], directory=root, environment=dict(os.environ), stdin=stdin, terminal=terminal
    )
    if terminal:
        terminal.started()
    found = ContainerIO(process, terminal, root / "log", stdin_once=once)
    try:
        yield found
    finally:
        process.kill()
        process.wait()
        found.exited.set()
        found.finish()


async def until(output: Output, text: bytes, stream: str = "stdout") -> None:
    """Read until a stream has brought a text."""
    said = b""
    while text not in said:
        item = await output.get()
        assert item, said
        said += item[1] if item[0] == stream else b""


@eventually
async def test_each_that_is_attached_gets_all_output_and_any_may_give_input(tmp_path: Path) -> None:
    async with streams(tmp_path, "read a; echo $a; read b; echo $b >&2; read never") as found:
        first, second = found.attach(), found.attach()
        await found.write(b"one\n")
        await until(first, b"one\n")
        found.input_ended()  # there may be others
        await found.write(b"two\n")
        for output in (first, second):
            await until(output, b"two\n", "stderr")


@eventually
async def test_input_for_one_ends_with_the_one(tmp_path: Path) -> None:
    async with streams(tmp_path, "cat; echo end; read never < /dev/zero", once=True) as found:
        output = found.attach()
        await found.write(b"text ")
        found.input_ended()
        await until(output, b"text end\n")
        await found.write(b"lost")  # which is no error


@eventually
async def test_much_input_waits_until_it_is_read(tmp_path: Path) -> None:
    async with streams(tmp_path, "wc -c; read never < /dev/zero", once=True) as found:
        output = found.attach()
        await found.write(b"x" * 3_000_000)
        found.input_ended()
        await until(output, b"3000000")


@eventually
async def test_without_input_there_is_none(tmp_path: Path) -> None:
    async with streams(tmp_path, "cat; echo end; read never < /dev/zero", stdin=False) as found:
        output = found.attach()
        await found.write(b"lost")
        await until(output, b"end\n")


@eventually
async def test_a_terminal_has_a_size(tmp_path: Path) -> None:
    async with streams(tmp_path, "read go; stty size; read never", tty=True) as found:
        output = found.attach()
        found.resize(91, 17)
        await found.write(b"go\n")
        await until(output, b"17 91\r\n")


@eventually
async def test_the_end_is_told_to_who_was_attached_and_who_comes_later(tmp_path: Path) -> None:
    async with streams(tmp_path, "read never < /dev/zero") as found:
        before = found.attach()
    assert await before.get() is None
    assert await found.attach().get() is None


@eventually
async def test_who_does_not_read_is_let_go(tmp_path: Path) -> None:
    normal, container_io._BACKLOG = container_io._BACKLOG, 2
    try:
        async with streams(tmp_path, "for i in 1 2 3 4; do echo $i; read go; done") as found:
            slow, quick = found.attach(), found.attach()
            for number in (1, 2, 3, 4):
                await until(quick, f"{number}\n".encode())
                await found.write(b"\n")
            assert await slow.get() is None
    finally:
        container_io._BACKLOG = normal


@pytest.mark.parametrize("tty", [False, True], ids=["pipes", "a terminal"])
def test_output_is_logged_whoever_is_attached(tmp_path: Path, tty: bool) -> None:
    @eventually
    async def test(root: Path) -> None:
        async with streams(root, "echo said; read never < /dev/zero", tty=tty) as found:
            output = found.attach()
            await until(output, b"said")
        assert b" stdout F said" in (root / "log").read_bytes()

    test(tmp_path)
