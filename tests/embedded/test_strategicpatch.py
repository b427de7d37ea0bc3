"""Strategic merge patch and its directives."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubetour.embedded.api import StatusError
from kubetour.embedded.strategicpatch import strategic_error, strategic_merge_patch

CONTAINER = {
    "name": "a",
    "image": "x",
    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "ports": [{"containerPort": 80, "protocol": "TCP"}],
    "args": ["one", "two"],
}
SPEC = {
    "containers": [CONTAINER, {"name": "b", "image": "y"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "tolerations": [{"key": "t"}],
    "nodeSelector": {"k": "v"},
}


def patched(patch: dict[str, Any], struct: str = "V1PodSpec", target: Any = None) -> Any:
    target = SPEC if target is None else target
    before = copy.deepcopy(target)
    result = strategic_merge_patch(struct, target, patch)
    assert target == before, "the target is left as it was"
    return result


def names(result: Any, field: str = "containers") -> list[str]:
    return [item["name"] for item in result[field]]


def test_containers_merge_by_name_and_keep_what_is_not_named() -> None:
    result = patched({"containers": [{"name": "b", "image": "z"}, {"name": "c", "image": "w"}]})
    assert [(c["name"], c["image"]) for c in result["containers"]] == [("a", "x"), ("b", "z"), ("c", "w")]
    assert result["containers"][0] == CONTAINER


def test_lists_within_merge_by_their_own_keys() -> None:
    change = {"name": "a", "env": [{"name": "B", "value": "9"}], "ports": [{"containerPort": 81}]}
    container = patched({"containers": [change]})["containers"][0]
    assert container["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "9"}]
    assert [port["containerPort"] for port in container["ports"]] == [80, 81]


@pytest.mark.parametrize("field", ["tolerations", "args"])
def test_other_lists_are_replaced(field: str) -> None:
    if field == "args":
        result = patched({"containers": [{"name": "a", "args": ["three"]}]})
        assert result["containers"][0]["args"] == ["three"]
    else:
        assert patched({"tolerations": [{"key": "u"}]})["tolerations"] == [{"key": "u"}]


def test_null_removes_a_field() -> None:
    assert "nodeSelector" not in patched({"nodeSelector": None})
    assert patched({"nodeSelector": {"k": None, "l": "w"}})["nodeSelector"] == {"l": "w"}


def test_patch_delete_takes_an_element_out() -> None:
    assert names(patched({"containers": [{"name": "a", "$patch": "delete"}]})) == ["b"]


def test_patch_replace_replaces_a_list_or_a_map() -> None:
    result = patched({"containers": [{"$patch": "replace"}, {"name": "c"}]})
    assert result["containers"] == [{"name": "c"}]
    assert patched({"nodeSelector": {"$patch": "replace", "z": "1"}})["nodeSelector"] == {"z": "1"}


def test_set_element_order_sorts_and_keeps_what_only_the_server_has() -> None:
    patch = {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        "containers": [{"name": "c", "image": "w"}],
    }
    assert names(patched(patch)) == ["c", "a", "b"]


def test_set_element_order_alone_sorts_too() -> None:
    assert names(patched({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})) == ["b", "a"]


def test_retain_keys_drops_the_other_members_of_a_union() -> None:
    change = {"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}
    assert patched({"volumes": [change]})["volumes"] == [{"name": "v", "hostPath": {"path": "/x"}}]


def test_retain_keys_on_a_strategy() -> None:
    target = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    change = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert patched(change, "V1DeploymentSpec", target) == {"strategy": {"type": "Recreate"}}


def test_primitive_sets_gain_and_lose_values() -> None:
    target = {"finalizers": ["a", "b"]}
    assert patched({"finalizers": ["c", "a"]}, "V1ObjectMeta", target)["finalizers"] == ["a", "b", "c"]
    change = {"$deleteFromPrimitiveList/finalizers": ["a"]}
    assert patched(change, "V1ObjectMeta", target)["finalizers"] == ["b"]


def test_service_ports_merge_by_port_and_conditions_by_type() -> None:
    target = {"ports": [{"port": 80, "nodePort": 30080}]}
    change = {"ports": [{"port": 80, "targetPort": 8080}]}
    assert patched(change, "V1ServiceSpec", target)["ports"] == [
        {"port": 80, "nodePort": 30080, "targetPort": 8080}
    ]
    status = {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    found = patched(ready, "V1NodeStatus", status)["conditions"]
    assert [condition["status"] for condition in found] == ["True", "True"]


@pytest.mark.parametrize(
    "patch", [{"containers": [{"image": "no key"}]}, {"nodeSelector": {"$patch": "bogus"}}]
)
def test_a_patch_that_cannot_be_understood_is_400(patch: dict[str, Any]) -> None:
    with pytest.raises(StatusError) as caught:
        patched(patch)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("given", "wanted", "why"),
    [
        ("string", "int32", "unrecognized type: int32"),
        ("number", "string", "cannot convert int64 to string"),
        ("string", "[]v1.Container", "cannot restore slice from string"),
        ("string", "map[string]string", "cannot restore map from string"),
        ("string", "v1.PodSpec", "cannot restore struct from: string"),
    ],
)
def test_a_value_of_a_wrong_type_is_told_in_the_words_of_strategic_merge_patch(
    given: str, wanted: str, why: str
) -> None:
    text = f"json: cannot unmarshal {given} into Go struct field DeploymentSpec.spec.x of type {wanted}"
    patch = {"spec": {"x": [1, None, True], "a": "b"}}
    found = strategic_error(StatusError(400, "BadRequest", f'X in version "v1": {text}', {}), patch)
    assert found.code == 422
    assert found.message == (
        f' "" is invalid: patch: Invalid value: "map[spec:map[a:b x:[1 <nil> true]]]": {why}'
    )


def test_other_errors_of_a_patch_stay_as_they_are() -> None:
    error = StatusError(409, "Conflict", "it was changed", {})
    assert strategic_error(error, {}) is error
