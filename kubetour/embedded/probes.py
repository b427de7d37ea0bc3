"""Probes: one request to a container, and what a row of results means.

k8s.io/kubernetes/pkg/{probe,kubelet/prober}
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kubetour.embedded.api import Object

_LONGEST_ANSWER = 10 * 1024  # of an exec probe's output, and of an HTTP answer's head
Exec = Callable[[list[str], float], Awaitable[tuple[int, bytes]]]
Resolve = Callable[[Any], tuple[str, int]]


@dataclass(frozen=True)
class Result:
    """Whether one probe succeeded, and what was seen."""

    ok: bool
    message: str = ""


class ProbeCount:
    """Turns single results into the state of a probe: it changes after enough equal results in a row."""

    def __init__(self, probe: Object, initial: bool) -> None:
        self._success = int(probe.get("successThreshold", 1))
        self._failure = int(probe.get("failureThreshold", 3))
        self.state = initial
        self._last: bool | None = None
        self._row = 0

    def add(self, ok: bool) -> bool:
        """Take one result; return whether it completed a row, and so settled `state`."""
        self._row = self._row + 1 if ok == self._last else 1
        self._last = ok
        if self._row < (self._success if ok else self._failure):
            return False
        self.state = ok
        return True


async def probe_once(probe: Object, resolve: Resolve, run: Exec) -> Result:
    """Do one probe. `resolve` maps a port, by number or name, to the address it is really reached at."""
    timeout = float(probe.get("timeoutSeconds", 1))
    if "httpGet" in probe:
        return await _http(probe["httpGet"], resolve, timeout)
    if "tcpSocket" in probe:
        return await _tcp(probe["tcpSocket"], resolve, timeout)
    if "exec" in probe:
        return await _exec(list(probe["exec"].get("command") or []), run, timeout)
    return Result(
        False, "this kind of probe is not supported by the embedded cluster; use httpGet, tcpSocket or exec"
    )


async def _tcp(action: Object, resolve: Resolve, timeout: float) -> Result:
    host, port = _target(action, resolve)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout)
    except asyncio.TimeoutError:
        return Result(False, f"dial tcp {host}:{port}: i/o timeout")
    except OSError as error:
        return Result(False, _dial_error(host, port, error))
    await _close(writer)
    return Result(True)


class HTTPGetError(Exception):
    """There was no answer to a GET; the text is that of Go's client."""


async def http_get(action: Object, resolve: Resolve, component: str, timeout: float | None = None) -> int:
    """Return the status that an httpGet action is answered with; HTTPGetError if there is none in time."""
    host, port = _target(action, resolve)
    scheme = str(action.get("scheme", "HTTP")).lower()
    path = "/" + str(action.get("path") or "").removeprefix("/")
    url = f"{scheme}://{host}:{port}{path}"
    try:
        return await asyncio.wait_for(_status(url, path, host, port, action, component), timeout)
    except asyncio.TimeoutError as error:
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise HTTPGetError(f'Get "{url}": {late}') from error
    except OSError as error:
        raise HTTPGetError(f'Get "{url}": {_dial_error(host, port, error)}') from error
    except ValueError as error:
        raise HTTPGetError(f'Get "{url}": {error}') from error


async def _http(action: Object, resolve: Resolve, timeout: float) -> Result:
    try:
        code = await http_get(action, resolve, "kube-probe", timeout)
    except HTTPGetError as error:
        return Result(False, str(error))
    return Result(200 <= code < 400, f"HTTP probe failed with statuscode: {code}")


async def _status(url: str, path: str, host: str, port: int, action: Object, component: str) -> int:
    """Return the status of a GET; ValueError if what answers does not speak HTTP."""
    context = None
    if url.startswith("https:"):
        # As kubelet: a probe asks whether something answers, not who it is.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {
        "Host": f"{host}:{port}",
        "User-Agent": f"{component}/1.36",
        "Accept": "*/*",
        "Connection": "close",
    }
    headers.update({header["name"]: header.get("value", "") for header in action.get("httpHeaders") or []})
    lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header or the path holds a line break")
    reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_LONGEST_ANSWER)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        words = (await reader.readline()).split(b" ", 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
            raise ValueError("EOF" if not words[0] else "malformed HTTP response")
        return int(words[1])
    finally:
        await _close(writer)


async def _exec(command: list[str], run: Exec, timeout: float) -> Result:
    try:
        code, output = await run(command, timeout)
    except asyncio.TimeoutError:
        return Result(False, f'command timed out: "{" ".join(command)}" timed out after {timeout:g}s')
    except OSError as error:
        return Result(False, f"{error}")
    return Result(code == 0, output[:_LONGEST_ANSWER].decode(errors="replace"))


def _target(action: Object, resolve: Resolve) -> tuple[str, int]:
    host, port = resolve(action["port"])
    return str(action.get("host") or host), port


def _dial_error(host: str, port: int, error: OSError) -> str:
    refused = isinstance(error, ConnectionRefusedError)
    return f"dial tcp {host}:{port}: connect: {'connection refused' if refused else error.strerror or error}"


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return
