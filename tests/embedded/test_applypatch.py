"""Server-side apply's promises: idempotent, no conflict without an overlap, nothing unwanted left."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.applypatch import LAST_APPLIED, apply
from kubetour.embedded.fieldset import FieldSet, paths
from kubetour.embedded.managedfields import APPLY, Manager, created, kept_up, read

DEPLOYMENT = "V1Deployment"
NOW, LATER = "2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z"
ALICE, BOB, KUBECTL = (Manager(name, APPLY) for name in ("alice", "bob", "kubectl"))
EDITOR = Manager("editor", api_version="apps/v1")


def deployment(metadata: Object | None = None, spec: Object | None = None) -> Object:
    obj = {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web", **(metadata or {})}}
    return {**obj, "spec": spec} if spec else obj


def template(*containers: Object) -> Object:
    return {"template": {"spec": {"containers": list(containers)}}}


def create(config: Object, manager: Manager) -> Object:
    """Apply to an object of which nothing is there yet but its name."""
    return apply(DEPLOYMENT, deployment(), config, manager, NOW)


def bare(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def owned_by(obj: Object, manager: Manager) -> list[str]:
    fields = read(obj["metadata"].get("managedFields", [])).get(manager)
    return list(paths(fields.set)) if fields else []


# --- properties

_values = st.integers(0, 2)
_env = st.dictionaries(st.sampled_from("AB"), _values, max_size=2).map(
    lambda found: [{"name": name, "value": str(value)} for name, value in found.items()]
)


def _container(name: str) -> st.SearchStrategy[Object]:
    optional = {"image": _values.map(str), "env": _env, "args": st.lists(_values.map(str), max_size=2)}
    made = st.fixed_dictionaries({"name": st.just(name)}, optional=optional)
    return made.map(lambda item: {key: value for key, value in item.items() if value != []})


def configurations(prefix: str = "") -> st.SearchStrategy[Object]:
    """Deployments; with a prefix, all that they set is told apart by it."""
    labels = st.dictionaries(
        st.sampled_from("kl").map(lambda key: prefix + key), _values.map(str), max_size=2
    )
    names = st.lists(st.sampled_from("ab").map(lambda name: prefix + name), max_size=2, unique=True)
    containers = names.flatmap(lambda found: st.tuples(*(_container(name) for name in found)))
    replicas = st.one_of(st.none(), _values) if not prefix else st.none()
    return st.builds(_configuration, labels, containers, replicas)


def _configuration(labels: Object, containers: tuple[Object, ...], replicas: int | None) -> Object:
    spec = template(*containers) if containers else {}
    if replicas is not None:
        spec["replicas"] = replicas
    return deployment({"labels": labels} if labels else {}, spec)


def leaves(obj: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """Return every leaf by its path, a list's items by their names."""
    if isinstance(obj, dict) and obj:
        found: dict[tuple[Any, ...], Any] = {}
        for key, value in obj.items():
            found.update(leaves(value, (*path, key)))
        return found
    if isinstance(obj, list) and obj and isinstance(obj[0], dict):
        return leaves({item["name"]: item for item in obj}, path)
    return {path: obj}


@given(configurations())
def test_applying_the_same_again_changes_nothing_not_even_the_time(config: Object) -> None:
    once = create(config, ALICE)
    assert apply(DEPLOYMENT, once, config, ALICE, LATER) == once


@given(configurations("a-"), configurations("b-"))
def test_managers_of_different_fields_never_conflict_and_the_object_is_both_merged(
    a: Object, b: Object
) -> None:
    both = apply(DEPLOYMENT, create(a, ALICE), b, BOB, NOW)
    assert leaves(bare(both)) == {**leaves(a), **leaves(b)}


@given(configurations("a-"), configurations("b-"), configurations("a-"))
def test_what_a_manager_drops_goes_and_what_the_other_has_stays(a: Object, b: Object, later: Object) -> None:
    both = apply(DEPLOYMENT, create(a, ALICE), b, BOB, NOW)
    after = apply(DEPLOYMENT, both, later, ALICE, LATER)
    assert leaves(bare(after)) == {**leaves(later), **leaves(b)}
    assert owned_by(after, BOB) == owned_by(both, BOB)


@settings(max_examples=200)
@given(configurations(), configurations())
def test_a_forced_apply_sets_all_it_says_and_an_unforced_one_conflicts_just_where_values_differ(
    a: Object, b: Object
) -> None:
    live, theirs = create(a, ALICE), leaves(b)
    differ = {path for path in leaves(a).keys() & theirs.keys() if leaves(a)[path] != theirs[path]}
    forced = apply(DEPLOYMENT, live, b, BOB, NOW, force=True)
    assert leaves(bare(forced)).items() >= theirs.items()
    if not differ:
        assert apply(DEPLOYMENT, live, b, BOB, NOW) == forced
    else:
        with pytest.raises(StatusError) as raised:
            apply(DEPLOYMENT, live, b, BOB, NOW)
        assert len(raised.value.details["causes"]) == len(differ)  # type: ignore[index]


@given(configurations(), configurations(), configurations())
def test_no_argument_is_changed(a: Object, b: Object, c: Object) -> None:
    live = apply(DEPLOYMENT, create(a, ALICE), b, BOB, NOW, force=True)
    kept = copy.deepcopy((live, c))
    apply(DEPLOYMENT, live, c, ALICE, LATER, force=True)
    assert (live, c) == kept


# --- cases


def test_a_conflict_names_manager_and_field_as_kubernetes_does() -> None:
    live = create(deployment({}, {"replicas": 3, **template({"name": "c", "image": "a"})}), ALICE)
    changed = deployment({}, {"replicas": 4, **template({"name": "c", "image": "b"})})
    with pytest.raises(StatusError) as raised:
        apply(DEPLOYMENT, live, changed, BOB, NOW)
    assert (raised.value.code, raised.value.reason) == (409, "Conflict")
    assert raised.value.message == (
        'Apply failed with 2 conflicts: conflicts with "alice":\n'
        '- .spec.replicas\n- .spec.template.spec.containers[name="c"].image'
    )
    assert raised.value.details == {
        "causes": [
            {"reason": "FieldManagerConflict", "message": 'conflict with "alice"', "field": ".spec.replicas"},
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "alice"',
                "field": '.spec.template.spec.containers[name="c"].image',
            },
        ]
    }


@pytest.mark.parametrize(
    ("writer", "words"),
    [
        (EDITOR, '"editor" using apps/v1'),
        (
            Manager("kubectl", "Update", "apps/v1", "scale"),
            '"kubectl" with subresource "scale" using apps/v1',
        ),
        (BOB, '"bob"'),
    ],
    ids=["an update", "an update of a subresource", "an apply"],
)
def test_one_conflict_is_told_in_one_line(writer: Manager, words: str) -> None:
    live = deployment({}, {"replicas": 3})
    live["metadata"]["managedFields"] = created(DEPLOYMENT, live, writer, NOW)
    with pytest.raises(StatusError) as raised:
        apply(DEPLOYMENT, live, deployment({}, {"replicas": 4}), ALICE, NOW)
    assert raised.value.message == f"Apply failed with 1 conflict: conflict with {words}: .spec.replicas"


def test_an_equal_value_is_owned_together_until_the_last_owner_drops_it() -> None:
    config = deployment({"labels": {"k": "v"}})
    both = apply(DEPLOYMENT, create(config, ALICE), config, BOB, NOW)
    one = apply(DEPLOYMENT, both, deployment(), ALICE, NOW)
    assert one["metadata"]["labels"] == {"k": "v"}
    assert owned_by(one, ALICE) == []
    assert "labels" not in apply(DEPLOYMENT, one, deployment(), BOB, NOW)["metadata"]


def test_force_takes_a_field_over() -> None:
    live = create(deployment({}, {"replicas": 3}), ALICE)
    forced = apply(DEPLOYMENT, live, deployment({}, {"replicas": 4}), BOB, NOW, force=True)
    assert (owned_by(forced, ALICE), owned_by(forced, BOB)) == ([], [".spec.replicas"])


def test_an_update_takes_over_what_it_changes_and_frees_what_it_removes() -> None:
    live = create(deployment({"labels": {"k": "v"}}, {"replicas": 3, "minReadySeconds": 5}), ALICE)
    new = deployment({}, {"replicas": 4, "minReadySeconds": 5})
    entries = kept_up(DEPLOYMENT, bare(live), new, live["metadata"]["managedFields"], EDITOR, LATER)
    found = {entry["manager"]: (entry["time"], entry["fieldsV1"]) for entry in entries}
    assert found == {
        "alice": (NOW, {"f:spec": {"f:minReadySeconds": {}}}),
        "editor": (LATER, {"f:spec": {"f:replicas": {}}}),
    }


def test_what_was_never_tracked_belongs_to_before_first_apply() -> None:
    with pytest.raises(StatusError) as raised:
        apply(DEPLOYMENT, deployment({}, {"replicas": 3}), deployment({}, {"replicas": 4}), ALICE, NOW)
    assert 'conflict with "before-first-apply" using apps/v1: .spec.replicas' in raised.value.message


LAST = '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"},"spec":{"replicas":3}}'


def client_side_applied(replicas: int) -> Object:
    live = deployment({"annotations": {LAST_APPLIED: LAST}}, {"replicas": replicas})
    csa = Manager("kubectl-client-side-apply", api_version="apps/v1")
    live["metadata"]["managedFields"] = created(DEPLOYMENT, live, csa, NOW)
    return live


def test_kubectl_goes_on_from_where_its_client_side_apply_ended() -> None:
    after = apply(DEPLOYMENT, client_side_applied(3), deployment({}, {"replicas": 4}), KUBECTL, NOW)
    assert after["spec"] == {"replicas": 4}
    assert after["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":4}}\n'
    )


@pytest.mark.parametrize(
    ("replicas", "manager"),
    [(5, KUBECTL), (3, ALICE)],
    ids=["what was changed since", "another manager"],
)
def test_but_nothing_else_goes_over(replicas: int, manager: Manager) -> None:
    with pytest.raises(StatusError, match="Apply failed with 1 conflict"):
        apply(DEPLOYMENT, client_side_applied(replicas), deployment({}, {"replicas": 4}), manager, NOW)


def test_the_oldest_of_many_updaters_become_one() -> None:
    live, entries = deployment({}, {"replicas": 0}), list[Object]()
    for number in range(1, 14):
        new = deployment({"labels": {f"l{i}": "" for i in range(number)}}, {"replicas": 0})
        writer = Manager(f"m{number:02}", api_version="apps/v1")
        entries = kept_up(DEPLOYMENT, live, new, entries, writer, f"2026-01-02T03:04:{number:02}Z")
        live = new
    assert [entry["manager"] for entry in entries] == ["ancient-changes", *(f"m{n:02}" for n in range(5, 14))]
    ancient: FieldSet = entries[0]["fieldsV1"]
    assert list(paths(ancient)) == [".metadata.labels", *(f".metadata.labels.l{n}" for n in range(4))]
