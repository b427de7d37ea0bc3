"""A proxy before an API server that forbids, in its own words, what a user of one namespace may not do."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.fronting import in_front

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
USER = "learner"


def refusal(method: str, target: str) -> str | None:
    """Return why that user may not do this; None if it may: read nodes, list namespaces, other namespaces."""
    path = urlsplit(target).path.strip("/").split("/")
    if path[:2] == ["api", "v1"] and path[2:3] == ["nodes"]:
        return _words("nodes", "get" if len(path) > 3 else "list", "at the cluster scope")
    if path[:2] == ["api", "v1"] and path[2:] == ["namespaces"] and method == "GET":
        return _words("namespaces", "list", "at the cluster scope")
    if "namespaces" in path[:4] and len(path) > path.index("namespaces") + 1:
        after = path[path.index("namespaces") + 1 :]
        if after[0] != "kubetour" and len(after) > 1:
            return _words(after[1], "list", f'in the namespace "{after[0]}"')
    return None


def _words(resource: str, verb: str, where: str) -> str:
    return (
        f'{resource} is forbidden: User "{USER}" cannot {verb} resource "{resource}" in API group "" {where}'
    )


class Proxy(ThreadingHTTPServer):
    """Forwards to one API server with its client's credentials, and keeps what it refused."""

    daemon_threads = True

    def __init__(self, upstream: str, context: ssl.SSLContext, ours: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = ours.wrap_socket(self.socket, server_side=True)
        self.upstream, self.context = urlsplit(upstream), context
        self.refused = list[str]()


class Handler(BaseHTTPRequestHandler):
    """One request, one connection each way: what a watch streams is passed on as it comes."""

    server: Proxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        self.close_connection = True
        why = refusal(self.command, self.path)
        if why:
            self.server.refused.append(f"{self.command} {urlsplit(self.path).path}")
            self._answer(403, why)
            return
        length = int(self.headers.get("Content-Length") or 0)
        there = self.server.upstream
        upstream = http.client.HTTPSConnection(there.hostname or "", there.port, context=self.server.context)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            upstream.request(self.command, self.path, self.rfile.read(length) if length else None, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.send_header(
                "Transfer-Encoding", "chunked"
            )  # as the API server does: a watch is read by chunks
            self.end_headers()
            while piece := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # one of the two has gone
        finally:
            upstream.close()

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def do_PATCH(self) -> None:
        self._forward()

    def do_DELETE(self) -> None:
        self._forward()

    def _answer(self, status: int, message: str) -> None:
        body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": "Forbidden",
            "code": status,
        }
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def forbidding(kubeconfig: Path, directory: Path) -> Iterator[tuple[Path, Proxy]]:
    """Run such a proxy before a kubeconfig's cluster; yield a kubeconfig that leads through it, and it."""
    with in_front(kubeconfig, directory, Proxy) as fronted:
        yield fronted
