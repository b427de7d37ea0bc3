"""How long a silent node counts as ready, as a kind config may say it."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.clusterconfig import NODE_MONITOR_GRACE, parse
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubeadmpatch import node_monitor_grace

MAPPING = """
kind: ClusterConfiguration
controllerManager:
  extraArgs:
    node-monitor-grace-period: 16s
"""
LIST = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
controllerManager:
  extraArgs:
  - name: node-monitor-grace-period
    value: 1m
"""
MORE = MAPPING + "    profiling: 'true'\n"
OTHER = "kind: InitConfiguration\nnodeRegistration: {}\n"
HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        (None, (None, True)),
        ([], (None, True)),
        ([MAPPING], (16.0, True)),
        ([LIST], (60.0, True)),
        ([LIST, MAPPING], (16.0, True)),
        ([MORE], (16.0, False)),
        ([MAPPING, OTHER], (16.0, False)),
        (["kind: ClusterConfiguration"], (None, False)),
        ([MAPPING + "networking: {}\n"], (16.0, False)),
    ],
    ids=[
        "none",
        "empty",
        "v1beta3",
        "v1beta4",
        "the last counts",
        "more flags",
        "other",
        "bare",
        "more fields",
    ],
)
def test_the_flag_is_found_and_whether_there_is_more(
    patches: Any, expected: tuple[float | None, bool]
) -> None:
    assert node_monitor_grace(patches) == expected


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (MAPPING.replace("16s", "16"), "invalid duration '16'"),
        (MAPPING.replace("16s", "10ms"), "10ms is too short; give 1s or more"),
        ("a: [", "kubeadmConfigPatches: "),
        (1, "kubeadmConfigPatches: "),
    ],
    ids=["no unit", "too short", "no YAML", "no text"],
)
def test_what_it_cannot_be_is_told(patch: Any, message: str) -> None:
    with pytest.raises(EmbeddedError) as caught:
        node_monitor_grace([patch])
    assert message in str(caught.value)


def test_a_config_without_it_has_kubernetes_own_and_one_with_more_is_told_so() -> None:
    indented = "".join(f"    {line}\n" for line in MORE.strip().splitlines())
    config = parse(HEAD + "kubeadmConfigPatches:\n  - |\n" + indented)
    assert (config.node_monitor_grace, config.ignored) == (16.0, ("kubeadmConfigPatches",))
    assert parse(HEAD).node_monitor_grace == NODE_MONITOR_GRACE == 50.0
