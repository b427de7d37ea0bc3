"""The verbs in process: names, namespaces, generations, conflicts, allocation, deletion, binding, watches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.bootstrap import SERVICE_SECONDS, bootstrap, keep_service
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry
from tests.embedded.controlplane import FakeClock


@pytest.fixture
def registry() -> Iterator[Registry]:
    store = Store(":memory:")
    registry = Registry(store, FakeClock())
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
    yield registry
    store.close()


def pod(name: str = "p", **spec: Any) -> Object:
    containers = [{"name": "c", "image": "app:1"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def deployment(name: str = "web", **spec: Any) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def service(name: str = "web", **spec: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def refused(call: Callable[[], object]) -> StatusError:
    with pytest.raises(StatusError) as caught:
        call()
    return caught.value


def test_a_name_is_made_from_generate_name(registry: Registry) -> None:
    obj = pod()
    obj["metadata"] = {"generateName": "x" * 70}
    made = registry.create("pods", obj, "default")
    assert len(made["metadata"]["name"]) == 63
    assert made["metadata"]["name"].startswith("x" * 58)
    assert made["metadata"]["generateName"] == "x" * 70


def test_what_is_returned_belongs_to_the_caller(registry: Registry) -> None:
    given = pod()
    made = registry.create("pods", given, "default")
    made["spec"]["containers"].clear()
    registry.get("pods", "p", "default")["spec"].clear()
    registry.list("pods").items[0]["metadata"].clear()
    assert registry.get("pods", "p", "default")["spec"]["containers"][0]["name"] == "c"
    assert "uid" not in given["metadata"]
    assert "restartPolicy" not in given["spec"]


@pytest.mark.parametrize(
    ("obj", "namespace", "reason", "text"),
    [
        pytest.param(pod(), "nowhere", "NotFound", 'namespaces "nowhere" not found', id="no namespace"),
        pytest.param(pod(), "", "BadRequest", "an empty namespace may not be set", id="none given"),
        pytest.param(
            {**pod(), "metadata": {"name": "p", "resourceVersion": "3"}},
            "default",
            "BadRequest",
            "resourceVersion should not be set",
            id="resourceVersion",
        ),
        pytest.param({**pod(), "kind": "Service"}, "default", "BadRequest", "Service", id="other kind"),
        pytest.param({**pod(), "sepc": {}}, "default", "BadRequest", 'unknown field "sepc"', id="typo"),
    ],
)
def test_a_create_is_refused(registry: Registry, obj: Object, namespace: str, reason: str, text: str) -> None:
    error = refused(lambda: registry.create("pods", obj, namespace))
    assert error.reason == reason
    assert text in error.message


def test_a_dry_run_stores_nothing(registry: Registry) -> None:
    revision = registry.store.revision
    made = registry.create("pods", pod(), "default", dry_run=True)
    assert made["spec"]["restartPolicy"] == "Always"
    assert registry.store.revision == revision


def test_a_terminating_namespace_takes_nothing_new(registry: Registry) -> None:
    registry.create("namespaces", {"metadata": {"name": "old"}})
    marked = registry.delete("namespaces", "old")
    assert marked["status"]["phase"] == "Terminating"
    error = refused(lambda: registry.create("pods", pod(), "old"))
    assert (error.code, error.reason) == (403, "Forbidden")
    assert "because it is being terminated" in error.message


def test_a_namespace_goes_when_its_finalizer_is_taken_away(registry: Registry) -> None:
    registry.create("namespaces", {"metadata": {"name": "old"}})
    marked = registry.delete("namespaces", "old")
    marked["spec"] = {}
    registry.update("namespaces", marked, subresource="finalize")
    assert refused(lambda: registry.get("namespaces", "old")).reason == "NotFound"


def test_the_generation_counts_changes_of_the_spec_only(registry: Registry) -> None:
    def generation() -> int:
        return int(registry.get("deployments", "web", "default")["metadata"]["generation"])

    registry.create("deployments", deployment(), "default")
    registry.patch("deployments", "web", {"metadata": {"labels": {"a": "b"}}}, "default")
    status = {"status": {"replicas": 1}, "metadata": {"annotations": {"revision": "1"}}}
    registry.patch("deployments", "web", status, "default", subresource="status")
    assert generation() == 1
    registry.patch("deployments", "web", {"spec": {"replicas": 3}}, "default")
    assert generation() == 2
    assert registry.get("deployments", "web", "default")["metadata"]["annotations"] == {"revision": "1"}


def test_each_subresource_writes_only_its_part(registry: Registry) -> None:
    registry.create("deployments", deployment(), "default")
    both = {"spec": {"replicas": 7}, "status": {"replicas": 5}}
    registry.patch("deployments", "web", both, "default", subresource="status")
    found = registry.get("deployments", "web", "default")
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (1, 5)
    registry.patch("deployments", "web", {"spec": {"replicas": 7}, "status": {"replicas": 9}}, "default")
    found = registry.get("deployments", "web", "default")
    assert (found["spec"]["replicas"], found["status"]["replicas"]) == (7, 5)


def test_an_update_that_changes_nothing_is_no_write(registry: Registry) -> None:
    made = registry.create("deployments", deployment(), "default")
    again = registry.update("deployments", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert registry.store.revision == int(made["metadata"]["resourceVersion"])


def test_a_stale_update_is_a_conflict_and_one_without_version_is_not(registry: Registry) -> None:
    made = registry.create("deployments", deployment(), "default")
    registry.patch("deployments", "web", {"spec": {"replicas": 2}}, "default")
    assert refused(lambda: registry.update("deployments", made)).reason == "Conflict"
    del made["metadata"]["resourceVersion"]
    assert registry.update("deployments", made)["spec"]["replicas"] == 1


def test_system_metadata_cannot_be_written(registry: Registry) -> None:
    made = registry.create("pods", pod(), "default")
    forged = {"creationTimestamp": "2000-01-01T00:00:00Z", "generation": 9, "labels": {"a": "b"}}
    registry.patch("pods", "p", {"metadata": forged}, "default")
    found = registry.get("pods", "p", "default")["metadata"]
    assert found["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert (found["generation"], found["labels"]) == (1, {"a": "b"})


class TestServices:
    def test_every_service_gets_its_own_address_of_the_range(self, registry: Registry) -> None:
        made = [registry.create("services", service(f"s{i}"), "default")["spec"] for i in range(40)]
        addresses = {spec["clusterIP"] for spec in made}
        assert len(addresses) == 40
        assert all(ip.startswith("127.64.") and 128 <= int(ip.split(".")[2]) <= 254 for ip in addresses)
        assert all(spec["clusterIPs"] == [spec["clusterIP"]] for spec in made)

    def test_a_node_port_asked_for_is_kept_and_cannot_be_taken_twice(self, registry: Registry) -> None:
        ports = [{"port": 80, "nodePort": 30080}]
        registry.create("services", service("a", type="NodePort", ports=ports), "default")
        error = refused(
            lambda: registry.create("services", service("b", type="NodePort", ports=ports), "default")
        )
        assert error.message == (
            'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30080: '
            "provided port is already allocated"
        )

    def test_an_update_without_addresses_keeps_them(self, registry: Registry) -> None:
        made = registry.create("services", service(type="NodePort"), "default")
        plain = service(type="NodePort", selector={"a": "b"})
        plain["metadata"]["namespace"] = "default"
        updated = registry.update("services", plain)
        assert updated["spec"]["clusterIP"] == made["spec"]["clusterIP"]
        assert updated["spec"]["ports"][0]["nodePort"] == made["spec"]["ports"][0]["nodePort"]

    def test_a_node_port_goes_with_the_type_that_needed_it(self, registry: Registry) -> None:
        registry.create("services", service(type="LoadBalancer"), "default")
        spec = registry.patch("services", "web", {"spec": {"type": "ClusterIP"}}, "default")["spec"]
        assert "nodePort" not in spec["ports"][0]
        assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & set(spec)

    def test_the_cluster_ip_may_not_change(self, registry: Registry) -> None:
        registry.create("services", service(), "default")
        change = {"spec": {"clusterIP": "127.64.200.7", "clusterIPs": ["127.64.200.7"]}}
        error = refused(lambda: registry.patch("services", "web", change, "default"))
        assert "may not change once set" in error.message

    def test_a_headless_service_gets_no_address(self, registry: Registry) -> None:
        spec = registry.create("services", service(clusterIP="None"), "default")["spec"]
        assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


class TestDelete:
    def test_an_unbound_pod_goes_at_once(self, registry: Registry) -> None:
        registry.create("pods", pod(), "default")
        registry.delete("pods", "p", "default")
        assert refused(lambda: registry.get("pods", "p", "default")).reason == "NotFound"

    def test_a_bound_pod_waits_for_its_kubelet(self, registry: Registry) -> None:
        registry.create("pods", pod(terminationGracePeriodSeconds=7), "default")
        registry.bind("default", "p", "node")
        marked = registry.delete("pods", "p", "default")["metadata"]
        assert marked["deletionGracePeriodSeconds"] == 7
        assert marked["deletionTimestamp"] == "2026-01-02T03:04:12Z"
        assert marked["generation"] == 2
        again = registry.delete("pods", "p", "default")["metadata"]
        assert again == marked, "a second delete changes nothing"
        shorter = registry.delete("pods", "p", "default", grace_period_seconds=2)["metadata"]
        assert shorter["deletionTimestamp"] == "2026-01-02T03:04:07Z"
        registry.delete("pods", "p", "default", grace_period_seconds=0)
        assert refused(lambda: registry.get("pods", "p", "default")).reason == "NotFound"

    def test_a_finalizer_holds_an_object_until_it_is_removed(self, registry: Registry) -> None:
        obj = deployment()
        obj["metadata"]["finalizers"] = ["example.com/hold"]
        registry.create("deployments", obj, "default")
        marked = registry.delete("deployments", "web", "default")
        assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
        gone = registry.patch("deployments", "web", {"metadata": {"finalizers": None}}, "default")
        assert gone["metadata"]["name"] == "web"
        assert refused(lambda: registry.get("deployments", "web", "default")).reason == "NotFound"

    def test_watches_are_told_of_the_finalizer_whose_removal_was_the_end(self, registry: Registry) -> None:
        registry.create("deployments", deployment(), "default")
        registry.delete("deployments", "web", "default", propagation_policy="Foreground")
        gone = registry.patch("deployments", "web", {"metadata": {"finalizers": None}}, "default")
        (*_, last) = registry.store.history("/deployments/", 0, 100)
        told = json.loads(last.value)["metadata"]
        assert last.deleted
        assert "finalizers" not in gone["metadata"]
        assert told["finalizers"] == ["foregroundDeletion"]
        assert told["resourceVersion"] == gone["metadata"]["resourceVersion"] == str(registry.store.revision)

    def test_no_finalizer_can_be_added_to_what_is_on_its_way_out(self, registry: Registry) -> None:
        registry.create("deployments", deployment(), "default")
        registry.delete("deployments", "web", "default", propagation_policy="Foreground")
        more = {"metadata": {"finalizers": ["foregroundDeletion", "example.com/late"]}}
        with pytest.raises(StatusError, match=r'found new finalizers \[\]string\{"example\.com/late"\}'):
            registry.patch("deployments", "web", more, "default")

    @pytest.mark.parametrize(
        ("policy", "finalizers"), [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"])]
    )
    def test_a_policy_becomes_a_finalizer(
        self, registry: Registry, policy: str, finalizers: list[str]
    ) -> None:
        registry.create("deployments", deployment(), "default")
        marked = registry.delete("deployments", "web", "default", propagation_policy=policy)
        assert marked["metadata"]["finalizers"] == finalizers

    def test_another_uid_is_a_conflict(self, registry: Registry) -> None:
        registry.create("pods", pod(), "default")
        error = refused(lambda: registry.delete("pods", "p", "default", uid="other"))
        assert "the UID in the precondition (other) does not match the UID in record" in error.message

    def test_the_default_namespace_stays(self, registry: Registry) -> None:
        error = refused(lambda: registry.delete("namespaces", "default"))
        assert error.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


class TestBinding:
    def test_a_pod_is_bound_once(self, registry: Registry) -> None:
        registry.create("pods", pod(), "default")
        registry.bind("default", "p", "one")
        found = registry.get("pods", "p", "default")
        assert found["spec"]["nodeName"] == "one"
        assert found["metadata"]["generation"] == 1
        condition = found["status"]["conditions"][0]
        assert (condition["type"], condition["status"]) == ("PodScheduled", "True")
        error = refused(lambda: registry.bind("default", "p", "two"))
        assert (error.code, error.reason) == (409, "Conflict")
        assert 'already assigned to node "one"' in error.message


class TestLists:
    def test_selectors_choose(self, registry: Registry) -> None:
        for name, tier in (("a", "x"), ("b", "y"), ("c", "x")):
            obj = pod(name)
            obj["metadata"]["labels"] = {"tier": tier}
            registry.create("pods", obj, "default")
        registry.bind("default", "a", "n1")

        def names(**selectors: str) -> list[str]:
            return [item["metadata"]["name"] for item in registry.list("pods", **selectors).items]

        assert names(labels="tier=x") == ["a", "c"]
        assert names(fields="spec.nodeName=n1") == ["a"]
        assert names(labels="tier!=x", fields="spec.nodeName=") == ["b"]

    def test_a_list_and_the_watch_from_it_leave_no_gap(self, registry: Registry) -> None:
        async def scenario() -> list[tuple[str, str]]:
            registry.create("pods", pod("before"), "default")
            listed = registry.list("pods")
            watch = registry.watch("pods", resource_version=listed.resource_version)
            registry.create("pods", pod("after"), "default")
            registry.delete("pods", "before", "default")
            events = [await anext_(watch) for _ in range(3)]
            await watch.aclose()  # type: ignore[attr-defined]
            return [(event.type, event.object["metadata"]["name"]) for event in events]

        async def anext_(watch: Any) -> Any:
            return await watch.__anext__()

        assert asyncio.run(scenario()) == [
            ("ADDED", "after"),
            ("MODIFIED", "before"),
            ("DELETED", "before"),
        ]

    def test_a_selective_watch_sees_objects_come_into_view_and_go(self, registry: Registry) -> None:
        async def scenario() -> list[str]:
            start = str(registry.store.revision)
            registry.create("pods", pod("p"), "default")
            for tier in ("x", "x2", None):
                labels = {"tier": tier, "n": str(tier)}
                registry.patch("pods", "p", {"metadata": {"labels": labels}}, "default")
            watch = registry.watch("pods", resource_version=start, labels="tier")
            found = [(await watch.__anext__()).type for _ in range(3)]
            await watch.aclose()  # type: ignore[attr-defined]
            return found

        assert asyncio.run(scenario()) == ["ADDED", "MODIFIED", "DELETED"]

    def test_a_watch_from_before_the_compaction_is_410(self, registry: Registry) -> None:
        async def scenario() -> None:
            registry.create("pods", pod("p"), "default")
            registry.store.compact(registry.store.revision)
            await registry.watch("pods", resource_version="1").__anext__()

        error = refused(lambda: asyncio.run(scenario()))
        assert (error.code, error.reason) == (410, "Expired")
        assert error.message.startswith("too old resource version: 1 (")


def test_a_secret_is_given_in_plain_text_and_kept_encoded(registry: Registry) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"k": "v"}}
    made = registry.create("secrets", secret, "default")
    assert made["data"] == {"k": "dg=="}
    assert made["type"] == "Opaque"
    assert "stringData" not in made


def test_a_job_selects_the_pods_of_its_own_uid(registry: Registry) -> None:
    job = {"metadata": {"name": "j"}, "spec": {"template": {"spec": pod(restartPolicy="Never")["spec"]}}}
    made = registry.create("jobs", job, "default")
    uid = made["metadata"]["uid"]
    assert made["spec"]["selector"]["matchLabels"] == {"batch.kubernetes.io/controller-uid": uid}
    assert made["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "j"
    assert (made["spec"]["completions"], made["spec"]["backoffLimit"]) == (1, 6)


def test_the_service_of_the_api_comes_back_when_it_is_deleted(registry: Registry) -> None:
    kept = {
        kind: registry.get(kind, "kubernetes", "default")
        for kind in ("services", "endpoints", "endpointslices")
    }
    for kind in kept:
        registry.delete(kind, "kubernetes", "default")

    async def scenario() -> None:
        clock = registry.clock
        assert isinstance(clock, FakeClock)
        keeping = keep_service(registry, service_ip="127.64.128.1", address="127.0.0.1", port=6443)
        task = asyncio.ensure_future(keeping)
        for _ in range(2):  # the second time everything is there
            await asyncio.sleep(0)
            clock.advance(SERVICE_SECONDS)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(scenario())
    for kind, before in kept.items():
        after = registry.get(kind, "kubernetes", "default")
        assert {**after, "metadata": {}} == {**before, "metadata": {}}
        assert after["metadata"]["uid"] != before["metadata"]["uid"]


def test_the_first_objects_are_made_once_and_the_endpoints_follow_the_server(registry: Registry) -> None:
    before = registry.get("services", "kubernetes", "default")
    bootstrap(registry, service_ip="127.64.128.1", address="127.0.0.1", port=7443)
    after = registry.get("services", "kubernetes", "default")
    assert before["spec"]["clusterIP"] == after["spec"]["clusterIP"] == "127.64.128.1"
    assert after["spec"]["ports"][0]["targetPort"] == 7443
    assert registry.get("endpointslices", "kubernetes", "default")["ports"][0]["port"] == 7443
    names = [item["metadata"]["name"] for item in registry.list("namespaces").items]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
