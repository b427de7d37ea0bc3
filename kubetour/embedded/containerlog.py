"""Container logs in the CRI's format: "2026-01-02T03:04:05.000000006Z stdout F text".

`F` is a full line; `P` a part that the next entry goes on with.
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

# kubelet's containerLogMaxSize; one older file is kept.
LARGEST = 10 * 1024 * 1024
_LONGEST_LINE = 16 * 1024


def rfc3339_nano(nanoseconds: int) -> str:
    """Return a time in nanoseconds since the epoch as metav1's RFC3339Nano, always with nine digits."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


@dataclass(frozen=True)
class Entry:
    """One line, or a part of one: when, on which stream, whether its newline is there, and its bytes."""

    time: str
    stream: str
    full: bool
    text: bytes

    def line(self, *, timestamps: bool = False) -> bytes:
        """Return what was printed, after its time if asked for."""
        head = f"{self.time} ".encode() if timestamps else b""
        return head + self.text + (b"\n" if self.full else b"")


@dataclass(frozen=True)
class LogOptions:
    """v1.PodLogOptions, as far as they choose lines. `since` is an RFC 3339 time, "" for all."""

    follow: bool = False
    tail_lines: int | None = None
    since: str = ""
    timestamps: bool = False
    limit_bytes: int | None = None


class LogWriter:
    """Writes what a container prints; `now` gives nanoseconds since the epoch."""

    def __init__(
        self, path: Path, now: Callable[[], int], on_write: Callable[[], None] = lambda: None
    ) -> None:
        self.path = path
        self._now = now
        self._on_write = on_write
        self._rest = {"stdout": b"", "stderr": b""}
        self._file = path.open("ab", buffering=0)
        os.chmod(path, 0o600)

    def feed(self, stream: str, data: bytes) -> None:
        """Take what was printed on "stdout" or "stderr"; a line is written once it ends, or is long."""
        *lines, rest = (self._rest[stream] + data).split(b"\n")
        head = f"{rfc3339_nano(self._now())} {stream} ".encode()
        out = bytearray()
        for line in lines:
            *parts, last = _pieces(line)
            for part in parts:
                out += head + b"P " + part + b"\n"
            out += head + b"F " + last + b"\n"
        while len(rest) > _LONGEST_LINE:
            out += head + b"P " + rest[:_LONGEST_LINE] + b"\n"
            rest = rest[_LONGEST_LINE:]
        self._rest[stream] = rest
        if out:
            self._write(bytes(out))

    def close(self) -> None:
        """Write what did not end with a newline, and close the file."""
        try:
            for stream, rest in self._rest.items():
                if rest:
                    self._write(f"{rfc3339_nano(self._now())} {stream} P ".encode() + rest + b"\n")
        finally:
            self._file.close()
            self._on_write()

    def _write(self, data: bytes) -> None:
        if self._file.tell() + len(data) > LARGEST:
            self.path.replace(_older(self.path))
            full, self._file = self._file, self.path.open("ab", buffering=0)
            full.close()
        self._file.write(data)
        self._on_write()


def _pieces(line: bytes) -> list[bytes]:
    starts = range(0, max(len(line), 1), _LONGEST_LINE)
    return [line[start : start + _LONGEST_LINE] for start in starts]


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def parse(line: bytes) -> Entry | None:
    """Return the entry of one line of a log file, or None for one that is cut off or foreign."""
    parts = line.split(b" ", 3)
    if len(parts) != 4 or parts[2] not in (b"F", b"P"):
        return None
    return Entry(
        parts[0].decode(errors="replace"), parts[1].decode(errors="replace"), parts[2] == b"F", parts[3]
    )


class LogReader:
    """Reads a log file forward, over its rotation; `read` returns what was added since the last call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._older = _read(_older(path), 0)
        self._inode, self._offset = _inode(path), 0

    def read(self) -> Iterator[Entry]:
        """Yield the entries that are complete and were not yielded yet."""
        data, self._older = self._older, b""
        if self._inode and _inode(self._path) != self._inode:
            # It was rotated meanwhile: what was added before that is in the older file now.
            data += _read(_older(self._path), self._offset)
            self._offset = 0
        self._inode = _inode(self._path)
        added = _read(self._path, self._offset)
        self._offset += len(added)
        *lines, self._rest = (self._rest + data + added).split(b"\n")
        yield from filter(None, map(parse, lines))


def _read(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def select(entries: Iterator[Entry], options: LogOptions) -> list[Entry]:
    """Return the entries that `since` and `tail_lines` choose; a line's parts count as one."""
    chosen = [entry for entry in entries if not options.since or entry.time >= options.since]
    if options.tail_lines is None:
        return chosen
    lines: list[list[Entry]] = []
    begin = True
    for entry in chosen:
        if begin:
            lines.append([])
        lines[-1].append(entry)
        begin = entry.full
    kept = lines[max(len(lines) - options.tail_lines, 0) :]
    return [entry for line in kept for entry in line]


async def stream(
    path: Path, options: LogOptions, wait: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Yield a log's bytes as asked for. With `follow`, `wait` returns when there may be more, or False when
    the container has ended."""
    reader = LogReader(path)
    left = options.limit_bytes
    entries = select(reader.read(), options)
    more = True
    while True:
        data = b"".join(entry.line(timestamps=options.timestamps) for entry in entries)
        if left is not None:
            data, left = data[:left], left - len(data[:left])
        if data:
            yield data
        if not options.follow or not more or left == 0:
            return
        more = await wait()
        entries = list(reader.read())
