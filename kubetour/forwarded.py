"""A command through a forwarded port: `python -m kubetour.forwarded -- kubectl port-forward … -- COMMAND…`.

The first command is started, and once it says where it forwards from, the second one runs, with that address
in place of `{}` in its words. Then the first one is ended, and the last line tells how many connections it
says it has handled. The exit status is the second command's. If forwarding does not begin, the second is not
run: the exit status is the first one's, or 124 when time is up. But where kubectl can open no stream to the
Pod at all, as the server or something before it refuses that, a line says why, and the exit status is 0.

Python's standard library alone, and of this package only what needs no more: on another host any Python from
3.9 on runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import shlex
import sys
from collections import deque
from collections.abc import Sequence

from kubetour.alongside import ENDING, NOT_STARTED, ended, interruptible, shell_status, split

ADDRESS = "{}"
NOT_FORWARDED = "not forwarded: "  # before the reason
CONNECTIONS = "connections: "  # before the number
LATE = 124  # as timeout(1) has it
DRAINED = 5.0  # seconds for what was still written, after the end
MOST_SAID = 50  # lines on standard error that are looked through

# What kubectl says, in https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/client-go/tools/portforward
_FROM = re.compile(r"Forwarding from (\S+) -> \d+")
_HANDLING = "Handling connection for "
_NO_STREAM = re.compile(r"error upgrading connection: (.*)", re.DOTALL)


class Forwarding:
    """What the first command says. `address`, once it forwards, is where from; "" if it ends before."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.connections = 0
        self._said: deque[str] = deque(maxlen=MOST_SAID)
        assert process.stdout  # noqa: S101 - both are pipes
        assert process.stderr  # noqa: S101
        self._readers = (
            asyncio.ensure_future(self._read(process.stdout)),
            asyncio.ensure_future(self._complaints(process.stderr)),
        )

    @property
    def begun(self) -> str:
        """Return where it forwards from; "" while, or if, it does not."""
        return self.address.result() if self.address.done() else ""

    @property
    def no_stream(self) -> str:
        """Return why no stream to the Pod could be opened, in one line; "" if it says nothing of that."""
        found = _NO_STREAM.search("\n".join(self._said))
        return " ".join(found[1].split()) if found else ""

    async def end(self) -> None:
        """End the command, if it still runs, and read the rest of what it has said."""
        if self.address.done() and not self.begun:  # it ends by itself: how, is worth knowing
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.process.wait(), ENDING)
        await ended(self.process)
        _, late = await asyncio.wait(self._readers, timeout=DRAINED)
        for reader in late:  # a child of its own holds the pipe
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        self.process._transport.close()  # type: ignore[attr-defined]  # nothing public closes the pipes

    async def _read(self, stream: asyncio.StreamReader) -> None:
        try:
            async for line in stream:
                text = line.decode(errors="replace").rstrip()
                found = _FROM.match(text)
                if text.startswith(_HANDLING):
                    self.connections += 1
                elif not found:
                    print(text, file=sys.stderr)
                elif not self.address.done():  # IPv6 has a line of its own
                    self.address.set_result(found[1])
                    print(text, flush=True)
        finally:
            if not self.address.done():
                self.address.set_result("")

    async def _complaints(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            text = line.decode(errors="replace").rstrip()
            self._said.append(text)
            print(text, file=sys.stderr, flush=True)


async def forwarded(forward: Sequence[str], command: Sequence[str], timeout: float) -> int:
    """Run the command while a port is forwarded, and return the exit status."""
    process = await _start(forward, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    if process is None:
        return NOT_STARTED
    forwarding, status = Forwarding(process), 0
    try:
        await asyncio.wait((forwarding.address,), timeout=timeout)
        if address := forwarding.begun:
            status = await _run([word.replace(ADDRESS, address) for word in command])
        elif not forwarding.address.done():
            print(f"{shlex.join(forward)}: does not forward after {timeout:g} s", file=sys.stderr)
            return LATE
    finally:
        await forwarding.end()
    if address:
        print(f"\n{CONNECTIONS}{forwarding.connections}", flush=True)
        return status
    if forwarding.no_stream:
        print(NOT_FORWARDED + forwarding.no_stream, flush=True)
        return 0
    return shell_status(process.returncode or 1)


async def _run(command: Sequence[str]) -> int:
    """Run a command to its end, whose output is ours, and return its exit status."""
    process = await _start(command)
    if process is None:
        return NOT_STARTED
    try:
        return shell_status(await process.wait())
    finally:
        if process.returncode is None:
            await ended(process)


async def _start(
    command: Sequence[str], stdout: int | None = None, stderr: int | None = None
) -> asyncio.subprocess.Process | None:
    """Start a command that reads nothing; say why, and return None, if it cannot be started."""
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror or error}", file=sys.stderr)
        return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run both commands; 2 for wrong usage."""
    own, commands = split(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="forwarded", usage="%(prog)s [options] -- kubectl port-forward … -- COMMAND…"
    )
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds until it must forward (30)")
    given = parser.parse_args(own)
    if len(commands) != 2 or not all(commands):
        parser.error("name two commands, each after --")
    if not any(ADDRESS in word for word in commands[1]):
        parser.error(f"no word of the second command has {ADDRESS}, the address, in it")
    return asyncio.run(interruptible(forwarded(commands[0], commands[1], given.timeout)))


if __name__ == "__main__":
    sys.exit(main())
