"""Values as trees of fields: items of lists are told apart by all their keys; other lists are one value."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.fieldset import paths
from kubetour.embedded.fieldtypes import struct_type
from kubetour.embedded.typedvalue import compare, field_set, merge, prune


def test_ports_are_told_apart_by_protocol_too() -> None:
    present = {"ports": [{"port": 53, "protocol": "TCP", "nodePort": 30053}]}
    applied = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "targetPort": 5353}]}
    assert merge(struct_type("V1ServiceSpec"), present, applied)["ports"] == [
        {"port": 53, "protocol": "UDP"},
        {"port": 53, "protocol": "TCP", "nodePort": 30053, "targetPort": 5353},
    ]


def test_maps_merge_and_what_is_atomic_is_replaced() -> None:
    present = {
        "containers": [{"name": "a", "args": ["1"], "image": "x", "resources": {"limits": {"cpu": "1"}}}],
        "nodeSelector": {"k": "v"},
    }
    applied = {
        "containers": [{"name": "a", "args": ["2"], "resources": {"limits": {"memory": "1Gi"}}}],
        "nodeSelector": {"l": "w"},
    }
    limits = {"cpu": "1", "memory": "1Gi"}
    assert merge(struct_type("V1PodSpec"), present, applied) == {
        "containers": [{"name": "a", "args": ["2"], "image": "x", "resources": {"limits": limits}}],
        "nodeSelector": {"l": "w"},
    }
    assert present["containers"][0]["args"] == ["1"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("ab", "c", "abc"),
        ("ab", "ba", "ba"),
        ("axb", "ba", "xba"),
        ("ab", "cba", "cba"),
        ("xaybz", "acb", "xaycbz"),
        ("", "ab", "ab"),
        ("aab", "b", "aab"),
    ],
)
def test_a_merged_list_is_in_the_order_applied_and_what_is_only_live_keeps_its_place(
    live: str, applied: str, merged: str
) -> None:
    def volumes(names: str) -> dict[str, Any]:
        return {"volumes": [{"name": name} for name in names]}

    found = merge(struct_type("V1PodSpec"), volumes(live) if live else {}, volumes(applied))
    assert "".join(volume["name"] for volume in found["volumes"]) == merged


def test_the_fields_of_a_configuration_are_its_leaves_and_items() -> None:
    config = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}, "finalizers": ["f"]},
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}], "args": ["a"]}]},
        },
    }
    assert list(paths(field_set(struct_type("V1DeploymentSpec"), config))) == [
        ".replicas",
        ".selector",
        '.template.metadata.finalizers[="f"]',
        ".template.metadata.labels.app",
        '.template.spec.containers[name="c"]',
        '.template.spec.containers[name="c"].args',
        '.template.spec.containers[name="c"].name',
        '.template.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"]',
        '.template.spec.containers[name="c"].ports[containerPort=80,protocol="TCP"].containerPort',
    ]


def test_two_values_differ_in_what_was_set_and_what_was_removed() -> None:
    old = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "hostname": "h"}
    new = {"containers": [{"name": "a", "image": "2", "env": [{"name": "E"}]}]}
    changed, removed = compare(struct_type("V1PodSpec"), old, new)
    assert list(paths(changed)) == [
        '.containers[name="a"].env',
        '.containers[name="a"].env[name="E"]',
        '.containers[name="a"].env[name="E"].name',
        '.containers[name="a"].image',
    ]
    assert list(paths(removed)) == ['.containers[name="b"]', '.containers[name="b"].name', ".hostname"]


def test_what_is_given_up_goes_with_all_below_it_unless_a_part_has_an_owner() -> None:
    probe = {"httpGet": {"path": "/"}, "periodSeconds": 10}
    value = {
        "containers": [{"name": "a", "image": "x", "readinessProbe": probe}, {"name": "b", "image": "y"}]
    }
    kind = struct_type("V1PodSpec")
    last = {
        "f:containers": {
            'k:{"name":"a"}': {".": {}, "f:readinessProbe": {"f:httpGet": {"f:path": {}}}},
            'k:{"name":"b"}': {".": {}, "f:name": {}},
        }
    }
    owned: dict[str, Any] = {"f:containers": {'k:{"name":"a"}': {".": {}}, 'k:{"name":"b"}': {"f:image": {}}}}
    assert prune(kind, value, last, owned) == {
        "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]
    }
