"""The kubelets that only pretend: nodes, Pods and addresses without a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubelet_fake import FakeKubelets, fake_nodes
from kubetour.embedded.scheduler import Scheduler
from tests.embedded.controlplane import ControlPlane


def records(count: int) -> list[dict[str, Any]]:
    workers = [{"name": f"f-worker{i}", "role": "worker", "labels": {}} for i in range(1, count)]
    return [{"name": "f-control-plane", "role": "control-plane", "labels": {"own": "me"}}, *workers]


async def started(plane: ControlPlane, tmp_path: Path, nodes: int = 3) -> FakeKubelets:
    plane.registry.create("namespaces", {"metadata": {"name": "kube-node-lease"}})
    configs = fake_nodes(records(nodes), str(tmp_path / "kubelet.sock"))
    fake = FakeKubelets(plane.api, plane.clock, configs, tmp_path, "v1.36.2")
    await fake.start()
    plane.add(fake)
    plane.add(Scheduler(plane.api, plane.clock))
    return fake


def pod(name: str, **spec: Any) -> Object:
    container = {"name": "app", "image": "nginx", **spec.pop("container", {})}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [container], **spec},
    }


async def make(plane: ControlPlane, tmp_path: Path, *pods: Object, nodes: int = 3) -> list[Object]:
    fake = await started(plane, tmp_path, nodes)
    try:
        for each in pods:
            plane.registry.create("pods", each, "default")
        await plane.settle()
        return plane.registry.list("pods", "default").items
    finally:
        await fake.stop()


def run(work: Any) -> Any:
    import asyncio

    async def whole() -> Any:
        plane = ControlPlane()
        try:
            return await work(plane)
        finally:
            await plane.stop()

    return asyncio.run(whole())


def test_its_nodes_are_ready_and_have_addresses_that_no_machine_has(tmp_path: Path) -> None:
    async def work(plane: ControlPlane) -> list[Object]:
        await make(plane, tmp_path)
        return plane.registry.list("nodes").items

    nodes = run(work)
    assert [node["metadata"]["name"] for node in nodes] == ["f-control-plane", "f-worker1", "f-worker2"]
    assert {node["status"]["nodeInfo"]["containerRuntimeVersion"] for node in nodes} == {"embedded://fake"}
    assert [node["status"]["addresses"][0]["address"] for node in nodes] == [
        "240.0.0.0",
        "240.0.0.1",
        "240.0.0.2",
    ]
    ready = [c["status"] for node in nodes for c in node["status"]["conditions"] if c["type"] == "Ready"]
    assert ready == ["True"] * 3


def test_a_pod_runs_and_is_ready_once_it_is_bound(tmp_path: Path) -> None:
    (found,) = run(lambda plane: make(plane, tmp_path, pod("a")))
    assert found["status"]["phase"] == "Running"
    (container,) = found["status"]["containerStatuses"]
    assert container["ready"]
    assert container["image"] == "docker.io/library/nginx:latest"
    assert "running" in container["state"]
    assert {c["type"] for c in found["status"]["conditions"] if c["status"] == "True"} >= {"Ready"}


def test_init_containers_have_ended_and_sidecars_run(tmp_path: Path) -> None:
    sidecar = {"name": "side", "image": "proxy", "restartPolicy": "Always"}
    wanted = pod("a", initContainers=[{"name": "first", "image": "setup"}, sidecar])
    (found,) = run(lambda plane: make(plane, tmp_path, wanted))
    first, side = found["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["reason"] == "Completed"
    assert "running" in side["state"]
    assert found["status"]["phase"] == "Running"


def test_no_two_pods_have_one_address(tmp_path: Path) -> None:
    pods = [pod(f"p{i}") for i in range(120)]
    found = run(lambda plane: make(plane, tmp_path, *pods, nodes=4))
    addresses = [each["status"]["podIP"] for each in found]
    assert len(set(addresses)) == 120
    for each in found:
        node = int(each["spec"]["nodeName"].removeprefix("f-worker"))
        assert each["status"]["podIP"].startswith(f"241.0.{node}.")


def test_a_pod_that_is_deleted_is_gone_at_once_and_its_address_free(tmp_path: Path) -> None:
    async def work(plane: ControlPlane) -> tuple[list[Object], list[Object]]:
        fake = await started(plane, tmp_path, nodes=2)
        try:
            for i in range(109):
                plane.registry.create("pods", pod(f"p{i}"), "default")
            await plane.settle()
            for _ in range(3):  # more Pods, all together, than a node has addresses
                for each in plane.registry.list("pods", "default").items:
                    plane.registry.delete("pods", each["metadata"]["name"], "default")
                await plane.settle()
                left = plane.registry.list("pods", "default").items
                for i in range(109):
                    plane.registry.create("pods", pod(f"p{i}"), "default")
                await plane.settle()
            return left, plane.registry.list("pods", "default").items
        finally:
            await fake.stop()

    left, made = run(work)
    assert left == []
    assert {each["status"]["phase"] for each in made} == {"Running"}
    assert len({each["status"]["podIP"] for each in made}) == 109


def test_the_leases_are_renewed_before_the_nodes_count_as_silent(tmp_path: Path) -> None:
    async def work(plane: ControlPlane) -> tuple[set[str], set[str]]:
        fake = await started(plane, tmp_path)
        plane.add(_Beating(fake))
        try:
            for _ in range(20):
                await plane.settle(1.0)
            first = _renewals(plane)
            for _ in range(20):
                await plane.settle(1.0)
            return first, _renewals(plane)
        finally:
            await fake.stop()

    first, second = run(work)
    assert len(first) == 3
    assert not first & second


class _Beating:
    def __init__(self, fake: FakeKubelets) -> None:
        self.run = fake.beat


def _renewals(plane: ControlPlane) -> set[str]:
    leases = plane.registry.list("leases", "kube-node-lease").items
    return {f"{lease['metadata']['name']} {lease['spec']['renewTime']}" for lease in leases}


def test_pods_keep_the_addresses_that_an_earlier_server_gave_them(tmp_path: Path) -> None:
    async def work(plane: ControlPlane) -> dict[str, str]:
        old = {**pod("old"), "spec": {**pod("old")["spec"], "nodeName": "f-worker1"}}
        plane.registry.create("pods", old, "default")
        status = {"status": {"phase": "Running", "podIP": "241.0.1.2", "podIPs": [{"ip": "241.0.1.2"}]}}
        plane.registry.patch("pods", "old", status, "default", subresource="status")
        found = await make(plane, tmp_path, pod("new"), nodes=2)
        return {each["metadata"]["name"]: each["status"]["podIP"] for each in found}

    assert run(work) == {"new": "241.0.1.3", "old": "241.0.1.2"}


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(EmbeddedError, match="room for 65536 nodes"):
        fake_nodes(records(65537), "/nowhere")
