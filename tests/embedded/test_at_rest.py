"""A cluster at rest writes nothing: whatever was done to it, all that was deleted goes, and then it is still.

Two controllers that undo each other's work never come to rest, and no test of one of them sees it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.deletion import POLICIES
from kubetour.embedded.eviction import check_budget
from kubetour.embedded.resources import RESOURCES
from kubetour.embedded.server import controllers
from tests.embedded.controlplane import ControlPlane, config_map, deployment, node, pod, service

# More than any flow here needs by far; two controllers at war write that much in a second. And turns of the
# event loop, for one that asks itself again and again without a write.
MOST_WRITES, MOST_TURNS = 1000, 20_000
# Seconds. Past every delay a controller may take: backoffs, deadlines of rollouts, disruptions, evictions.
LONG, DAY = 900.0, 86400.0
STORED = sorted({resource.plural for resource in RESOURCES if "delete" in resource.verbs})


class Plane(ControlPlane):
    """Everything that Kubernetes runs, on two nodes, and what this test has to do with it."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("node-1", "node-2"):
            self.registry.create("nodes", node(name))
        self.kubelet = self.add_kubelet()
        for controller in controllers(self.api, self.clock, "CA", 100 * DAY):
            self.add(controller)

    async def settle(self, seconds: float = 0.0) -> None:
        """As in every test, but never for ever."""
        began = self.store.revision
        work = asyncio.ensure_future(super().settle(seconds))
        turns = 0
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
            if self.store.revision - began > MOST_WRITES or turns > MOST_TURNS:
                work.cancel()
                pytest.fail(f"the cluster does not come to rest; it wrote {self.writes(began)[-6:]}")
        work.result()

    def writes(self, after: int) -> list[str]:
        """Return which objects were written since a revision."""
        return [change.key for change in self.store.history("/", after, 2 * MOST_WRITES)]

    def delete(self, resource: str, name: str, policy: str = "Background", **options: Any) -> None:
        self.registry.delete(resource, name, "default", propagation_policy=policy, **options)

    def leaving(self) -> list[str]:
        """Return what is marked for deletion and still there."""
        return [
            f"{plural}/{obj['metadata']['name']}"
            for plural in STORED
            for obj in self.registry.list(plural).items
            if "deletionTimestamp" in obj["metadata"]
        ]

    async def rests(self) -> None:
        """Fail if it goes on to write when all has been done that was to be done."""
        await self.settle()
        await self.settle(LONG)
        await self.settle(LONG)
        before = self.store.revision
        for _ in range(3):
            await self.settle(LONG)
        assert self.writes(before) == []


Flow = Callable[[Plane], Any]


async def web(plane: Plane, replicas: int = 3, **spec: Any) -> None:
    plane.registry.create("deployments", deployment(replicas=replicas, **spec))
    await plane.settle()


def change(plane: Plane, resource: str, name: str, patch: Object, namespace: str = "default") -> None:
    plane.registry.patch(resource, name, patch, namespace)


async def scaled(plane: Plane) -> None:
    await web(plane)
    for replicas in (7, 0, 2):
        change(plane, "deployments", "web", {"spec": {"replicas": replicas}})
        await plane.settle()
    assert len(plane.items("pods")) == 2


async def rolled(plane: Plane) -> None:
    await web(plane)
    await rolled_on(plane, "web:2")
    await rolled_on(plane, "web:1")


async def rolled_by_recreate(plane: Plane) -> None:
    await web(plane, strategy={"type": "Recreate"})
    await rolled_on(plane, "web:2")


async def rolled_on(plane: Plane, image: str) -> None:
    template = deployment(image=image)["spec"]["template"]
    change(plane, "deployments", "web", {"spec": {"template": template}})
    await plane.settle()


async def rolled_and_scaled_while_paused(plane: Plane) -> None:
    await web(plane)
    change(plane, "deployments", "web", {"spec": {"paused": True}})
    await rolled_on(plane, "web:2")
    change(plane, "deployments", "web", {"spec": {"replicas": 5}})
    await plane.settle()
    change(plane, "deployments", "web", {"spec": {"paused": False}})


async def rolled_out_to_pods_that_are_never_ready(plane: Plane) -> None:
    await web(plane)
    plane.kubelet.ready = lambda found: found["spec"]["containers"][0]["image"] == "web:1"
    await rolled_on(plane, "web:2")
    assert len(plane.items("pods")) == 4


async def two_deployments_of_one_selector(plane: Plane) -> None:
    await web(plane)
    plane.registry.create("deployments", {**deployment(), "metadata": {"name": "b", "namespace": "default"}})


async def a_deployment_left_its_replicasets(plane: Plane) -> None:
    """Orphans, which the next one of that name adopts."""
    await web(plane)
    plane.delete("deployments", "web", "Orphan")
    await plane.settle()
    assert len(plane.items("replicasets")) == 1
    await web(plane)
    assert len(plane.items("pods")) == 3
    plane.delete("deployments", "web", "Orphan")
    await plane.settle()
    plane.delete("replicasets", plane.items("replicasets")[0]["metadata"]["name"], "Orphan")
    await plane.settle()
    assert len(plane.items("pods")) == 3


async def replicasets_and_pods_deleted_under_their_owners(plane: Plane) -> None:
    await web(plane)
    for policy in POLICIES:
        plane.delete("replicasets", plane.items("replicasets")[0]["metadata"]["name"], policy)
        await plane.settle()
        plane.delete("pods", plane.items("pods")[0]["metadata"]["name"], policy)
        await plane.settle()
    assert len(plane.items("pods")) == 3


async def a_pod_relabelled_and_labelled_back(plane: Plane) -> None:
    await web(plane)
    plane.registry.create("services", service())
    name = plane.items("pods")[0]["metadata"]["name"]
    for value in ("other", "web"):
        change(plane, "pods", name, {"metadata": {"labels": {"app": value}}})
        await plane.settle()
    assert len(plane.items("pods")) == 3


async def a_service_that_changes_its_kind(plane: Plane) -> None:
    await web(plane)
    plane.registry.create("services", service(type="NodePort"))
    await plane.settle()
    for spec in (
        {"type": "LoadBalancer"},
        {"type": "ClusterIP"},
        {"selector": None},
        {"selector": {"app": "web"}},
        {"type": "ExternalName", "externalName": "a.example", "clusterIP": None, "clusterIPs": None},
    ):
        change(plane, "services", "web", {"spec": spec})
        await plane.settle()


async def endpoints_deleted_under_their_service(plane: Plane) -> None:
    await web(plane)
    plane.registry.create("services", service())
    await plane.settle()
    for resource in ("endpoints", "endpointslices"):
        for policy in POLICIES:
            plane.delete(resource, plane.items(resource)[0]["metadata"]["name"], policy)
            await plane.settle()
            assert len(plane.items(resource)) == 1


async def endpoints_made_by_hand(plane: Plane) -> None:
    plane.registry.create("services", service(selector=None))
    for policy in POLICIES:
        subset = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 9376}]}
        plane.registry.create("endpoints", {"metadata": {"name": "web"}, "subsets": [subset]}, "default")
        await plane.settle()
        change(plane, "endpointslices", plane.items("endpointslices")[0]["metadata"]["name"], {"ports": None})
        await plane.settle()
        assert plane.items("endpointslices")[0]["ports"]
        plane.delete("endpoints", "web", policy)
        await plane.settle()
        assert plane.items("endpoints") == plane.items("endpointslices") == []


async def owners_of_which_one_goes(plane: Plane) -> None:
    first, second = (plane.registry.create("configmaps", config_map(name)) for name in ("first", "second"))
    plane.registry.create("configmaps", config_map("both", first, second))
    await plane.settle()
    plane.delete("configmaps", "first", "Foreground")
    await plane.settle()
    assert plane.exists("configmaps", "both")
    plane.delete("configmaps", "second", "Foreground")
    await plane.settle()
    assert not plane.exists("configmaps", "both")


async def owners_that_own_each_other(plane: Plane) -> None:
    first = plane.registry.create("configmaps", config_map("first"))
    second = plane.registry.create("configmaps", config_map("second", first))
    references = config_map("first", second)["metadata"]["ownerReferences"]
    change(plane, "configmaps", "first", {"metadata": {"ownerReferences": references}})
    await plane.settle()
    plane.delete("configmaps", "first", "Foreground")
    await plane.settle()
    assert not plane.exists("configmaps", "second")


async def a_pod_of_an_owner_that_never_was(plane: Plane) -> None:
    nobody: Object = {"metadata": {"name": "nobody", "uid": "0"}}
    references = config_map("p", nobody)["metadata"]["ownerReferences"]
    plane.registry.create("pods", pod(ownerReferences=references))
    await plane.settle()
    assert not plane.exists("pods", "p")


async def finalizers_of_the_users_own(plane: Plane) -> None:
    mine: Object = {"finalizers": ["example.com/mine"]}
    owner = plane.registry.create("configmaps", config_map("owner"))
    plane.registry.create("configmaps", config_map("held", owner, **mine))
    plane.registry.create("services", {**service(), "metadata": {**service()["metadata"], **mine}})
    held = pod("held", labels={"app": "web"})
    plane.registry.create("pods", {**held, "metadata": {**held["metadata"], **mine}})
    await plane.settle()
    for resource, name in (("configmaps", "owner"), ("services", "web"), ("pods", "held")):
        plane.delete(resource, name, "Foreground")
    await plane.rests()
    assert plane.leaving() == ["configmaps/held", "configmaps/owner", "pods/held", "services/web"]
    for resource, name in (("configmaps", "held"), ("services", "web"), ("pods", "held")):
        change(plane, resource, name, {"metadata": {"finalizers": None}})


async def a_deployment_whose_pods_have_finalizers(plane: Plane) -> None:
    body = deployment(replicas=2)
    body["spec"]["template"]["metadata"]["finalizers"] = ["example.com/mine"]
    plane.registry.create("deployments", body)
    await plane.settle()
    plane.delete("deployments", "web", "Foreground")
    await plane.rests()
    for found in plane.items("pods"):
        change(plane, "pods", found["metadata"]["name"], {"metadata": {"finalizers": None}})


async def a_namespace_with_everything_in_it(plane: Plane) -> None:
    plane.registry.create("namespaces", {"metadata": {"name": "all", "finalizers": ["example.com/mine"]}})
    for resource, body in EACH.items():
        if resource in NAMESPACED:
            metadata = {"name": "x", "finalizers": ["example.com/mine"]}
            plane.registry.create(resource, {**body, "metadata": metadata}, "all")
    await plane.settle()
    plane.registry.delete("namespaces", "all", propagation_policy="Foreground")
    await plane.rests()
    for resource in EACH:
        for found in plane.items(resource, "all") if resource in NAMESPACED else ():
            change(plane, resource, found["metadata"]["name"], {"metadata": {"finalizers": None}}, "all")
    await plane.rests()
    assert plane.leaving() == ["namespaces/all"]
    change(plane, "namespaces", "all", {"metadata": {"finalizers": None}}, "")


async def disruptions_until_the_budget_is_spent(plane: Plane) -> None:
    await web(plane)
    budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    plane.registry.create("poddisruptionbudgets", {"metadata": {"name": "b"}, "spec": budget}, "default")
    await plane.settle()
    plane.kubelet.stops = lambda found: False
    first, second, _ = plane.items("pods")
    check_budget(plane.registry, first)
    with pytest.raises(StatusError, match="Cannot evict pod"):
        check_budget(plane.registry, second)
    await plane.settle()
    plane.delete("pods", first["metadata"]["name"])
    await plane.settle()
    plane.kubelet.stops = lambda found: True
    plane.kubelet.poke()


async def budgets_without_pods(plane: Plane) -> None:
    for number, selector in enumerate(({}, {"matchLabels": {"app": "none"}})):
        body = {"metadata": {"name": f"b-{number}"}, "spec": {"maxUnavailable": "50%", "selector": selector}}
        plane.registry.create("poddisruptionbudgets", body, "default")
    await plane.settle()
    plane.registry.create("pods", pod())


async def a_node_cordoned_and_tainted(plane: Plane) -> None:
    await web(plane, replicas=4)
    change(plane, "nodes", "node-1", {"spec": {"unschedulable": True}}, "")
    await plane.settle()
    taint = {"key": "a", "value": "b", "effect": "NoExecute"}
    change(plane, "nodes", "node-1", {"spec": {"taints": [taint]}}, "")
    await plane.settle()
    assert {found["spec"]["nodeName"] for found in plane.items("pods")} == {"node-2"}
    change(plane, "nodes", "node-2", {"spec": {"taints": [taint]}}, "")
    await plane.rests()
    assert {found["status"]["phase"] for found in plane.items("pods")} == {"Pending"}
    for name in ("node-1", "node-2"):
        change(plane, "nodes", name, {"spec": {"taints": None, "unschedulable": None}}, "")
    await plane.settle()
    assert {found["status"]["phase"] for found in plane.items("pods")} == {"Running"}


async def a_node_deleted_under_its_pods(plane: Plane) -> None:
    await web(plane, replicas=4)
    plane.kubelet.stops = lambda found: found["spec"]["nodeName"] != "node-1"
    plane.registry.delete("nodes", "node-1", propagation_policy="Foreground")
    await plane.settle()
    await plane.settle(LONG)
    assert {found["spec"]["nodeName"] for found in plane.items("pods")} == {"node-2"}


async def pods_that_end_by_themselves(plane: Plane) -> None:
    await web(plane)
    for found, phase in zip(plane.items("pods"), ("Failed", "Succeeded"), strict=False):
        status = {**found["status"], "phase": phase}
        plane.registry.update("pods", {**found, "status": status}, subresource="status")
    await plane.settle()
    assert len(plane.items("pods")) == 5
    plane.delete("deployments", "web", "Foreground")


async def pods_that_no_node_has_room_for(plane: Plane) -> None:
    requests = {"resources": {"requests": {"cpu": "3"}}}
    container = {"name": "c", "image": "i:1", **requests}
    for number in range(4):
        plane.registry.create("pods", pod(f"p-{number}", containers=[container]))
    await plane.rests()
    plane.delete("pods", "p-3")
    await plane.settle()
    plane.delete("pods", "p-0")


async def replicasets_edited_under_their_deployment(plane: Plane) -> None:
    await web(plane)
    await rolled_on(plane, "web:2")
    for rs in plane.items("replicasets"):
        name, prefix = rs["metadata"]["name"], "deployment.kubernetes.io/"
        for patch in (
            {"spec": {"replicas": 5}},
            {"metadata": {"annotations": {prefix + "desired-replicas": "7"}}},
            {"metadata": {"annotations": {prefix + "max-replicas": "x", prefix + "desired-replicas": None}}},
            {"metadata": {"annotations": {prefix + "revision": "9", "mine": "yes"}}},
            {"metadata": {"annotations": None}},
            {"metadata": {"ownerReferences": None}},
            {"metadata": {"labels": {"app": "other"}}},
            {"metadata": {"labels": {"app": "web"}}},
        ):
            change(plane, "replicasets", name, patch)
            await plane.settle()
    assert len(plane.items("pods")) == 3


async def what_controllers_say_edited_by_others(plane: Plane) -> None:
    await web(plane)
    plane.registry.create("services", service())
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    plane.registry.create("poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": budget}, "default")
    await plane.settle()
    change(plane, "endpoints", "web", {"subsets": None, "metadata": {"labels": None, "annotations": None}})
    for found in plane.items("endpointslices"):
        change(plane, "endpointslices", found["metadata"]["name"], {"endpoints": [], "ports": None})
    before = {resource: plane.items(resource)[0] for resource in ("deployments", "replicasets")}
    before["poddisruptionbudgets"] = plane.get("poddisruptionbudgets", "web")
    for resource, found in before.items():
        name = found["metadata"]["name"]
        wrong: Object = {**dict.fromkeys(found["status"]), "observedGeneration": 0, "conditions": []}
        if resource == "poddisruptionbudgets":
            wrong |= {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 9, "expectedPods": 0}
        else:
            wrong["replicas"] = 77
        plane.registry.patch(resource, name, {"status": wrong}, "default", subresource="status")
    await plane.settle()
    for resource, found in before.items():
        counts = {key: value for key, value in found["status"].items() if key != "conditions"}
        after = plane.get(resource, found["metadata"]["name"])["status"]
        assert {key: after.get(key) for key in counts} == counts
    assert plane.get("endpoints", "web")["subsets"]


async def taints_of_the_node_controllers_own_edited(plane: Plane) -> None:
    key = "node.kubernetes.io/"
    change(plane, "nodes", "node-1", {"spec": {"unschedulable": True}}, "")
    await plane.settle()
    for taints in (None, [{"key": f"{key}{name}", "effect": "NoExecute"} for name in ("not-ready", "other")]):
        change(plane, "nodes", "node-1", {"spec": {"taints": taints}}, "")
        await plane.settle()
    keys = {taint["key"] for taint in plane.get("nodes", "node-1", "")["spec"]["taints"]}
    assert keys == {f"{key}unschedulable", f"{key}other"}


async def what_each_namespace_has_deleted_and_edited(plane: Plane) -> None:
    await plane.settle()
    for policy in POLICIES:
        plane.delete("configmaps", "kube-root-ca.crt", policy)
        plane.delete("serviceaccounts", "default", policy)
        await plane.settle()
        change(plane, "configmaps", "kube-root-ca.crt", {"data": {"ca.crt": "other"}})
        await plane.settle()
    assert plane.get("configmaps", "kube-root-ca.crt")["data"] == {"ca.crt": "CA"}


async def two_replicasets_and_pods_that_both_want(plane: Plane) -> None:
    for name in ("p-0", "p-1", "p-2"):
        plane.registry.create("pods", pod(name, labels={"app": "x"}))
    await plane.settle()
    for name in ("a", "b"):
        plane.registry.create("replicasets", {**EACH["replicasets"], "metadata": {"name": name}}, "default")
        await plane.settle()
    assert len(plane.items("pods")) == 2
    plane.delete("replicasets", "a", "Orphan")
    await plane.settle()
    assert len(plane.items("pods")) == 1


async def owners_that_nothing_acts_on(plane: Plane) -> None:
    for number, policy in enumerate(POLICIES):
        for resource, kind, version in (("jobs", "Job", "batch/v1"), ("daemonsets", "DaemonSet", "apps/v1")):
            name = f"x-{number}"
            owner = plane.registry.create(resource, {**EACH[resource], "metadata": {"name": name}}, "default")
            reference = {"apiVersion": version, "kind": kind, "name": name, "uid": owner["metadata"]["uid"]}
            references = [{**reference, "controller": True, "blockOwnerDeletion": True}]
            plane.registry.create("pods", pod(f"{resource}-{number}", ownerReferences=references))
            await plane.settle()
            plane.delete(resource, name, policy)
            await plane.settle()
    assert sorted(found["metadata"]["name"] for found in plane.items("pods")) == ["daemonsets-2", "jobs-2"]


TEMPLATE: Object = {"metadata": {"labels": {"app": "x"}}, "spec": pod()["spec"]}
RAN_ONCE = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
SELECTOR = {"matchLabels": {"app": "x"}}
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "name": "x"}
EVENT = {"kind": "Pod", "name": "p", "namespace": "all"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
EACH: dict[str, Object] = {
    "clusterrolebindings": {"roleRef": {**ROLE, "kind": "ClusterRole"}},
    "clusterroles": {},
    "configmaps": {},
    "controllerrevisions": {"revision": 1},
    "cronjobs": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": RAN_ONCE}}}},
    "daemonsets": {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    "deployments": {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    "endpoints": {},
    "endpointslices": {"addressType": "IPv4", "endpoints": []},
    "events": {"involvedObject": EVENT, "reason": "Because"},
    "horizontalpodautoscalers": {"spec": {"scaleTargetRef": TARGET, "maxReplicas": 2}},
    "ingresses": {"spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}},
    "jobs": {"spec": {"template": RAN_ONCE}},
    "leases": {},
    "namespaces": {},
    "nodes": {},
    "persistentvolumeclaims": {"spec": CLAIM},
    "persistentvolumes": {"spec": VOLUME},
    "poddisruptionbudgets": {"spec": {"minAvailable": 1, "selector": SELECTOR}},
    "pods": {"spec": pod()["spec"]},
    "replicasets": {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    "replicationcontrollers": {"spec": {"selector": {"app": "x"}, "template": TEMPLATE}},
    "rolebindings": {"roleRef": {**ROLE, "kind": "Role"}},
    "roles": {},
    "secrets": {},
    "serviceaccounts": {},
    "services": {"spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]}},
    "statefulsets": {"spec": {"serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}},
}
NAMESPACED = {resource.plural for resource in RESOURCES if resource.namespaced}


def in_a_world(flow: Flow) -> None:
    """Do what the flow does, and look on until the cluster rests."""

    async def whole() -> None:
        plane = Plane()
        try:
            await plane.settle()
            await plane.api.synced()
            await flow(plane)
            await plane.rests()
            assert plane.leaving() == []
        finally:
            await plane.stop()

    asyncio.run(whole())


FLOWS = (
    scaled,
    rolled,
    rolled_by_recreate,
    rolled_and_scaled_while_paused,
    rolled_out_to_pods_that_are_never_ready,
    two_deployments_of_one_selector,
    a_deployment_left_its_replicasets,
    replicasets_and_pods_deleted_under_their_owners,
    a_pod_relabelled_and_labelled_back,
    a_service_that_changes_its_kind,
    endpoints_deleted_under_their_service,
    endpoints_made_by_hand,
    owners_of_which_one_goes,
    owners_that_own_each_other,
    a_pod_of_an_owner_that_never_was,
    finalizers_of_the_users_own,
    a_deployment_whose_pods_have_finalizers,
    a_namespace_with_everything_in_it,
    disruptions_until_the_budget_is_spent,
    budgets_without_pods,
    a_node_cordoned_and_tainted,
    a_node_deleted_under_its_pods,
    pods_that_end_by_themselves,
    pods_that_no_node_has_room_for,
    replicasets_edited_under_their_deployment,
    what_controllers_say_edited_by_others,
    taints_of_the_node_controllers_own_edited,
    what_each_namespace_has_deleted_and_edited,
    two_replicasets_and_pods_that_both_want,
    owners_that_nothing_acts_on,
)


@pytest.mark.parametrize("flow", [pytest.param(flow, id=flow.__name__) for flow in FLOWS])
def test_the_cluster_comes_to_rest(flow: Flow, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        in_a_world(flow)
    assert caplog.messages == []


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("resource", STORED)
def test_an_object_of_each_kind_goes_by_each_policy(resource: str, policy: str) -> None:
    async def flow(plane: Plane) -> None:
        namespace = "all" if resource in NAMESPACED else ""
        plane.registry.create("namespaces", {"metadata": {"name": "all"}})
        plane.registry.create(resource, {**EACH[resource], "metadata": {"name": "x"}}, namespace)
        await plane.settle()
        plane.registry.delete(resource, "x", namespace, propagation_policy=policy)
        await plane.settle()
        assert not plane.exists(resource, "x", namespace)

    in_a_world(flow)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="ClusterIP"),
        pytest.param({"type": "NodePort"}, id="NodePort"),
        pytest.param({"type": "LoadBalancer"}, id="LoadBalancer"),
        pytest.param({"clusterIP": "None"}, id="headless"),
        pytest.param({"type": "ExternalName", "externalName": "a.example"}, id="ExternalName"),
    ],
)
def test_a_service_of_each_type_goes_by_each_policy_while_its_pods_stay(spec: Object, policy: str) -> None:
    async def flow(plane: Plane) -> None:
        await web(plane)
        plane.registry.create("services", service(**spec))
        await plane.settle()
        plane.delete("services", "web", policy)
        await plane.settle()
        assert plane.items("services") == []
        assert len(plane.items("pods")) == 3

    in_a_world(flow)
