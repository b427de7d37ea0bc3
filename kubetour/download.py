"""Downloads of one file over TLS, whole and verified or not at all."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import socket
import ssl
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from kubetour.errors import IntegrityError, ToolError

PATIENCE = 20.0  # seconds that a server may be silent
DEADLINE = 900.0  # seconds for one file: 60 MB at 70 kB/s
LONGEST = 300 * 1000**2  # bytes; the largest of ours has about 60 MB
PAUSES = (1.0, 2.0, 4.0)  # seconds before each further try
CHUNK = 1 << 18

T = TypeVar("T")
_PASSING = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


class Clock(Protocol):
    """What a download may know of time."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""

    def sleep(self, seconds: float, /) -> None:
        """Return after that many seconds."""


def text(url: str, clock: Clock = time) -> str:
    """Return a small text file; raises as `file` does."""

    def read() -> str:
        with _answer(url) as answer:
            return str(answer.read(4096).decode("ascii", "replace"))

    return _patiently(url, read, clock)


def file(
    url: str, to: Path, sha256: str, announce: Callable[[int | None], None], clock: Clock = time
) -> None:
    """Put the file at `url` to `to`, executable, once its SHA-256 is the one given.

    `announce` is told the bytes to come (None: the server does not say) before they do. Raises ToolError if
    it cannot be had, IntegrityError if it is not what it should be, OSError if it cannot be kept; nothing is
    left then.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    told: list[int | None] = []

    def fetch() -> None:
        with _answer(url) as answer, _part(to) as part:
            size = answer.length
            if not told:
                told.append(size)
                announce(size)
            found = _copy(answer, part, size, clock)
            if found != sha256:
                raise IntegrityError("download-tampered", url=url, expected=sha256, found=found)
            part.chmod(0o755)
            part.replace(to)

    _patiently(url, fetch, clock)


def _copy(answer: http.client.HTTPResponse, part: Path, size: int | None, clock: Clock) -> str:
    """Copy the answer to a file and return its SHA-256; OSError if it is cut off, endless or too slow."""
    digest, got, end = hashlib.sha256(), 0, clock.monotonic() + DEADLINE
    with part.open("wb") as sink:
        while chunk := answer.read1(CHUNK):
            got += len(chunk)
            if got > LONGEST:
                raise _Final(f"more than {LONGEST // 1000**2} MB")
            if clock.monotonic() > end:
                raise TimeoutError(f"not done after {DEADLINE:.0f} seconds")
            digest.update(chunk)
            sink.write(chunk)
    if size is not None and got != size:
        raise ConnectionError(f"cut off after {got} of {size} bytes")
    return digest.hexdigest()


class _Final(Exception):  # noqa: N818 - never leaves this module
    """What another try would not mend."""


def _patiently(url: str, attempt: Callable[[], T], clock: Clock) -> T:
    """Return what the attempt returns, trying again after passing troubles; ToolError with the last one."""
    pauses = iter(PAUSES)
    while True:
        try:
            return attempt()
        except urllib.error.HTTPError as error:
            trouble = f"HTTP {error.code} {error.reason}"
            again = error.code in (408, 429) or error.code >= 500
            error.close()
        except _Final as error:
            trouble, again = str(error), False
        except _PASSING as error:
            reason = getattr(error, "reason", error)
            trouble = str(reason) or type(error).__name__
            again = not _lasts(reason)
        pause = next(pauses, None) if again else None
        if pause is None:
            raise ToolError("download-failed", url=url, reason=trouble)
        clock.sleep(pause)


def _lasts(reason: object) -> bool:
    """Return whether another try will fail in the same way: a bad certificate, a name that does not exist."""
    no_such_name = isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME
    return no_such_name or isinstance(reason, ssl.SSLCertVerificationError)


@contextmanager
def _part(to: Path) -> Iterator[Path]:
    """Yield a new file beside `to`, which is gone afterwards unless it was renamed."""
    with tempfile.NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as made:
        part = Path(made.name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _answer(url: str) -> http.client.HTTPResponse:
    """Return the answer's head; proxies are those of the environment."""
    _check(url)
    opener = urllib.request.build_opener(_Redirects)
    answer: http.client.HTTPResponse = opener.open(url, timeout=PATIENCE)
    return answer


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never to a place that could be listened to."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        """Return the request for the new place, if that may be asked."""
        request = super().redirect_request(*args)
        if request is not None:
            _check(request.full_url, secure=args[0].type == "https")
        return request


def _check(url: str, *, secure: bool = False) -> None:
    """Raise _Final unless the URL is https or, where that is not asked for, http on this machine."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        return
    if not secure and parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise _Final(f"{url} is not https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
