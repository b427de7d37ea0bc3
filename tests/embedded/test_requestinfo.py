"""What a URL asks for."""

from __future__ import annotations

import pytest

from kubetour.embedded.api import StatusError
from kubetour.embedded.requestinfo import parse


@pytest.mark.parametrize(
    ("path", "resource", "namespace", "name", "subresource"),
    [
        ("/api/v1/pods", "pods", "", "", ""),
        ("/api/v1/namespaces/n/pods", "pods", "n", "", ""),
        ("/api/v1/namespaces/n/pods/p", "pods", "n", "p", ""),
        ("/api/v1/namespaces/n/pods/p/log", "pods", "n", "p", "log"),
        ("/api/v1/namespaces", "namespaces", "", "", ""),
        ("/api/v1/namespaces/n", "namespaces", "", "n", ""),
        ("/api/v1/namespaces/n/status", "namespaces", "", "n", "status"),
        ("/api/v1/namespaces/n/finalize", "namespaces", "", "n", "finalize"),
        ("/api/v1/nodes/x/status", "nodes", "", "x", "status"),
        ("/apis/apps/v1/namespaces/n/deployments/d/scale", "deployments", "n", "d", "scale"),
        ("/apis/apps/v1/namespaces/namespaces/deployments", "deployments", "namespaces", "", ""),
        ("/apis/events.k8s.io/v1/events", "events", "", "", ""),
        ("/api/v1/namespaces/n/pods/", "pods", "n", "", ""),
    ],
)
def test_a_resources_url(path: str, resource: str, namespace: str, name: str, subresource: str) -> None:
    info = parse(path)
    assert info is not None
    found = (info.resource.plural, info.namespace, info.name, info.subresource)
    assert found == (resource, namespace, name, subresource)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version"])
def test_other_paths_are_no_resources(path: str) -> None:
    assert parse(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/nope",
        "/api/v2/pods",
        "/apis/nope/v1/pods",
        "/api/v1/pods/p",
        "/api/v1/namespaces/n/nodes",
        "/api/v1/namespaces/n/pods/p/nope",
        "/api/v1/namespaces/n/pods/p/log/more",
    ],
)
def test_what_is_not_served_is_404(path: str) -> None:
    with pytest.raises(StatusError) as caught:
        parse(path)
    assert caught.value.code == 404
