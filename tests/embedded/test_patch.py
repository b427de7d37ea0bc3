"""JSON merge patch (RFC 7386, with its own examples) and JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.api import StatusError
from kubetour.embedded.patch import json_patch, merge_patch

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7386(target: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy(target)
    assert merge_patch(target, patch) == result
    assert target == before


@given(JSON, JSON)
def test_a_merge_patch_without_nulls_is_idempotent(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/b", "value": 1}], {"a": [1, 2], "b": 1}),
        ([{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ([{"op": "add", "path": "/a/-", "value": 9}], {"a": [1, 2, 9]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ([{"op": "replace", "path": "/a/0", "value": 9}], {"a": [9, 2]}),
        ([{"op": "move", "from": "/a", "path": "/b"}], {"b": [1, 2]}),
        ([{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1, 2], "b": [1, 2]}),
        ([{"op": "test", "path": "/a/0", "value": 1}], {"a": [1, 2]}),
        ([{"op": "add", "path": "/~0~1", "value": 1}], {"a": [1, 2], "~/": 1}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
    ],
    ids=lambda value: value[0]["op"] + str(len(str(value))) if isinstance(value, list) else "",
)
def test_json_patch_operations(operations: Any, result: Any) -> None:
    target = {"a": [1, 2]}
    assert json_patch(target, operations) == result
    assert target == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "test", "path": "/a/0", "value": 2}, 422),
        ({"op": "remove", "path": "/nope"}, 422),
        ({"op": "replace", "path": "/nope", "value": 1}, 422),
        ({"op": "add", "path": "/a/7", "value": 1}, 422),
        ({"op": "add", "path": "/a/0/b", "value": 1}, 422),
        ({"op": "add", "path": "a", "value": 1}, 422),
        ({"op": "add", "path": "/b"}, 422),
        ({"path": "/b"}, 422),
        ({"op": "bogus", "path": "/a"}, 422),
        ("no operation", 400),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused(operation: Any, code: int) -> None:
    with pytest.raises(StatusError) as caught:
        json_patch({"a": [1, 2]}, [operation])
    assert caught.value.code == code
