"""The few flags of curl that the tour types, for a machine without curl: `python -m kubetour.curl`.

The same meaning, the same order of output, the same exit statuses (https://curl.se/docs/manpage.html).
A URL may hold one range, `[1-37]`. Every request has a connection of its own, and no proxy is asked.
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
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args(argv)
    headers = dict(header.split(": ", 1) for header in given.header)
    if given.user_agent:
        headers["User-Agent"] = given.user_agent
    status = 0
    for url in (one for pattern in given.urls for one in expand(pattern)):
        status, head, body, error = request(url, headers, given.max_time, given.fail)
        sys.stdout.buffer.write((head if given.include else b"") + body)
        if error and (given.show_error or not given.silent):
            sys.stdout.flush()
            print(f"curl: ({status}) {error}", file=sys.stderr)
    return status


def expand(pattern: str) -> Iterator[str]:
    """Yield the URLs of a pattern: one for each number of its range, or itself."""
    found = re.search(r"\[(\d+)-(\d+)\]", pattern)
    if not found:
        yield pattern
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield f"{pattern[: found.start()]}{number}{pattern[found.end() :]}"


def request(
    url: str, headers: dict[str, str], timeout: float | None, fail: bool
) -> tuple[int, bytes, bytes, str]:
    """Return one request's exit status, the answer's head and body, and the error text."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
    except TimeoutError as error:
        return TIMED_OUT, b"", b"", f"Connection timed out: {error}"
    except OSError as error:
        return CANNOT_CONNECT, b"", b"", f"Failed to connect to {parts.netloc}: {error.strerror or error}"
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(LARGEST)
    except TimeoutError:
        return TIMED_OUT, b"", b"", f"Operation timed out after {timeout} seconds"
    except (OSError, http.client.HTTPException) as error:
        return RECEIVE_FAILED, b"", b"", f"Recv failure: {error}"
    finally:
        connection.close()
    if fail and answer.status >= 400:
        return HTTP_ERROR, b"", b"", f"The requested URL returned error: {answer.status}"
    return 0, _head(answer), body, ""


def _head(answer: http.client.HTTPResponse) -> bytes:
    """Return an answer's status line and headers, as they came."""
    first = f"HTTP/{answer.version // 10}.{answer.version % 10} {answer.status} {answer.reason}"
    lines = (first, *(f"{name}: {value}" for name, value in answer.getheaders()), "", "")
    return "\r\n".join(lines).encode("latin-1", "replace")


if __name__ == "__main__":
    sys.exit(main())
