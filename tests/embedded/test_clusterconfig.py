from __future__ import annotations

from pathlib import Path

import pytest

from kubetour.embedded import clusterconfig
from kubetour.embedded.clusterconfig import NodeSpec, PortMapping, check_name, node_names, parse
from kubetour.embedded.errors import EmbeddedError

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


def test_the_projects_own_config_is_read() -> None:
    config = parse((Path(__file__).parents[2] / "kind-config.yaml").read_text(encoding="utf-8"))
    assert [node.role for node in config.nodes] == ["control-plane", "worker", "worker"]
    assert config.nodes[0].ports == (PortMapping(30080, 30080, "127.0.0.1"),)
    assert config.nodes[1].labels == {"kubetour.dev/managed-by": "kubetour"}
    assert config.ignored == ()


def test_without_nodes_there_is_one() -> None:
    assert parse(HEAD + "name: x").nodes == (NodeSpec("control-plane"),)
    assert parse(HEAD + "name: x").name == "x"


def test_what_does_not_count_here_is_told() -> None:
    config = parse(HEAD + "networking: {ipFamily: ipv4}\nnodes: [{role: control-plane, image: x}]")
    assert config.ignored == ("image", "networking")


def test_names_are_kinds() -> None:
    nodes = tuple(NodeSpec(role) for role in ("control-plane", "worker", "worker", "worker"))
    assert node_names("n", nodes) == ["n-control-plane", "n-worker", "n-worker2", "n-worker3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "nodes:\n- role: contro-plane",
            '[invalid configuration for node 0: "contro-plane" is not a valid node role, '
            "must have at least one control-plane node]",
        ),
        (
            HEAD + "nodez:\n- role: control-plane",
            "unable to decode config: yaml: unmarshal errors:\n"
            "  line 3: field nodez not found in type v1alpha4.Cluster",
        ),
        (
            HEAD + "nodes:\n- rolle: x",
            "unable to decode config: yaml: unmarshal errors:\n"
            "  line 4: field rolle not found in type v1alpha4.Node",
        ),
        (
            HEAD + "nodes:\n- x",
            "unable to decode config: yaml: unmarshal errors:\n  line 4: cannot unmarshal",
        ),
        (HEAD + "nodes: x", "`nodes` is no list"),
        ("a: [", "unable to decode config: yaml: "),
        ("", "unable to decode config: the file is empty"),
        ("- a", "unable to decode config: yaml: the file is no mapping"),
        ("kind: Pod", "unable to decode config: unknown kind: Pod"),
        (HEAD.replace("v1alpha4", "v1alpha3"), "unable to decode config: unknown kind: Cluster"),
        (
            HEAD + "nodes: [{role: control-plane, labels: {'a b': c}}]",
            "invalid configuration for node 0: a b=c",
        ),
        (
            HEAD + "nodes: [{role: control-plane, extraPortMappings: [{containerPort: 80, hostPort: 0}]}]",
            "invalid configuration for node 0: invalid hostPort: 0",
        ),
        (
            HEAD
            + "nodes: [{role: control-plane, extraPortMappings: "
            + "[{containerPort: 1, hostPort: 1, protocol: UDP}]}]",
            "invalid configuration for node 0: containerPort 1: only TCP",
        ),
        (
            HEAD
            + "nodes: [{role: control-plane, extraPortMappings: "
            + "[{containerPort: 1, hostPort: 9}, {containerPort: 2, hostPort: 9}]}]",
            "host port 127.0.0.1:9 is mapped twice",
        ),
    ],
)
def test_what_is_wrong_is_told_as_kind_tells_it(text: str, message: str) -> None:
    with pytest.raises(EmbeddedError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["a", "kubetour", "a.b-c1", "a" * 45])
def test_good_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "Bad_Name", "-x", "x-", ".", "a..b", "a/b", "../x", "a" * 46, "a\n", "名"]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(EmbeddedError, match="is not a valid cluster name"):
        check_name(name)


def test_so_many_nodes_are_a_control_plane_and_workers() -> None:
    config = clusterconfig.with_workers(clusterconfig.ClusterConfig(), 3)
    assert clusterconfig.node_names("t", config.nodes) == ["t-control-plane", "t-worker", "t-worker2"]


@pytest.mark.parametrize(
    ("nodes", "config", "why"),
    [
        (0, clusterconfig.ClusterConfig(), "at least 1 node"),
        (
            2,
            clusterconfig.ClusterConfig(nodes=(clusterconfig.NodeSpec(),) * 2),
            "stand in the config already",
        ),
    ],
    ids=["none", "twice"],
)
def test_a_number_of_nodes_that_makes_no_sense_is_refused(
    nodes: int, config: clusterconfig.ClusterConfig, why: str
) -> None:
    with pytest.raises(EmbeddedError, match=why):
        clusterconfig.with_workers(config, nodes)
