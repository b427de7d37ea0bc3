"""A host's kubeconfig, rewritten so that its API server is reached through a tunnel from here."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import yaml

from kubetour.errors import ClusterError

PORTS = {"https": 443, "http": 80}


def server(text: str) -> tuple[str, int]:
    """Return host and port of the API server of a kubeconfig with one cluster; ClusterError for any other."""
    parts = urlsplit(str(_cluster(_parsed(text)).get("server", "")))
    if parts.scheme not in PORTS or not parts.hostname:
        raise ClusterError("host-kubeconfig")
    return parts.hostname, parts.port or PORTS[parts.scheme]


def through(text: str, port: int) -> str:
    """Return the kubeconfig with a port of this machine in its server's place.

    The certificate stays checked, against the name that it was made for.
    """
    document = _parsed(text)
    cluster = _cluster(document)
    parts = urlsplit(str(cluster["server"]))
    if parts.hostname != "127.0.0.1":
        cluster.setdefault("tls-server-name", parts.hostname)
    cluster.pop("proxy-url", None)  # that is for there
    cluster["server"] = parts._replace(netloc=f"127.0.0.1:{port}").geturl()
    return yaml.safe_dump(document, sort_keys=False)


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict):
        raise ClusterError("host-kubeconfig")
    return document


def _cluster(document: dict[str, Any]) -> dict[str, Any]:
    match document.get("clusters"):
        case [{"cluster": dict() as cluster}]:
            return cluster
    raise ClusterError("host-kubeconfig")
