"""A connection to an API server, as a kubeconfig says: whatever it says, by the official client.

To import that client takes half a second of CPU. A cluster on this machine's own loopback, with its
certificates in the kubeconfig, needs none of what it knows besides (plugins that log in, tokens that are
renewed, proxies): there urllib3, which it stands on, is enough.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

Query = tuple[tuple[str, str], ...]
Timeout = tuple[float, float]  # seconds to connect, and without a byte

# All that a kubeconfig may say for urllib3 alone to do: what anything else means, the client knows.
_CLUSTER = {"server", "certificate-authority-data", "extensions"}
_PAIR = {"client-certificate-data", "client-key-data"}
_USER = {*_PAIR, "token"}


def preload(*, whole: bool) -> None:
    """Import what `connect` will need: it may as well be while the first commands run."""
    import urllib3  # noqa: F401

    if whole:
        import kubernetes.client
        import kubernetes.config  # noqa: F401


class RestClient(Protocol):
    """Sends requests to one API server, over connections that it keeps; any thread may."""

    def get(self, path: str, query: Query, accept: str, timeout: Timeout) -> Any:
        """Return urllib3's response, its body still to be read; what urllib3 raises if there is none."""

    def close(self) -> None:
        """Close the connections that nobody uses."""


def connect(path: str, context: str) -> RestClient:
    """Return the client for a context of a kubeconfig, "" for the user's own: nothing is sent yet.

    OSError, or the client's ConfigException, if the kubeconfig cannot be read.
    """
    entries = _static(path, context) if path else None
    return Whole(path, context) if entries is None else Plain(*entries)


class Plain:
    """By urllib3 alone."""

    def __init__(self, cluster: Mapping[str, str], user: Mapping[str, str]) -> None:
        import urllib3

        self._server = cluster["server"].rstrip("/")
        token = user.get("token")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        tls = _tls(cluster, user) if self._server.startswith("https:") else None
        self._pool = urllib3.PoolManager(ssl_context=tls, retries=False)

    def get(self, path: str, query: Query, accept: str, timeout: Timeout) -> Any:
        """Return the response."""
        import urllib3

        url = self._server + path + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Accept": accept}
        limits = urllib3.Timeout(connect=timeout[0], read=timeout[1])
        return self._pool.request("GET", url, headers=headers, timeout=limits, preload_content=False)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


class Whole:
    """By the official client."""

    def __init__(self, path: str, context: str) -> None:
        from kubernetes import client, config

        configuration = client.Configuration()
        config.load_kube_config(  # type: ignore[no-untyped-call]
            path or None, context, configuration, persist_config=False
        )
        if _is_here(configuration.host):
            configuration.proxy = None  # no proxy can reach this machine's own loopback
        configuration.retries = False  # the watches retry by themselves
        self._client = client.ApiClient(configuration)

    def get(self, path: str, query: Query, accept: str, timeout: Timeout) -> Any:
        """Return the response."""
        request = self._client.param_serialize(
            "GET",
            path,
            query_params=list(query),
            header_params={"Accept": accept},
            auth_settings=["BearerToken"],
        )
        return self._client.call_api(*request, _request_timeout=timeout).response

    def close(self) -> None:
        """Close the connections."""
        self._client.rest_client.pool_manager.clear()
        self._client.close()  # type: ignore[no-untyped-call]


def _is_here(server: str) -> bool:
    """Return whether a server is on this machine's own loopback; ValueError for what is no URL."""
    host = urlsplit(server).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # some name
        return False


def _static(path: str, context: str) -> tuple[Mapping[str, str], Mapping[str, str]] | None:
    """Return a context's cluster and user if urllib3 is enough for them, else None."""
    import yaml

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        which = _named(document, "context", context)
        cluster, user = _named(document, "cluster", which["cluster"]), _named(document, "user", which["user"])
        plain = cluster.keys() <= _CLUSTER and user.keys() <= _USER and _is_here(cluster["server"])
        plain &= len(_PAIR & user.keys()) in (0, len(_PAIR))
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
        return None  # the client tells what is wrong with it
    return (cluster, user) if plain else None


def _named(document: Any, kind: str, name: str) -> dict[str, Any]:
    """Return the entry of that name; LookupError if there is not exactly one."""
    found = [entry[kind] for entry in document[f"{kind}s"] if entry["name"] == name]
    if len(found) != 1:
        raise LookupError(name)
    return dict(found[0])


def _tls(cluster: Mapping[str, str], user: Mapping[str, str]) -> ssl.SSLContext:
    """Return what checks the server's certificate and shows ours."""
    from urllib3.util import create_urllib3_context

    context = create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    if authority := cluster.get("certificate-authority-data"):
        context.load_verify_locations(cadata=base64.b64decode(authority).decode("ascii"))
    else:
        context.load_default_certs()
    if "client-certificate-data" in user:
        certificate, key = user["client-certificate-data"], user["client-key-data"]
        with _as_file(certificate) as shown, _as_file(key) as secret:
            context.load_cert_chain(shown, secret)
    return context


@contextmanager
def _as_file(data: str) -> Iterator[str]:
    """Yield the path of a file with what is given in base64, for its owner alone; it is gone afterwards."""
    handle, path = tempfile.mkstemp(prefix="kubetour-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64decode(data))
        yield path
    finally:
        os.unlink(path)
