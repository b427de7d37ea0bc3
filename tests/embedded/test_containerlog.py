from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import containerlog
from kubetour.embedded.containerlog import Entry, LogOptions, LogReader, LogWriter, parse, select, stream


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def ticking() -> Iterator[int]:
    yield from range(1_000_000_000, 10**18, 1_000_000_000)


def write(log: Path, *chunks: tuple[str, bytes]) -> None:
    clock = ticking()
    writer = LogWriter(log, lambda: next(clock))
    for name, data in chunks:
        writer.feed(name, data)
    writer.close()


def test_lines_are_written_in_the_cris_format(log: Path) -> None:
    write(log, ("stdout", b"one\ntw"), ("stderr", b"err\n"), ("stdout", b"o\nrest"))
    assert log.read_bytes().splitlines() == [
        b"1970-01-01T00:00:01.000000000Z stdout F one",
        b"1970-01-01T00:00:02.000000000Z stderr F err",
        b"1970-01-01T00:00:03.000000000Z stdout F two",
        b"1970-01-01T00:00:04.000000000Z stdout P rest",
    ]
    assert log.stat().st_mode & 0o777 == 0o600


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_what_was_printed_comes_out_byte_by_byte(chunks: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        write(log, *(("stdout", chunk) for chunk in chunks))
        assert b"".join(entry.line() for entry in LogReader(log).read()) == b"".join(chunks)


def test_a_long_line_is_written_in_parts_and_comes_out_whole(log: Path) -> None:
    line = b"x" * 40_000 + b"\n"
    write(log, ("stdout", line[:17_000]), ("stdout", line[17_000:]))
    assert max(map(len, log.read_bytes().splitlines())) < 17_000
    entries = list(LogReader(log).read())
    assert b"".join(entry.line() for entry in entries) == line
    assert select(iter(entries), LogOptions(tail_lines=1)) == entries


def test_the_log_is_rotated_and_read_over_it(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containerlog, "LARGEST", 200)
    reader = LogReader(log)
    clock = ticking()
    writer = LogWriter(log, lambda: next(clock))
    seen = b""
    for number in range(20):
        writer.feed("stdout", f"line {number}\n".encode())
        seen += b"".join(entry.line() for entry in reader.read())
    writer.close()
    assert seen == b"".join(f"line {number}\n".encode() for number in range(20))
    assert log.stat().st_size + log.with_name("log.1").stat().st_size <= 400
    late = [entry.text for entry in LogReader(log).read()]
    assert late[-1] == b"line 19"
    assert len(late) > 3


@pytest.mark.parametrize("line", [b"", b"x", b"2026 stdout F", b"2026 stdout X text"])
def test_foreign_lines_are_skipped(line: bytes) -> None:
    assert parse(line) is None


def entries(*texts: str) -> list[Entry]:
    return [Entry(f"2026-01-01T00:00:0{n}.0Z", "stdout", True, t.encode()) for n, t in enumerate(texts)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (LogOptions(), [b"a", b"b", b"c"]),
        (LogOptions(tail_lines=2), [b"b", b"c"]),
        (LogOptions(tail_lines=0), []),
        (LogOptions(tail_lines=9), [b"a", b"b", b"c"]),
        (LogOptions(since="2026-01-01T00:00:01.0Z"), [b"b", b"c"]),
    ],
)
def test_lines_are_chosen(options: LogOptions, expected: list[bytes]) -> None:
    assert [entry.text for entry in select(iter(entries("a", "b", "c")), options)] == expected


def test_a_log_is_followed_until_its_container_ends(log: Path) -> None:
    clock = ticking()
    writer = LogWriter(log, lambda: next(clock))
    writer.feed("stdout", b"before\n")
    steps = iter(["more", "end"])

    async def wait() -> bool:
        if next(steps) == "more":
            writer.feed("stdout", b"more\n")
            return True
        writer.feed("stdout", b"last")
        writer.close()
        return False

    async def collect(options: LogOptions) -> list[bytes]:
        return [chunk async for chunk in stream(log, options, wait)]

    assert asyncio.run(collect(LogOptions(follow=True))) == [b"before\n", b"more\n", b"last"]
    assert asyncio.run(collect(LogOptions(limit_bytes=9))) == [b"before\nmo"]
    (whole,) = asyncio.run(collect(LogOptions(timestamps=True, tail_lines=1)))
    assert whole == b"1970-01-01T00:00:04.000000000Z last"
