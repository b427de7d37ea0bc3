"""SPDY/3.1, as far as port forwarding speaks it: frames in, frames out. No I/O, and no flow control.

kubectl sends it through a WebSocket (KEP-4006). Its own implementation has no flow control either.
https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kubetour.embedded.spdy_dictionary import DICTIONARY

_SYN_STREAM, _SYN_REPLY, _RST_STREAM, _PING, _GOAWAY = 1, 2, 3, 6, 7
_VERSION = 3
_FIN = 0x01
_HEADER = 8
LARGEST = 1 << 20  # bytes in one frame; kubectl's have at most 32 KiB


class SpdyError(ValueError):
    """The other side does not speak SPDY/3.1."""


@dataclass(frozen=True)
class Opened:
    """The other side has opened a stream."""

    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Data:
    """Bytes came on a stream; `last` if nothing more will."""

    stream: int
    data: bytes
    last: bool


@dataclass(frozen=True)
class Ended:
    """The other side has given up a stream; for stream 0, all of them."""

    stream: int


@dataclass(frozen=True)
class Answer:
    """A frame that is to be sent back as it is."""

    frame: bytes


Event = Opened | Data | Ended | Answer


@dataclass
class Session:
    """One connection: the two directions have a compression of headers each, and what is left of a frame."""

    _rest: bytes = b""
    _inflate: zlib._Decompress = field(default_factory=lambda: zlib.decompressobj(zdict=DICTIONARY))
    _deflate: zlib._Compress = field(default_factory=lambda: zlib.compressobj(zdict=DICTIONARY))

    def feed(self, data: bytes) -> Iterator[Event]:
        """Yield what these bytes bring; SpdyError if they are none of SPDY's."""
        self._rest += data
        while len(self._rest) >= _HEADER:
            word, size = struct.unpack(">II", self._rest[:_HEADER])
            flags, length = size >> 24, size & 0xFFFFFF
            if length > LARGEST:
                raise SpdyError(f"a frame of {length} bytes")
            if len(self._rest) < _HEADER + length:
                return
            body, self._rest = self._rest[_HEADER : _HEADER + length], self._rest[_HEADER + length :]
            if word >> 31:
                yield from self._control(word, flags, body)
            else:
                yield Data(word, body, bool(flags & _FIN))

    def _control(self, word: int, flags: int, body: bytes) -> Iterator[Event]:
        if (word >> 16) & 0x7FFF != _VERSION:
            raise SpdyError(f"version {(word >> 16) & 0x7FFF}")
        kind = word & 0xFFFF
        try:
            if kind == _SYN_STREAM:
                (stream,) = struct.unpack(">I", body[:4])
                yield Opened(stream & 0x7FFFFFFF, self._headers(body[10:]))
                if flags & _FIN:
                    yield Data(stream & 0x7FFFFFFF, b"", True)
            elif kind == _RST_STREAM:
                yield Ended(struct.unpack(">I", body[:4])[0] & 0x7FFFFFFF)
            elif kind == _PING:
                yield Answer(_control(_PING, body))
            elif kind == _GOAWAY:
                yield Ended(0)
        except (struct.error, zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(str(error)) from error

    def _headers(self, block: bytes) -> dict[str, str]:
        text = self._inflate.decompress(block, LARGEST)
        (count,) = struct.unpack(">I", text[:4])
        headers, at = {}, 4
        for _ in range(min(count, 100)):
            pair = []
            for _ in range(2):
                (length,) = struct.unpack(">I", text[at : at + 4])
                pair.append(text[at + 4 : at + 4 + length].decode())
                at += 4 + length
            headers[pair[0].lower()] = pair[1]
        return headers

    def reply(self, stream: int) -> bytes:
        """Return the frame that accepts a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(_SYN_REPLY, struct.pack(">I", stream) + block)


def data(stream: int, content: bytes, *, last: bool = False) -> bytes:
    """Return the frame that carries bytes on a stream; with `last`, nothing more will come on it."""
    return struct.pack(">II", stream, (_FIN if last else 0) << 24 | len(content)) + content


def _control(kind: int, body: bytes) -> bytes:
    return struct.pack(">II", 1 << 31 | _VERSION << 16 | kind, len(body)) + body
