"""Asking a web server: over TLS alone, once or patiently."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from kubetour.errors import ToolError

PATIENCE = 20.0  # seconds that a server may be silent
PAUSES = (1.0, 2.0, 4.0)  # seconds before each further try
LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is not waited for

T = TypeVar("T")
_PASSING = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


class Clock(Protocol):
    """What a download may know of time."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""

    def sleep(self, seconds: float, /) -> None:
        """Return after that many seconds."""


class Final(Exception):  # noqa: N818 - never leaves `patiently`
    """What another try would not mend."""


def text(url: str, most: int = 4096, clock: Clock = time) -> str:
    """Return a text file, or its first `most` bytes; raises as `patiently` does."""

    def read() -> str:
        with answer(url) as got:
            return str(got.read(most).decode("utf-8", "replace"))

    return patiently(url, read, clock)


def answer(url: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
    """Return the answer's head, its body still to be read; proxies are those of the environment."""
    _check(url)
    opener = urllib.request.build_opener(_Redirects)
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - checked above
    got: http.client.HTTPResponse = opener.open(request, timeout=PATIENCE)
    return got


def patiently(url: str, attempt: Callable[[], T], clock: Clock) -> T:
    """Return what the attempt returns, trying again after passing troubles; ToolError with the last one."""
    pauses = iter(PAUSES)
    while True:
        wanted = 0.0  # seconds that the server asks for
        try:
            return attempt()
        except urllib.error.HTTPError as error:
            trouble = f"HTTP {error.code} {error.reason}"
            again = error.code in (408, 429) or error.code >= 500
            wanted = _retry_after(error.headers.get("Retry-After"))
            error.close()
        except Final as error:
            trouble, again = str(error), False
        except _PASSING as error:
            reason = getattr(error, "reason", error)
            trouble = str(reason) or type(error).__name__
            again = not _lasts(reason)
        pause = next(pauses, None) if again and wanted <= LONGEST_PAUSE else None
        if pause is None:
            raise ToolError("download-failed", url=url, reason=trouble)
        clock.sleep(max(pause, wanted))


def _retry_after(value: str | None) -> float:
    """Return a Retry-After header in seconds; 0 for its other form, a date (RFC 9110, section 10.2.3)."""
    return float(value) if value and value.isascii() and value.isdigit() else 0.0


def _lasts(reason: object) -> bool:
    """Return whether another try will fail in the same way: a bad certificate, a name that does not exist."""
    no_such_name = isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME
    return no_such_name or isinstance(reason, ssl.SSLCertVerificationError)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never to a place that could be listened to."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:
        """Return the request for the new place, if that may be asked."""
        request = super().redirect_request(*args)
        if request is not None:
            _check(request.full_url, secure=args[0].type == "https")
        return request


def _check(url: str, *, secure: bool = False) -> None:
    """Raise Final unless the URL is https or, where that is not asked for, http on this machine."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        return
    if not secure and parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise Final(f"{url} is not https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
