"""The flows, each run once on a cluster of its own, for all that is to be said about them."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.conformance.client import API, Watch
from tests.conformance.flow import Flow
from tests.conformance.whole import cluster


@pytest.fixture(scope="package")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Return what the API of an embedded cluster answered, and what its watches told."""
    watches: list[Watch] = []
    with cluster(tmp_path_factory.mktemp("exchanges")) as kubeconfig:
        with closing(API(kubeconfig)) as api:
            found = Flow.of(api, watches)
    for watch in watches:
        watch.join()
    return found
