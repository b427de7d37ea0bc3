"""Downloads of one file: resumed where the line breaks, whole and verified or not at all."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kubetour import web
from kubetour.errors import IntegrityError

DEADLINE = 900.0  # seconds for one file, all tries together: 140 MB at 160 kB/s
LONGEST = 300 * 1000**2  # bytes; the largest of ours, minikube, has about 140 MB
CHUNK = 1 << 18

Announce = Callable[["int | None"], None]


def file(url: str, to: Path, sha256: str, announce: Announce, clock: web.Clock = time) -> None:
    """Put the file at `url` to `to`, executable, once its SHA-256 is the one given.

    `announce` is told the bytes to come (None: the server does not say) before they do. Raises ToolError if
    it cannot be had, IntegrityError if it is not what it should be, OSError if it cannot be kept; nothing is
    left then.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with _part(to) as path:
        part = _Part(url, path, announce, clock)

        def fetch() -> None:
            part.fetch()
            found = part.sha256()
            if found != sha256 and part.resumed:  # the two pieces may be of two files
                part.restart()
                part.fetch()
                found = part.sha256()
            if found != sha256:
                raise IntegrityError("download-tampered", url=url, expected=sha256, found=found)

        web.patiently(url, fetch, clock)
        path.chmod(0o755)
        path.replace(to)


class _Part:
    """What has come of a file. Each `fetch` asks for what is missing, as RFC 9110 section 14 has it."""

    def __init__(self, url: str, path: Path, announce: Announce, clock: web.Clock) -> None:
        self.resumed = False
        self._url, self._path, self._announce, self._clock = url, path, announce, clock
        self._end = clock.monotonic() + DEADLINE
        self._told = False
        self._got = 0
        self._size: int | None = None
        self._etag = ""

    def restart(self) -> None:
        """Forget what has come."""
        self._got, self.resumed = 0, False

    def sha256(self) -> str:
        """Return the figure of all that has come, as it is on the disk."""
        digest = hashlib.sha256()
        with self._path.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def fetch(self) -> None:
        """Fetch what is missing; an error if it is cut off, endless or too slow."""
        with self._open() as answer, self._path.open("ab") as sink:
            while chunk := answer.read1(CHUNK):
                sink.write(chunk)
                self._got += len(chunk)
                if self._got > LONGEST:
                    raise web.Final(f"more than {LONGEST // 1000**2} MB")
                if self._clock.monotonic() > self._end:
                    raise web.Final(f"not done after {DEADLINE:.0f} seconds")
        if self._size is not None and self._got != self._size:
            raise ConnectionError(f"cut off after {self._got} of {self._size} bytes")

    def _open(self) -> http.client.HTTPResponse:
        """Return an answer with what is missing or, where that cannot be had, with all of the file."""
        answer = self._rest()
        if answer is not None and answer.status == 206:
            self.resumed = True
            return answer
        if answer is None:
            answer = web.answer(self._url)
        if answer.status != 200:
            answer.close()
            raise ConnectionError(f"HTTP {answer.status} {answer.reason}")
        self.restart()
        self._path.write_bytes(b"")
        self._size = answer.length
        etag = answer.headers.get("ETag") or ""
        self._etag = "" if etag.startswith("W/") else etag  # a weak one may stand for other bytes
        if not self._told:
            self._told = True
            self._announce(self._size)
        return answer

    def _rest(self) -> http.client.HTTPResponse | None:
        """Return the answer to a request for the rest, if it has that (206) or all (200); else None."""
        if not self._size or not 0 < self._got < self._size:
            return None
        headers = {"Range": f"bytes={self._got}-"}
        if self._etag:
            headers["If-Range"] = self._etag  # if the file is another by now, all of it comes
        try:
            answer = web.answer(self._url, headers)
        except urllib.error.HTTPError as error:
            if error.code != 416:
                raise
            error.close()
            return None
        rest = f"bytes {self._got}-{self._size - 1}/{self._size}"
        fits = answer.headers.get("Content-Range") == rest and answer.length == self._size - self._got
        if answer.status == 200 or (answer.status == 206 and fits):
            return answer
        answer.close()
        return None


@contextmanager
def _part(to: Path) -> Iterator[Path]:
    """Yield a new file beside `to`, which is gone afterwards unless it was renamed."""
    with tempfile.NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as made:
        part = Path(made.name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)
