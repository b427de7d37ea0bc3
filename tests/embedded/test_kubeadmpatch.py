"""How long a silent node counts as ready and an Event lives, as a kind config may say it."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.clusterconfig import EVENT_TTL, NODE_MONITOR_GRACE, parse
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubeadmpatch import durations

GRACE = "node-monitor-grace-period"
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
BOTH = MAPPING + "apiServer: {extraArgs: {event-ttl: 5m}}\n"
MORE = MAPPING + "    profiling: 'true'\n"
OTHER = "kind: InitConfiguration\nnodeRegistration: {}\n"
EVENTS = "    apiServer: {extraArgs: {event-ttl: 300s}}\n"
HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


@pytest.mark.parametrize(
    ("patches", "expected"),
    [
        (None, ({}, True)),
        ([], ({}, True)),
        ([MAPPING], ({GRACE: 16.0}, True)),
        ([LIST], ({GRACE: 60.0}, True)),
        ([LIST, MAPPING], ({GRACE: 16.0}, True)),
        ([BOTH], ({GRACE: 16.0, "event-ttl": 300.0}, True)),
        ([MORE], ({GRACE: 16.0}, False)),
        ([MAPPING, OTHER], ({GRACE: 16.0}, False)),
        (["kind: ClusterConfiguration"], ({}, False)),
        ([MAPPING + "networking: {}\n"], ({GRACE: 16.0}, False)),
        ([MAPPING + "apiServer: {timeoutForControlPlane: 1m}\n"], ({GRACE: 16.0}, False)),
        ([LIST.replace("controllerManager", "scheduler")], ({}, False)),
    ],
    ids=[
        "none",
        "empty",
        "v1beta3",
        "v1beta4",
        "the last counts",
        "both flags",
        "more flags",
        "other",
        "bare",
        "more fields",
        "more of a component",
        "another component",
    ],
)
def test_the_flag_is_found_and_whether_there_is_more(
    patches: Any, expected: tuple[dict[str, float], bool]
) -> None:
    assert durations(patches) == expected


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
        durations([patch])
    assert message in str(caught.value)


def test_a_config_without_it_has_kubernetes_own_and_one_with_more_is_told_so() -> None:
    indented = "".join(f"    {line}\n" for line in MORE.strip().splitlines())
    config = parse(HEAD + "kubeadmConfigPatches:\n  - |\n" + indented)
    assert (config.node_monitor_grace, config.ignored) == (16.0, ("kubeadmConfigPatches",))
    assert parse(HEAD).node_monitor_grace == NODE_MONITOR_GRACE == 50.0
    assert (config.event_ttl, EVENT_TTL) == (EVENT_TTL, 3600.0)
    short = parse(HEAD + "kubeadmConfigPatches:\n  - |\n" + indented + EVENTS)
    assert short.event_ttl == 300.0
