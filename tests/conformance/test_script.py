"""Commands that were not recorded, of the same kinds, and what Kubernetes says to them."""

from __future__ import annotations

import pytest

from tests.conformance import script
from tests.conformance.terminal import Terminal, kubectl
from tests.conformance.whole import cluster

COMMANDS = script.read()
NAMES = [f"{number} {each.line[8:56]}" for number, each in enumerate(COMMANDS)]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, ...]]:
    kubectl()
    directory = tmp_path_factory.mktemp("script")
    with cluster(directory) as kubeconfig:
        shell = Terminal(directory, kubeconfig)
        return [script.shown(shell.type(each.line)) for each in COMMANDS]


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=NAMES)
def test_kubectl_says_what_kubernetes_has_it_say(said: list[tuple[str, ...]], number: int) -> None:
    assert said[number] == script.shown(COMMANDS[number].says)
