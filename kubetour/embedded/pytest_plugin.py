"""The pytest plugin: a Kubernetes for any test suite. See docs/embedded.md, "In your own tests".

Every run of pytest imports this module where kubetour is installed, so it imports nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from kubetour.embedded.testing import EmbeddedCluster, Servers

_MARKER = (
    'embedded_cluster(nodes=1, runtime="processes"): what the fixtures embedded_cluster and '
    'fresh_embedded_cluster give this test; runtime="fake" for Pods that only pretend to run.'
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def _embedded_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    from kubetour.embedded.testing import Servers

    servers = Servers(tmp_path_factory.mktemp("embedded"))
    yield servers
    servers.close()


@pytest.fixture
def embedded_cluster(request: pytest.FixtureRequest, _embedded_servers: Servers) -> Iterator[EmbeddedCluster]:
    """An embedded cluster with a namespace for this test; the cluster is the session's."""
    from kubetour.embedded.testing import namespace_for

    server = _embedded_servers.shared(**_options(request))
    with server.lend(namespace_for(request.node.name)) as lent:
        yield lent


@pytest.fixture
def fresh_embedded_cluster(
    request: pytest.FixtureRequest, _embedded_servers: Servers
) -> Iterator[EmbeddedCluster]:
    """An embedded cluster for this test alone, for what belongs to no namespace."""
    server = _embedded_servers.fresh(**_options(request))
    try:
        with server.lend() as lent:
            yield lent
    finally:
        server.close()


def _options(request: pytest.FixtureRequest) -> dict[str, object]:
    marker = request.node.get_closest_marker("embedded_cluster")
    return dict(marker.kwargs) if marker else {}
