from __future__ import annotations

from kubetour.embedded.namespace import NamespaceController
from kubetour.embedded.serviceaccount import ServiceAccountController
from tests.embedded.controlplane import ControlPlane, node, pod, scenario


def verdicts(plane: ControlPlane, name: str) -> dict[str, tuple[str, str, str]]:
    conditions = plane.get("namespaces", name, "")["status"]["conditions"]
    return {item["type"]: (item["status"], item["reason"], item["message"]) for item in conditions}


@scenario(NamespaceController, ServiceAccountController)
async def test_a_deleted_namespace_goes_with_all_that_is_in_it(plane: ControlPlane) -> None:
    plane.registry.create("namespaces", {"metadata": {"name": "shop"}})
    plane.registry.create("configmaps", {"metadata": {"name": "c"}}, "shop")
    plane.registry.create("pods", pod("p", namespace="shop"))
    plane.registry.create(
        "events",
        {
            "metadata": {"name": "e.1"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "shop"},
            "reason": "R",
            "type": "Normal",
        },
        "shop",
    )
    await plane.settle()
    plane.registry.delete("namespaces", "shop")
    await plane.settle()
    assert not plane.exists("namespaces", "shop", "")
    for resource in ("configmaps", "pods", "events", "serviceaccounts"):
        assert plane.items(resource, "shop") == []


@scenario(NamespaceController)
async def test_it_waits_for_pods_that_end_and_says_so(plane: ControlPlane) -> None:
    plane.registry.create("nodes", node())
    plane.registry.create("namespaces", {"metadata": {"name": "shop"}})
    plane.registry.create("pods", pod("p", namespace="shop", nodeName="node-1"))
    await plane.settle()
    plane.registry.delete("namespaces", "shop")
    await plane.settle()
    found = verdicts(plane, "shop")
    assert found["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: pods. has 1 resource instances",
    )
    assert found["NamespaceFinalizersRemaining"][:2] == ("False", "ContentHasNoFinalizers")
    plane.registry.delete("pods", "p", "shop", grace_period_seconds=0)
    await plane.settle()
    assert not plane.exists("namespaces", "shop", "")


@scenario(NamespaceController)
async def test_it_never_takes_others_finalizers_off(plane: ControlPlane) -> None:
    plane.registry.create("namespaces", {"metadata": {"name": "shop"}})
    plane.registry.create("configmaps", {"metadata": {"name": "c", "finalizers": ["my/hook"]}}, "shop")
    plane.registry.delete("namespaces", "shop")
    await plane.settle(60)
    assert verdicts(plane, "shop")["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: my/hook in 1 resource instances",
    )
    plane.registry.patch("configmaps", "c", {"metadata": {"finalizers": None}}, "shop")
    await plane.settle()
    assert not plane.exists("namespaces", "shop", "")


@scenario()
async def test_every_namespace_has_its_account_and_the_ca_also_after_a_deletion(plane: ControlPlane) -> None:
    plane.add(ServiceAccountController(plane.api, plane.clock, "PEM"))
    await plane.settle()
    plane.registry.create("namespaces", {"metadata": {"name": "shop"}})
    await plane.settle()
    for namespace in ("default", "shop"):
        assert plane.exists("serviceaccounts", "default", namespace)
        assert plane.get("configmaps", "kube-root-ca.crt", namespace)["data"] == {"ca.crt": "PEM"}
    plane.registry.delete("serviceaccounts", "default", "shop")
    plane.registry.patch("configmaps", "kube-root-ca.crt", {"data": {"ca.crt": "x"}}, "shop")
    await plane.settle()
    assert plane.exists("serviceaccounts", "default", "shop")
    assert plane.get("configmaps", "kube-root-ca.crt", "shop")["data"] == {"ca.crt": "PEM"}
