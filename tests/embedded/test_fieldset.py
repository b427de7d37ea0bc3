"""Sets of fields are sets, whatever their form: held against Python's own, member by member."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded.fieldset import FieldSet, difference, intersection, paths, union

_STEPS = ("f:a", "f:b", 'k:{"name":"x"}')
members = st.sets(st.lists(st.sampled_from(_STEPS), min_size=1, max_size=3).map(tuple), max_size=8)


def fieldset(wanted: set[tuple[str, ...]]) -> FieldSet:
    """Write a set of paths as FieldsV1, by hand."""
    root: FieldSet = {}
    for path in wanted:
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return {key: _tidy(node) for key, node in root.items()}


def _tidy(node: FieldSet) -> FieldSet:
    return {key: _tidy(inner) for key, inner in node.items()} if set(node) != {"."} else {}


def listed(fields: FieldSet) -> list[str]:
    return sorted(paths(fields))


@given(members, members)
def test_the_three_operations_are_those_of_sets(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> None:
    assert listed(union(fieldset(a), fieldset(b))) == listed(fieldset(a | b))
    assert listed(difference(fieldset(a), fieldset(b))) == listed(fieldset(a - b))
    assert listed(intersection(fieldset(a), fieldset(b))) == listed(fieldset(a & b))


@given(members, members)
def test_the_form_of_a_set_is_the_one_that_kubernetes_writes(
    a: set[tuple[str, ...]], b: set[tuple[str, ...]]
) -> None:
    assert union(fieldset(a), fieldset(b)) == fieldset(a | b)
    assert difference(fieldset(a), fieldset(b)) == fieldset(a - b)
    assert intersection(fieldset(a), fieldset(b)) == fieldset(a & b)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"f:data": {"f:a.b/c": {}}}, ".data.a.b/c"),
        ({"f:c": {'k:{"name":"x"}': {"f:image": {}}}}, '.c[name="x"].image'),
        ({"f:p": {'k:{"port":80,"protocol":"TCP"}': {}}}, '.p[port=80,protocol="TCP"]'),
        ({"f:finalizers": {'v:"x/y"': {}}}, '.finalizers[="x/y"]'),
    ],
    ids=["a map's key", "an item by its name", "an item by two keys", "a plain item"],
)
def test_a_path_reads_as_in_kubernetes_messages(fields: FieldSet, text: str) -> None:
    assert list(paths(fields)) == [text]
