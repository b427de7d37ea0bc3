r"""The few flags of curl that the tour types, for a machine without curl: `python -m kubetour.curl`.

The same meaning, the same order of output, the same exit statuses (https://curl.se/docs/manpage.html).
A URL may hold one range, `[1-37]`. A connection is kept for the next request to the same server, unless a
header or the server says otherwise; no proxy is asked. `-w` knows `%{num_connects}` and `\n`.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

CANNOT_CONNECT, HTTP_ERROR, TIMED_OUT, RECEIVE_FAILED = 7, 22, 28, 56
LARGEST = 1024 * 1024  # bytes of one answer


def main(argv: list[str] | None = None) -> int:
    """Request every URL, print the answers, and return the last request's exit status."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("-f", "--fail", action="store_true")
    parser.add_argument("-i", "--include", action="store_true")
    parser.add_argument("-A", "--user-agent")
    parser.add_argument("--max-time", type=float, default=None)
    parser.add_argument("--noproxy")
    parser.add_argument("-w", "--write-out", default="")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args(argv)
    headers = dict(header.split(": ", 1) for header in given.header)
    if given.user_agent:
        headers["User-Agent"] = given.user_agent
    status, client = 0, Client(headers, given.max_time, given.fail)
    for url in (one for pattern in given.urls for one in expand(pattern)):
        status, head, body, error = client.request(url)
        told = given.write_out.replace("%{num_connects}", str(client.connects)).replace("\\n", "\n")
        sys.stdout.buffer.write((head if given.include else b"") + body + told.encode())
        if error and (given.show_error or not given.silent):
            sys.stdout.flush()
            print(f"curl: ({status}) {error}", file=sys.stderr)
    client.close()
    return status


def expand(pattern: str) -> Iterator[str]:
    """Yield the URLs of a pattern: one for each number of its range, or itself."""
    found = re.search(r"\[(\d+)-(\d+)\]", pattern)
    if not found:
        yield pattern
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield f"{pattern[: found.start()]}{number}{pattern[found.end() :]}"


class Client:
    """Makes requests, and keeps its connection for the next. `connects`: how many the last request took."""

    def __init__(self, headers: dict[str, str], timeout: float | None, fail: bool) -> None:
        self._headers, self._timeout, self._fail = headers, timeout, fail
        self._connection: http.client.HTTPConnection | None = None
        self.connects = 0

    def close(self) -> None:
        """Close the connection that was kept."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, url: str) -> tuple[int, bytes, bytes, str]:
        """Return one request's exit status, the answer's head and body, and the error text."""
        parts = urlsplit(url)
        where = parts.hostname or "", parts.port or 80
        kept, self.connects = self._connection, 0
        if kept and (kept.sock is None or (kept.host, kept.port) != where):
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*where, timeout=self._timeout)
            self.connects = 1
            try:
                self._connection.connect()
            except TimeoutError as error:
                return self._failed(TIMED_OUT, f"Connection timed out: {error}")
            except OSError as error:
                reason = error.strerror or error
                return self._failed(CANNOT_CONNECT, f"Failed to connect to {parts.netloc}: {reason}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            self._connection.request("GET", path, headers=self._headers)
            answer = self._connection.getresponse()
            body = answer.read(LARGEST)
        except TimeoutError:
            return self._failed(TIMED_OUT, f"Operation timed out after {self._timeout} seconds")
        except (OSError, http.client.HTTPException) as error:
            self._failed(RECEIVE_FAILED, "")
            if self.connects == 0:  # the server has closed what was kept: a new one decides
                return self.request(url)
            return RECEIVE_FAILED, b"", b"", f"Recv failure: {error}"
        if not answer.isclosed() or self._headers.get("Connection", "").lower() == "close":
            self.close()
        if self._fail and answer.status >= 400:
            return HTTP_ERROR, b"", b"", f"The requested URL returned error: {answer.status}"
        return 0, _head(answer), body, ""

    def _failed(self, status: int, error: str) -> tuple[int, bytes, bytes, str]:
        self.close()
        return status, b"", b"", error


def _head(answer: http.client.HTTPResponse) -> bytes:
    """Return an answer's status line and headers, as they came."""
    first = f"HTTP/{answer.version // 10}.{answer.version % 10} {answer.status} {answer.reason}"
    lines = (first, *(f"{name}: {value}" for name, value in answer.getheaders()), "", "")
    return "\r\n".join(lines).encode("latin-1", "replace")


if __name__ == "__main__":
    sys.exit(main())
