"""The flows, each run once on a cluster of its own, for all that is to be said about them."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.conformance import exchanges, terminal, watches
from tests.conformance.client import API, Watch
from tests.conformance.compared import Compared
from tests.conformance.flow import Flow
from tests.conformance.whole import cluster


@pytest.fixture(scope="package")
def typed(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    """Return what each command of the transcript said, typed one after another on one cluster."""
    terminal.kubectl()
    directory = tmp_path_factory.mktemp("transcripts")
    with cluster(directory) as kubeconfig:
        shell = terminal.Terminal(directory, kubeconfig)
        said = [shell.type(each["cmd"], each["stdin"] or "") for each in terminal.TRANSCRIPT]
    return terminal.compared(said)


@pytest.fixture(scope="package")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Return what the API of a cluster answered, and what its watches told."""
    opened: list[Watch] = []
    with cluster(tmp_path_factory.mktemp("exchanges")) as kubeconfig, closing(API(kubeconfig)) as api:
        found = Flow.of(api, opened)
    for watch in opened:
        watch.join()
    return found


@pytest.fixture(scope="package")
def answered(flow: Flow) -> list[Compared]:
    """Return each answer to a recorded request beside the recorded one."""
    return exchanges.compared(flow)


@pytest.fixture(scope="package")
def watched(flow: Flow) -> list[Compared]:
    """Return what was told of each object beside what was recorded of it."""
    return watches.compared(flow)
