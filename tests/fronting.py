"""A server of a test in front of an API server, and the kubeconfig that leads through it."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tests.docker.registries import authority

Server = TypeVar("Server", bound=ThreadingHTTPServer)


@contextmanager
def in_front(
    kubeconfig: Path, directory: Path, make: Callable[[str, ssl.SSLContext, ssl.SSLContext], Server]
) -> Iterator[tuple[Path, Server]]:
    """Run a server before a kubeconfig's cluster; yield a kubeconfig that leads to it, and it.

    `make` gets the API server's address, what trusts it, and the TLS that our own clients will trust.
    """
    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    cluster = config["clusters"][0]["cluster"]
    trusted = base64.b64decode(cluster["certificate-authority-data"]).decode()
    ca, certificate, key = authority(directory, "127.0.0.1")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate, key)
    with make(cluster["server"], ssl.create_default_context(cadata=trusted), ours) as server:
        cluster["server"] = f"https://127.0.0.1:{server.server_port}"
        cluster["certificate-authority-data"] = base64.b64encode(ca.read_bytes()).decode()
        through = directory / "kubeconfig"
        through.write_text(yaml.safe_dump(config), encoding="utf-8")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield through, server
        finally:
            server.shutdown()
            thread.join()
