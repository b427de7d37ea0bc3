"""SPDY/3.1 frames, against an encoder of the other side's made here."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import spdy
from kubetour.embedded.spdy_dictionary import DICTIONARY

NAMES = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12)
FRAMES = st.lists(
    st.one_of(
        st.tuples(
            st.just("open"),
            st.integers(1, 2**31 - 1),
            st.dictionaries(NAMES, st.text(max_size=20), max_size=5),
        ),
        st.tuples(st.just("data"), st.integers(1, 2**31 - 1), st.binary(max_size=200)),
    ),
    max_size=8,
)


class Client:
    """The other side."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def syn_stream(self, stream: int, headers: dict[str, str], flags: int = 0) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.encode(), value.encode()):
                block += struct.pack(">I", len(text)) + text
        squeezed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(1, struct.pack(">IIH", stream, 0, 0) + squeezed, flags)


def control(kind: int, body: bytes, flags: int = 0, version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | len(body)) + body


def test_the_dictionary_is_the_one_that_zlib_names() -> None:
    assert (len(DICTIONARY), zlib.adler32(DICTIONARY)) == (1423, 0xE3C6A7C2)


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_frames_are_found_however_the_bytes_are_cut(
    frames: list[tuple[str, int, object]], cuts: list[int]
) -> None:
    client, session, sent = Client(), spdy.Session(), b""
    expected: list[object] = []
    for kind, stream, content in frames:
        if kind == "open":
            assert isinstance(content, dict)
            sent += client.syn_stream(stream, content)
            expected.append(spdy.Opened(stream, content))
        else:
            assert isinstance(content, bytes)
            sent += spdy.data(stream, content)
            expected.append(spdy.Data(stream, content, False))
    found: list[object] = []
    at = 0
    while at < len(sent):
        size = cuts[len(found) % len(cuts)]
        found += list(session.feed(sent[at : at + size]))
        at += size
    assert found == expected


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        pytest.param(control(6, b"\0\0\0\7"), spdy.Answer(control(6, b"\0\0\0\7")), id="a ping comes back"),
        pytest.param(control(3, struct.pack(">II", 5, 5)), spdy.Ended(5), id="a stream is given up"),
        pytest.param(control(7, struct.pack(">II", 5, 0)), spdy.Ended(0), id="all are given up"),
        pytest.param(spdy.data(3, b"x", last=True), spdy.Data(3, b"x", True), id="the last bytes"),
    ],
)
def test_other_frames_are_understood(frame: bytes, event: spdy.Event) -> None:
    assert list(spdy.Session().feed(frame)) == [event]


@pytest.mark.parametrize("kind", [4, 8, 9, 99])
def test_frames_that_ask_for_nothing_are_passed_over(kind: int) -> None:
    assert list(spdy.Session().feed(control(kind, b"\0" * 8))) == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(control(1, b"\0\0\0\1", version=2), id="an old version"),
        pytest.param(control(1, b"\0" * 10 + b"rubbish"), id="headers that are not compressed"),
        pytest.param(control(3, b"\0"), id="a frame that is too short"),
        pytest.param(struct.pack(">II", 1, spdy.LARGEST + 1), id="a frame that is too long"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
    ],
)
def test_what_is_not_spdy_is_refused(sent: bytes) -> None:
    with pytest.raises(spdy.SpdyError):
        list(spdy.Session().feed(sent))


def test_a_reply_is_read_with_the_same_dictionary() -> None:
    session = spdy.Session()
    for stream in (1, 3):
        frame = session.reply(stream)
        assert struct.unpack(">HH", frame[:4]) == (0x8003, 2)
        assert struct.unpack(">I", frame[8:12]) == (stream,)
    inflate = zlib.decompressobj(zdict=DICTIONARY)
    assert inflate.decompress(spdy.Session().reply(1)[12:]) == b"\0\0\0\0"
