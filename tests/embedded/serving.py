"""An API server for tests: the real one, over TLS on a free port, with a client that trusts it."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from kubetour.embedded import certs
from kubetour.embedded.apiserver import APIServer
from kubetour.embedded.bootstrap import bootstrap
from kubetour.embedded.clock import Clock, SystemClock
from kubetour.embedded.etcd import Store
from kubetour.embedded.limits import STANDARD, Limits
from kubetour.embedded.registry import Registry

TOKEN = "the-token-of-this-test"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Cluster:
    """A server that runs, its registry, and how to reach it."""

    registry: Registry
    server: APIServer
    session: aiohttp.ClientSession
    url: str
    kubeconfig: Path

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        token: str = TOKEN,
        **headers: str,
    ) -> Answer:
        data = json.dumps(body) if isinstance(body, (dict, list)) else body
        sent = {"Content-Type": content_type, "Accept": accept, "Authorization": f"Bearer {token}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        if not token:
            del sent["Authorization"]
        async with self.session.request(method, self.url + path, data=data, headers=sent) as response:
            return Answer(response.status, response.headers, await response.text())


@asynccontextmanager
async def serving(
    directory: Path, clock: Clock | None = None, limits: Limits = STANDARD
) -> AsyncIterator[Cluster]:
    """Run an API server with the first objects in place until the block ends."""
    clock = clock or SystemClock()
    store = Store(directory / "store.db")
    registry = Registry(store, clock)
    issued = certs.ensure(directory / "pki", ("127.0.0.1",), SystemClock().now())
    server = APIServer(registry, token=TOKEN, certs=issued, limits=limits)
    port = await server.start("127.0.0.1", 0)
    url = f"https://127.0.0.1:{port}"
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=port)
    context = ssl.create_default_context(cafile=str(issued.ca))
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            yield Cluster(registry, server, session, url, _kubeconfig(directory, url, issued.ca))
    finally:
        await server.stop()
        store.close()


def _kubeconfig(directory: Path, url: str, ca: Path) -> Path:
    path = directory / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "t", "cluster": {"server": url, "certificate-authority": str(ca)}}],
        "users": [{"name": "t", "user": {"token": TOKEN}}],
        "contexts": [{"name": "t", "context": {"cluster": "t", "user": "t"}}],
        "current-context": "t",
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
