from __future__ import annotations

import re

from kubetour.embedded import names
from kubetour.embedded.api import Object
from kubetour.embedded.deployment_revision import (
    expendable,
    find_new,
    renewed_annotations,
    same_template,
    template_hash,
)

TEMPLATE: Object = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "image": "i:1"}]},
}


def rs(name: str, template: Object, created: str = "1", **annotations: str) -> Object:
    metadata = {"name": name, "uid": name, "creationTimestamp": created, "annotations": annotations}
    return {"metadata": metadata, "spec": {"template": template, "replicas": 0}, "status": {}}


def hashed(template: Object, digest: str) -> Object:
    labels = {**template["metadata"]["labels"], "pod-template-hash": digest}
    return {**template, "metadata": {"labels": labels}}


def test_the_hash_is_stable_short_and_in_the_safe_alphabet() -> None:
    digest = template_hash(TEMPLATE)
    assert digest == template_hash(dict(reversed(TEMPLATE.items())))
    assert re.fullmatch(f"[{names.ALPHABET}]{{1,10}}", digest)
    # A change here would roll out every Deployment of a cluster that is started again.
    assert digest == "f678b5496"


def test_a_collision_or_another_template_gives_another_hash() -> None:
    other = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": "i:2"}]}}
    assert len({template_hash(TEMPLATE), template_hash(TEMPLATE, 1), template_hash(other)}) == 3


def test_templates_are_compared_without_the_hash_label() -> None:
    assert same_template(hashed(TEMPLATE, "a"), hashed(TEMPLATE, "b"))
    assert not same_template(TEMPLATE, {**TEMPLATE, "spec": {}})


def test_of_two_equal_replica_sets_the_older_is_the_new_one() -> None:
    sets = [rs("b", hashed(TEMPLATE, "b"), "2"), rs("a", hashed(TEMPLATE, "a"), "1")]
    found = find_new({"spec": {"template": TEMPLATE}}, sets)
    assert found is not None
    assert found["metadata"]["name"] == "a"


def test_annotations_are_shared_but_for_those_that_are_ones_own() -> None:
    deployment = {
        "metadata": {
            "annotations": {
                "note": "new",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "deployment.kubernetes.io/revision": "7",
            }
        }
    }
    revision, history = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
    before = rs("a", TEMPLATE, **{"note": "old", "its": "x", revision: "2", history: "1"})
    kept = {"note": "new", "its": "x"}  # somebody annotated the ReplicaSet, or no longer the Deployment
    assert renewed_annotations(deployment, before, 5) == {**kept, revision: "5", history: "1,2"}
    assert renewed_annotations(deployment, before, 2) == {**kept, revision: "2", history: "1"}


def test_only_empty_and_observed_replica_sets_are_expendable() -> None:
    revision = "deployment.kubernetes.io/revision"
    sets = [rs(f"r{number}", TEMPLATE, **{revision: str(number)}) for number in (3, 1, 2, 4)]
    sets[1]["spec"]["replicas"] = 1
    found = expendable({"spec": {"revisionHistoryLimit": 1}}, sets)
    assert [one["metadata"]["name"] for one in found] == ["r2", "r3"]
    assert expendable({"spec": {"revisionHistoryLimit": 2**31 - 1}}, sets) == []
