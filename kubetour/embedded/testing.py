"""Clusters for a test suite: each a process of its own, in a directory of its own, gone when the tests are.

What `kubetour.embedded.pytest_plugin` gives to tests; usable without pytest as well.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour.embedded import cluster
from kubetour.embedded.clusterconfig import EVENT_TTL, PROCESSES, ClusterConfig, with_workers
from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.paths import ROOT_VARIABLE, private_directory, write_atomically

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

NAME = "pytest"
_READY_WITHIN = 60.0  # seconds; a fraction of one is enough, but a machine that runs tests may be busy
_LONGEST_SLUG = 40


class Server:
    """A cluster that runs. `close` removes it; where this process ends without, it ends by itself."""

    def __init__(
        self, root: Path, *, nodes: int = 1, runtime: str = PROCESSES, event_ttl: float = EVENT_TTL
    ) -> None:
        self.directory = ClusterDirectory(NAME, root)
        config = replace(with_workers(ClusterConfig(), nodes), runtime=runtime, event_ttl=event_ttl)
        # The cluster holds the other end, and sees this one close however this process ends.
        lifeline, self._lifeline = os.pipe()
        try:
            self.record = cluster.create(
                NAME, config, _READY_WITHIN, None, _say_nothing, root=root, lifeline=lifeline
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        self._number = 0

    @property
    def address(self) -> str:
        """Return the URL of the API."""
        return f"https://127.0.0.1:{self.record.port}"

    @property
    def authority(self) -> Path:
        """Return the file of the certificate authority to trust."""
        return self.directory.path / "pki" / "ca.crt"

    @property
    def is_alive(self) -> bool:
        """Return whether it still answers; one that is being killed may run a moment longer."""
        try:
            return self.request("GET", "/livez") == 200
        except (OSError, http.client.HTTPException):
            return False

    def close(self) -> None:
        """Remove the cluster with all that runs in it."""
        with contextlib.suppress(OSError):  # a test may have closed every file it found
            os.close(self._lifeline)
        cluster.delete(NAME, None, _say_nothing, root=self.directory.root)

    def request(self, method: str, path: str, body: object = None) -> int:
        """Ask the API for something and return the status."""
        context = ssl.create_default_context(cafile=str(self.authority))
        connection = http.client.HTTPSConnection("127.0.0.1", self.record.port, context=context, timeout=30)
        headers = {"Authorization": f"Bearer {self.record.token}", "Content-Type": "application/json"}
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    @contextlib.contextmanager
    def lend(self, namespace: str = "default") -> Iterator[EmbeddedCluster]:
        """Give the cluster with a namespace to work in; one of its own is made, and deleted then."""
        own = namespace != "default"
        if own:
            made = self.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            if made != 201:
                raise RuntimeError(f"the namespace {namespace} was not made: status {made}")
        self._number += 1
        directory = private_directory(self.directory.path / "kubeconfigs")
        kubeconfig = directory / f"{namespace}-{self._number}"
        write_atomically(kubeconfig, self.directory.kubeconfig(self.record, namespace))
        lent = EmbeddedCluster(self, kubeconfig, namespace)
        try:
            yield lent
        finally:
            lent.close()
            kubeconfig.unlink(missing_ok=True)
            if own:
                self._clear(namespace)

    def _clear(self, namespace: str) -> None:
        """Let nothing of a namespace run on. Nobody waits for the rest to go."""
        with contextlib.suppress(OSError, http.client.HTTPException):  # the test may have ended the cluster
            self.request("DELETE", f"/api/v1/namespaces/{namespace}/pods", {"gracePeriodSeconds": 0})
            self.request("DELETE", f"/api/v1/namespaces/{namespace}")


def _say_nothing(_: str) -> None:
    return


@dataclass(frozen=True)
class EmbeddedCluster:
    """What a test gets: a cluster, and a namespace of its own in it."""

    server: Server
    kubeconfig: Path  # its context's namespace is the one below
    namespace: str

    @property
    def name(self) -> str:
        """Return the cluster's name, as `--name` of the embedded cluster's commands takes it."""
        return self.server.record.name

    @property
    def environment(self) -> Mapping[str, str]:
        """Return this process' environment in which kubectl, and `python -m kubetour.embedded`, find it."""
        root = str(self.server.directory.root)
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), ROOT_VARIABLE: root}

    @cached_property
    def client(self) -> ApiClient:
        """Return a client of the official library, `kubernetes`, which is imported at the first call."""
        from kubernetes.client import ApiClient, Configuration

        configuration = Configuration()
        configuration.host = self.server.address
        configuration.ssl_ca_cert = str(self.server.authority)
        configuration.api_key = {"authorization": f"Bearer {self.server.record.token}"}
        configuration.proxy = None  # it is on loopback, whatever the environment says
        return ApiClient(configuration)

    def close(self) -> None:
        """Close the client, if there was one."""
        if "client" in self.__dict__:
            self.client.rest_client.pool_manager.clear()
            self.client.close()  # type: ignore[no-untyped-call]


def namespace_for(test: str) -> str:
    """Return a name for a test's namespace that no other has."""
    slug = re.sub(r"[^a-z0-9]+", "-", test.lower())[:_LONGEST_SLUG].strip("-") or "test"
    return f"{slug}-{secrets.token_hex(4)}"


class Servers:
    """The clusters of one session of tests: one for each kind that is asked for, made when it is."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._shared: dict[tuple[tuple[str, object], ...], Server] = {}
        self._made = 0

    def shared(self, **options: object) -> Server:
        """Return the cluster that all tests with these options share; one that ended is made anew."""
        key = tuple(sorted(options.items()))
        found = self._shared.get(key)
        if found is not None and not found.is_alive:
            del self._shared[key]
            found.close()
            found = None
        if found is None:
            found = self._shared[key] = self.fresh(**options)
        return found

    def fresh(self, **options: object) -> Server:
        """Return a new cluster, which the caller closes."""
        self._made += 1
        return Server(private_directory(self._root / str(self._made)), **options)  # type: ignore[arg-type]

    def close(self) -> None:
        """Remove the shared clusters."""
        while self._shared:
            self._shared.popitem()[1].close()
