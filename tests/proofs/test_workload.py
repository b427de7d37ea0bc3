"""The checks of Pods, Deployments and Services."""

from __future__ import annotations

from typing import Any

import pytest

from kubetour.checks import Proof
from kubetour.proofs.workload import (
    DeploymentEndpoints,
    DeploymentReady,
    Gone,
    Placed,
    PodDescribed,
    PodReady,
    ReadyEndpoints,
    ServiceAddress,
)
from tests.making import output
from tests.shapes import deployment, event, metadata, pod, replicaset, seen, service, slices

APP = {"app": "web"}


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def test_a_bare_pod_is_ready_and_nobodys() -> None:
    proof = PodReady("web-pod", "web:1")(seen(pod("web-pod"), pod("other", ready=False)))
    assert proof.holds
    assert proof.text.values == {"name": "web-pod", "node": "node-1", "address": "10.244.0.27"}


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((), "pod-waiting"),
        ((pod("other"),), "pod-waiting"),
        ((pod("web-pod", ready=False, phase="Pending"),), "pod-waiting"),
        ((pod("web-pod", owner="uid-web-1"),), "pod-owned"),
        ((pod("web-pod", image="web:2"),), "pod-other-image"),
    ],
    ids=["none", "another", "not Ready", "owned", "other image"],
)
def test_a_pod_that_is_not_the_one_claimed_proves_nothing(items: tuple[Any, ...], why: str) -> None:
    assert key(PodReady("web-pod", "web:1")(seen(*items))) == why


def test_a_pod_without_a_status_yet_is_waited_for() -> None:
    bare = {"kind": "Pod", "metadata": metadata("web-pod", {}), "spec": {}, "status": {}}
    assert key(PodReady("web-pod", "web:1")(seen(bare))) == "pod-waiting"


GONE = Gone((("pods", "web-pod"), ("services", "web-pod")), (("run", "web-pod"),))


@pytest.mark.parametrize(
    "items",
    [
        (pod("web-pod"),),
        (service("web-pod"),),
        (pod("web-pod-2", {"run": "web-pod"}),),
        (pod("web-pod", terminating=True),),
    ],
    ids=["the Pod", "the Service", "a Pod with its label", "the Pod, being deleted"],
)
def test_what_is_still_there_is_named(items: tuple[Any, ...]) -> None:
    proof = GONE(seen(*items))
    assert not proof.holds
    assert items[0]["metadata"]["name"] in proof.text.values["names"]


def test_what_others_have_need_not_go() -> None:
    assert GONE(seen(pod("other", {"run": "other"}), service("other"))).holds


READY = DeploymentReady("web", 3, "web:1")
PODS = tuple(pod(f"web-1-{letter}", APP, owner="uid-web-1") for letter in "abc")


def test_a_deployment_is_as_declared() -> None:
    proof = READY(seen(deployment(), *PODS))
    assert proof.holds
    assert proof.data == {"declared": 3, "observed": 3}


@pytest.mark.parametrize(
    ("item", "pods", "why"),
    [
        (None, (), "deployment-absent"),
        (deployment("other"), PODS, "deployment-absent"),
        (deployment(replicas=2), PODS[:2], "deployment-waiting"),
        (deployment(available=2), PODS, "deployment-waiting"),
        (deployment(available=0), PODS, "deployment-waiting"),
        (deployment(updated=1), PODS, "deployment-waiting"),
        (deployment(observed=4), PODS, "deployment-waiting"),
        (deployment(generation=3, observed_generation=2), PODS, "deployment-waiting"),
        (deployment(), PODS[:2], "deployment-waiting"),
        (deployment(), (*PODS[:2], pod("web-1-c", APP, ready=False)), "deployment-waiting"),
        (deployment(), (*PODS[:2], pod("web-1-c", APP, terminating=True)), "deployment-waiting"),
        (deployment(image="web:2"), PODS, "deployment-other-image"),
    ],
    ids=[
        "none",
        "another",
        "declared otherwise",
        "too few available",
        "none available",
        "not all updated",
        "an old Pod left",
        "a spec not yet seen",
        "too few Pods",
        "a Pod not Ready",
        "a Pod being deleted",
        "other image",
    ],
)
def test_a_deployment_that_is_not_as_declared_proves_nothing(
    item: Any, pods: tuple[Any, ...], why: str
) -> None:
    proof = READY(seen(*((item,) if item else ()), *pods))
    assert not proof.holds
    assert key(proof) == why


def test_a_deployment_whose_status_is_still_empty_is_waited_for() -> None:
    item = deployment()
    item["status"] = {}
    assert key(READY(seen(item))) == "deployment-waiting"


@pytest.mark.parametrize(
    ("items", "ready"),
    [
        ((slices("web", "a", "b", "c"),), ["a", "b", "c"]),
        ((slices("web", "a", "b", silent=("c",)),), ["a", "b", "c"]),
        ((slices("web", "a", "b"), slices("web", "c")), ["a", "b", "c"]),
        ((slices("web", "a", "b", "c", unready=("d",)), slices("other", "e")), ["a", "b", "c"]),
    ],
    ids=["one slice", "no condition means ready", "two slices", "not ready, and another Service's"],
)
def test_ready_endpoints_are_counted_over_the_services_slices(
    items: tuple[Any, ...], ready: list[str]
) -> None:
    proof = ReadyEndpoints("web", 3)(seen(service(), *items))
    assert proof.holds
    assert proof.data == {"pods": ready}


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((slices("web", "a", "b", "c"),), "service-absent"),
        ((service(),), "endpoints-waiting"),
        ((service(), slices("web", "a", "b")), "endpoints-waiting"),
        ((service(), slices("web", "a", "b", unready=("c",))), "endpoints-waiting"),
        ((service(), slices("web", "a", "b", "c", "d")), "endpoints-waiting"),
        ((service(), slices("other", "a", "b", "c")), "endpoints-waiting"),
        ((service(), {**slices("web"), "endpoints": None}), "endpoints-waiting"),
    ],
    ids=["no Service", "no slice", "too few", "one not ready", "too many", "another's", "null"],
)
def test_another_number_of_ready_endpoints_proves_nothing(items: tuple[Any, ...], why: str) -> None:
    proof = ReadyEndpoints("web", 3)(seen(*items))
    assert not proof.holds
    assert key(proof) == why


SCALED = DeploymentEndpoints(READY, ReadyEndpoints("web", 3))


NAMES = tuple(item["metadata"]["name"] for item in PODS)
BEHIND = (service(), slices("web", *NAMES))


def test_scaling_is_proved_by_the_deployment_and_its_endpoints_together() -> None:
    proof = SCALED(seen(deployment(), replicaset(), *PODS, *BEHIND))
    assert proof.holds
    assert proof.data["declared"] == proof.data["observed"] == 3
    assert proof.data["endpoints"] == [pod["name"] for pod in proof.data["pods"]] == list(NAMES)
    assert (proof.data["replicasets"], proof.data["service"]) == (["web-1"], "web")


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ((deployment(available=2), replicaset(), *PODS, *BEHIND), "deployment-waiting"),
        ((deployment(), replicaset(), *PODS, service(), slices("web", NAMES[0])), "endpoints-waiting"),
        ((deployment(), replicaset(), *PODS), "service-absent"),
        ((deployment(), replicaset(owner="uid-other"), *PODS, *BEHIND), "chain-broken"),
        ((deployment(), replicaset(), *PODS, service(), slices("web", "x", "y", "z")), "chain-broken"),
        ((), "deployment-absent"),
    ],
    ids=["a replica short", "an endpoint short", "no Service", "of another", "other endpoints", "nothing"],
)
def test_scaling_with_any_missing_is_not_proved(items: tuple[Any, ...], why: str) -> None:
    proof = SCALED(seen(*items))
    assert not proof.holds
    assert key(proof) == why


@pytest.mark.parametrize(
    ("status", "expected", "external"),
    [
        ({}, "service-pending", None),
        ({"ingress": []}, "service-pending", None),
        ({"ingress": None}, "service-pending", None),
        ({"ingress": [{"ip": "203.0.113.7"}]}, "service-external", "203.0.113.7"),
        ({"ingress": [{"hostname": "lb.example"}]}, "service-external", "lb.example"),
    ],
)
def test_a_pending_external_address_is_said_and_is_no_failure(
    status: dict[str, Any], expected: str, external: str | None
) -> None:
    proof = ServiceAddress("web")(seen(service(**status)))
    assert proof.holds
    assert key(proof) == expected
    assert proof.data == {"external": external}


def test_a_service_without_a_cluster_address_is_waited_for() -> None:
    item = service()
    del item["spec"]["clusterIP"]
    for items in ((), (item,)):
        assert key(ServiceAddress("web")(seen(*items))) == "service-absent"


def test_pods_are_placed_on_their_nodes() -> None:
    items = (pod("a", APP), pod("b", APP, node="node-2"), pod("c", APP), pod("other", {"app": "other"}))
    proof = Placed("web", 3)(seen(*items))
    assert proof.holds
    assert proof.data == {"nodes": {"node-1": ["a", "c"], "node-2": ["b"]}}
    assert proof.text.values["nodes"] == "node-1 × 2, node-2 × 1"


@pytest.mark.parametrize(
    "third",
    [None, pod("c", APP, ready=False), pod("c", APP, node=""), pod("c", APP, terminating=True), pod("c")],
    ids=["none", "not Ready", "on no node", "being deleted", "no label"],
)
def test_pods_that_are_not_all_placed_prove_nothing(third: Any) -> None:
    items = (pod("a", APP), pod("b", APP), *((third,) if third else ()))
    assert key(Placed("web", 3)(seen(*items))) == "placed-waiting"


STORY = (event("web-1-a", "Started", 3), event("web-1-a", "Scheduled", 1), event("web-1-a", "Pulled", 2))
DESCRIBED = PodDescribed((("app", "web"),))


def test_a_pods_story_is_told_in_the_order_it_happened() -> None:
    proof = DESCRIBED(seen(pod("web-1-a", APP), *STORY, results=(output("Name:  web-1-a\n"),)))
    assert proof.holds
    assert proof.data == {"reasons": ["Scheduled", "Pulled", "Started"]}


@pytest.mark.parametrize(
    ("items", "printed", "why"),
    [
        ((pod("web-1-a", APP), *STORY), "Name:  web-1-b\n", "pod-not-described"),
        ((pod("web-1-a"), *STORY), "Name:  web-1-a\n", "pod-not-described"),
        ((pod("web-1-a", APP, terminating=True), *STORY), "Name:  web-1-a\n", "pod-not-described"),
        ((pod("web-1-a", APP), *STORY[:1]), "Name:  web-1-a\n", "pod-no-story"),
        ((pod("web-1-a", APP), *STORY[1:]), "Name:  web-1-a\n", "pod-no-story"),
        ((pod("web-1-a", APP),), "Name:  web-1-a\n", "pod-no-story"),
    ],
    ids=["another described", "another's Pod", "being deleted", "not scheduled", "not started", "no events"],
)
def test_a_description_without_the_whole_story_proves_nothing(
    items: tuple[Any, ...], printed: str, why: str
) -> None:
    proof = DESCRIBED(seen(*items, results=(output(printed),)))
    assert not proof.holds
    assert key(proof) == why


def test_events_of_an_earlier_pod_of_the_same_name_tell_nothing() -> None:
    old = [dict(item, involvedObject={**item["involvedObject"], "uid": "an older one"}) for item in STORY]
    assert (
        key(DESCRIBED(seen(pod("web-1-a", APP), *old, results=(output("Name:  web-1-a\n"),))))
        == "pod-no-story"
    )


def test_events_in_the_newer_form_have_their_time_elsewhere() -> None:
    newer = [
        {**item, "eventTime": item["firstTimestamp"].replace("Z", ".5Z"), "firstTimestamp": None}
        for item in STORY
    ]
    proof = DESCRIBED(seen(pod("web-1-a", APP), *newer, results=(output("Name:  web-1-a\n"),)))
    assert proof.data == {"reasons": ["Scheduled", "Pulled", "Started"]}
