"""A steady load while commands run, in the manner of time(1): `python -m kubetour.steady URL -- COMMAND…`.

Requests leave at a fixed rate, whether or not earlier ones were answered, each over a connection of its own.
After `--before` seconds the commands run, one after the other as `;` joins them in a shell, their output on
standard error; a word `--` begins the next one. `--after` seconds later, what happened is printed as JSON.
The exit status is the last command's. If nothing answers before the first one, none is run: the load cannot
be sent from here.

Python's standard library alone, and of this package only what needs no more: on another host any Python from
3.9 on runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from kubetour.alongside import NOT_STARTED, ended, interruptible, shell_status, split

LARGEST = 64 * 1024  # bytes of an answer
LONGEST_NAME = 200  # characters of an answer, as which it is counted
MOST_NAMES = 100  # different answers; all others count as one
MOST_WAITING = 200  # requests that wait for an answer at the same time
MOST_SECONDS = 3600  # of the table; what comes later counts in its last row
MOST_FAILURES = 5  # that are listed; all are counted


class Tally:
    """What became of the requests. Its size does not grow with their number."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.requests = self.failed = 0
        self.seconds: list[dict[str, Any]] = []
        self.reasons: Counter[str] = Counter()
        self.failures: list[dict[str, Any]] = []
        self.marks: list[dict[str, Any]] = []
        self._names: set[str] = set()
        self._latencies: Counter[int] = Counter()  # in tenths of a millisecond

    def answered(self, due: float, latency: float, text: str) -> None:
        """Count an answer to the request that was due then: seconds since the begin."""
        name = text if text in self._names or len(self._names) < MOST_NAMES else "…"
        self._names.add(name)
        row = self._row(due)
        row["ok"] += 1
        row["by"][name] = row["by"].get(name, 0) + 1
        self._latencies[round(latency * 10_000)] += 1

    def lost(self, due: float, reason: str) -> None:
        """Count a request that got no answer, or one that says that it failed."""
        self._row(due)["failed"] += 1
        self.failed += 1
        self.reasons[reason] += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append({"at": round(due, 3), "reason": reason})

    def _row(self, due: float) -> dict[str, Any]:
        self.requests += 1
        index = min(int(due), MOST_SECONDS - 1)
        while len(self.seconds) <= index:
            self.seconds.append({"at": len(self.seconds), "ok": 0, "failed": 0, "by": {}})
        return self.seconds[index]

    def quantile(self, share: float) -> float | None:
        """Return the latency in milliseconds that this share of the answers did not exceed."""
        left = share * sum(self._latencies.values())
        for tenths in sorted(self._latencies):
            left -= self._latencies[tenths]
            if left <= 0:
                return tenths / 10
        return None

    def told(self) -> str:
        """Return everything as JSON, a line for each second and each mark."""
        summary = {
            "rate": self.rate,
            "requests": self.requests,
            "failed": self.failed,
            "milliseconds": {
                "p50": self.quantile(0.5),
                "p99": self.quantile(0.99),
                "max": self.quantile(1.0),
            },
            "reasons": dict(self.reasons),
        }
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in summary.items()]
        tables = {"seconds": self.seconds, "marks": self.marks, "failures": self.failures}
        for key, rows in tables.items():
            body = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
            lines.append(f"{json.dumps(key)}: [\n{body}\n]" if rows else f"{json.dumps(key)}: []")
        return "{" + ",\n".join(lines) + "}"


class FailedError(Exception):
    """A request that failed, and why."""


async def request(host: str, port: int, netloc: str, path: str) -> str:
    """Return the answer to one GET over a connection of its own; FailedError for a status from 500 on."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(None, 2)[1].decode()
        if not status.isdigit() or int(status) >= 500:
            raise FailedError(f"HTTP {status[:20]}")
        body = bytearray()
        while len(body) < LARGEST and (chunk := await reader.read(LARGEST - len(body))):
            body += chunk
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if length and len(body) < min(int(length[0].split(b":")[1]), LARGEST):
            raise FailedError("the answer broke off")
        return " ".join(body.decode(errors="replace").split())[:LONGEST_NAME]
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def why(error: Exception) -> str:
    """Return in a few words why a request failed."""
    if isinstance(error, FailedError):
        return str(error)
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "connection reset"
    if isinstance(error, (asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError, ValueError)):
        return "closed without an answer" if isinstance(error, asyncio.IncompleteReadError) else "no HTTP"
    return str(getattr(error, "strerror", None) or error)[:100]


class Load:
    """Requests at a steady rate, until cancelled."""

    def __init__(self, url: str, tally: Tally, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"no URL such as http://127.0.0.1:8080/: {url}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._target = parts.hostname, parts.port or 80, parts.netloc, path
        self._tally, self._timeout = tally, timeout
        self._waiting: set[asyncio.Task[None]] = set()
        self.began = time.monotonic()

    def clock(self) -> float:
        """Return the seconds since the begin."""
        return time.monotonic() - self.began

    async def run(self) -> None:
        """Send requests, each when it is due: the schedule does not slow down when answers do."""
        number = 0
        while True:
            due = number / self._tally.rate
            await asyncio.sleep(max(due - self.clock(), 0))
            if len(self._waiting) < MOST_WAITING:
                task = asyncio.ensure_future(self._one(due))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
            else:
                self._tally.lost(due, f"not sent: {MOST_WAITING} others wait for an answer")
            number += 1

    async def finish(self) -> None:
        """Wait for the answers that are still to come; none takes longer than the time limit."""
        while self._waiting:
            await asyncio.wait(self._waiting)

    async def end(self) -> None:
        """Give up what still waits."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _one(self, due: float) -> None:
        try:
            text = await asyncio.wait_for(request(*self._target), self._timeout)
        except (
            FailedError,
            OSError,
            EOFError,
            asyncio.TimeoutError,
            asyncio.LimitOverrunError,
            ValueError,
            IndexError,
        ) as error:
            self._tally.lost(due, why(error))
        else:
            self._tally.answered(due, self.clock() - due, text)


async def execute(command: Sequence[str], load: Load, tally: Tally) -> int:
    """Run a command to its end, mark when it began and ended, and return its exit status."""
    mark: dict[str, Any] = {"at": round(load.clock(), 3), "text": shlex.join(command)}
    tally.marks.append(mark)
    try:
        # Its output must not get between our JSON, and it must not read what is not meant for it.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=sys.stderr
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror or error}", file=sys.stderr)
        status = NOT_STARTED
    else:
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await ended(process)
            raise
    status = shell_status(status)
    mark.update(ended=round(load.clock(), 3), status=status)
    return status


async def steady(given: argparse.Namespace, commands: Sequence[Sequence[str]]) -> int:
    """Send the load, run the commands, print what happened, and return the last command's exit status."""
    tally, status = Tally(given.rate), 0
    load = Load(given.url, tally, given.timeout)
    sending = asyncio.ensure_future(load.run())
    try:
        await asyncio.sleep(given.before)
        while not tally.requests:  # the first answer is still to come
            await asyncio.sleep(0.01)
        if tally.failed < tally.requests:
            for command in commands:
                status = await execute(command, load, tally)
            await asyncio.sleep(given.after)
        sending.cancel()
        await load.finish()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await load.end()
    print(tally.told(), flush=True)
    return status


def positive(text: str) -> float:
    """Return a number above zero, of at most 1000; ValueError for anything else."""
    number = float(text)
    if not 0 < number <= 1000:
        raise ValueError(text)
    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the load and the commands; 2 for wrong usage."""
    own, commands = split(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="steady", usage="%(prog)s [options] URL -- COMMAND… [-- COMMAND…]")
    parser.add_argument("--rate", type=positive, default=50.0, help="requests per second (50)")
    parser.add_argument("--before", type=float, default=1.0, help="seconds before the first command (1)")
    parser.add_argument("--after", type=float, default=1.0, help="seconds after the last one (1)")
    parser.add_argument(
        "--timeout", type=positive, default=5.0, help="seconds until a request has failed (5)"
    )
    parser.add_argument("url", metavar="URL")
    given = parser.parse_args(own)
    if not commands or not all(commands):
        parser.error("name a command after --")
    try:
        return asyncio.run(interruptible(steady(given, commands)))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
