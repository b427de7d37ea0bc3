"""The kubelet with the real registry and real processes; only time may be made up."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.container import Container
from kubetour.embedded.listening import can_bind
from kubetour.embedded.network import loopback_range_usable
from tests.embedded.node import (
    HERE,
    SERVE,
    FastClock,
    Node,
    Object,
    condition,
    container,
    on_a_node,
    running,
    statuses,
    until_printed,
)

pytestmark = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")


@on_a_node(labels={"own": "label"})
async def test_a_node_registers_itself(node: Node) -> None:
    found = node.registry.get("nodes", "n")
    assert found["metadata"]["labels"]["own"] == "label"
    assert found["metadata"]["labels"]["kubernetes.io/hostname"] == "n"
    assert found["spec"] == {"podCIDR": f"{HERE}.0.0/24", "podCIDRs": [f"{HERE}.0.0/24"]}
    status = found["status"]
    assert [item["status"] for item in status["conditions"]] == ["False", "False", "False", "True"]
    assert {"type": "InternalIP", "address": f"{HERE}.255.1"} in status["addresses"]
    assert int(status["capacity"]["cpu"]) > 0
    assert status["nodeInfo"]["kubeletVersion"] == "v1.36.2"
    assert status["nodeInfo"]["containerRuntimeVersion"].startswith("embedded://")
    lease = await node.until(lambda: node.registry.list("leases", "kube-node-lease").items)
    assert lease[0]["spec"]["holderIdentity"] == "n"


@on_a_node(FastClock)
async def test_the_lease_is_renewed_and_new_images_are_told(node: Node) -> None:
    def renewed() -> str:
        return str(node.registry.get("leases", "n", "kube-node-lease")["spec"]["renewTime"])

    await node.until(lambda: node.registry.list("leases", "kube-node-lease").items)
    before = renewed()
    node.load(SERVE)
    await node.until(lambda: renewed() > before)
    images = await node.until(lambda: node.registry.get("nodes", "n")["status"].get("images"))
    assert images[0]["names"] == ["docker.io/library/app:1"]


@on_a_node(FastClock)
async def test_a_cordon_and_its_end_are_told_in_events(node: Node) -> None:
    def told() -> list[str]:
        return [reason for reason, _ in node.events("n") if reason.endswith("Schedulable")]

    node.registry.patch("nodes", "n", {"spec": {"unschedulable": True}})
    await node.until(lambda: "NodeNotSchedulable" in told())
    node.registry.patch("nodes", "n", {"spec": {"unschedulable": None}})
    await node.until(lambda: "NodeSchedulable" in told())
    assert told() == ["NodeNotSchedulable", "NodeSchedulable"]
    assert ("NodeSchedulable", "Node n status is now: NodeSchedulable") in node.events("n")


@on_a_node(FastClock)
async def test_what_a_node_is_said_to_have_more_of_can_be_asked_for(node: Node) -> None:
    capacity = {"status": {"capacity": {"example.com/dongle": "4"}}}
    node.registry.patch("nodes", "n", capacity, subresource="status")
    status = await node.until(
        lambda: (
            (found := node.registry.get("nodes", "n")["status"])["allocatable"].get("example.com/dongle")
            and found
        )
    )
    assert (status["allocatable"]["example.com/dongle"], status["allocatable"]) == ("4", status["capacity"])


@on_a_node(FastClock)
async def test_a_node_that_was_deleted_registers_again(node: Node) -> None:
    uid = node.registry.get("nodes", "n")["metadata"]["uid"]
    node.registry.delete("nodes", "n")
    await node.until(lambda: node.registry.list("nodes").items)
    assert node.registry.get("nodes", "n")["metadata"]["uid"] != uid


@on_a_node()
async def test_a_pod_runs_is_ready_and_tells_where_it_listens(node: Node) -> None:
    node.load(SERVE + "", more="ENV FROM_IMAGE=1")
    node.create({"ports": [{"containerPort": 8080}]})
    pod = await node.ready()
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"].startswith(f"{HERE}.0.")
    assert pod["metadata"]["annotations"]["embedded.kubetour.dev/listen"] == (
        f'{{"8080":"{pod["status"]["podIP"]}:8080"}}'
    )
    assert container(pod)["image"] == "docker.io/library/app:1"
    assert container(pod)["imageID"].startswith("sha256:")
    assert container(pod)["containerID"].startswith("embedded://")
    assert [reason for reason, _ in node.events()] == ["Pulled", "Created", "Started"]


@on_a_node()
async def test_a_container_is_told_who_and_where_it_is(node: Node) -> None:
    node.load("env")
    env = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "BOTH", "value": "$(NODE)-$(IP)"},
    ]
    node.create({"env": env, "ports": [{"containerPort": 8080}]}, restartPolicy="Never")
    pod = await node.phase("Succeeded")
    ip = pod["status"]["podIP"]
    _, printed = await node.logs()
    told = dict(line.partition("=")[::2] for line in printed.splitlines())
    assert {name: told[name] for name in ("HOSTNAME", "HOST", "PORT", "BOTH", "KUBERNETES_SERVICE_HOST")} == {
        "HOSTNAME": "p",
        "HOST": ip,
        "PORT": "8080",
        "BOTH": f"n-{ip}",
        "KUBERNETES_SERVICE_HOST": "127.64.128.1",
    }


@on_a_node()
async def test_a_port_that_is_taken_is_replaced(node: Node) -> None:
    node.load("echo $PORT; " + SERVE)
    server = await asyncio.start_server(lambda _, __: None, f"{HERE}.0.2", 8080)
    async with server:
        node.create({"ports": [{"containerPort": 8080}]})
        pod = await node.ready()
        listen = pod["metadata"]["annotations"]["embedded.kubetour.dev/listen"]
        await until_printed(node, "up")
        (_, printed) = await node.logs()
        port = int(printed.split()[0])
        assert port != 8080
        assert listen == f'{{"8080":"{HERE}.0.2:{port}"}}'


@on_a_node(FastClock)
async def test_a_container_is_probed_although_something_went_wrong_after_its_start(node: Node) -> None:
    runtime = node.kubelet._runtime
    start = runtime.start

    def once(container: Container) -> None:
        runtime.start = start  # type: ignore[method-assign]
        start(container)
        raise RuntimeError("not told that it has begun")

    runtime.start = once  # type: ignore[method-assign]
    node.load(SERVE)
    node.create({"readinessProbe": {"exec": {"command": ["true"]}}})
    pod = await node.ready()
    assert container(pod)["restartCount"] == 0


def with_image(node: Node, image: str) -> None:
    changed = node.pod()
    changed["spec"]["containers"][0]["image"] = image
    node.registry.update("pods", changed)


@on_a_node(FastClock)
async def test_an_image_that_was_misspelt_can_be_mended(node: Node) -> None:
    node.load(SERVE)
    node.create({"image": "apq:1"})
    await node.waiting("ImagePullBackOff")
    with_image(node, "app:1")
    pod = await node.ready()
    assert (container(pod)["image"], container(pod)["restartCount"]) == ("docker.io/library/app:1", 0)


class NoTimePasses(FastClock):
    """By this clock no back-off is ever over."""

    def monotonic(self) -> float:
        return 0.0


@on_a_node(NoTimePasses)
async def test_a_container_that_crashes_does_not_wait_where_its_image_is_another(node: Node) -> None:
    node.load("exit 4")
    node.load(SERVE, "app:2")
    node.create()
    await node.waiting("CrashLoopBackOff")
    with_image(node, "app:2")
    await node.ready()


@on_a_node(FastClock)
async def test_a_container_of_another_image_replaces_the_one_that_runs(node: Node) -> None:
    node.load(SERVE)
    node.load("echo two; " + SERVE, "app:2")
    node.create(restartPolicy="Never")  # which is about containers that end
    await node.ready()
    with_image(node, "app:2")
    await node.until(lambda: container(node.pod())["restartCount"] == 1)
    pod = await node.ready()
    assert container(pod)["image"] == "docker.io/library/app:2"
    assert ("Killing", "Container c definition changed, will be restarted") in node.events()


@on_a_node(FastClock)
async def test_a_stop_that_did_not_succeed_is_tried_again(node: Node) -> None:
    runtime = node.kubelet._runtime
    stop = runtime.stop

    async def once(container: Container, grace: float) -> None:
        runtime.stop = stop  # type: ignore[method-assign]
        raise OSError("not now")

    runtime.stop = once  # type: ignore[method-assign]
    node.load(SERVE)
    node.create()
    await node.ready()
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)


@on_a_node()
async def test_a_pod_begins_as_another_ones_container_is_made_in_a_thread(node: Node) -> None:
    runtime = node.kubelet._runtime
    node.load(SERVE)
    node.create(name="before")
    (theirs,) = await node.until(lambda: list(runtime.containers.values()))
    await node.ready("before")

    class Labels(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:  # now that thread has its turn
            runtime.containers["another"] = theirs
            return super().get(key, default)

    theirs.labels = Labels(theirs.labels)
    node.create()
    await node.ready()
    del runtime.containers["another"]


@on_a_node()
async def test_a_deleted_pod_is_asked_to_stop_and_leaves_nothing(node: Node) -> None:
    node.load(SERVE)
    node.create()
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["ready"])
    await until_printed(node, "up")
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    assert ("Killing", "Stopping container c") in node.events()
    await node.until(lambda: list((node.directory / "containers").iterdir()) == [])
    assert list((node.directory / "pods").iterdir()) == []


@on_a_node()
async def test_a_pod_that_does_not_listen_is_killed_after_its_grace_period(node: Node) -> None:
    node.load("trap '' TERM; echo up; while :; do sleep 0.01; done")
    seen: list[Object] = []
    node.api.of("pods").add_handler(lambda _, new: seen.append(new) if new else None)
    node.create(terminationGracePeriodSeconds=1)
    await node.ready()
    await until_printed(node, "up")
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    last = seen[-1]["status"]
    assert last["phase"] == "Failed"
    assert last["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
    assert {c["type"]: c.get("reason") for c in last["conditions"]}["Ready"] == "PodFailed"


@on_a_node()
async def test_a_shorter_grace_period_takes_over(node: Node) -> None:
    node.load("trap '' TERM; echo up; while :; do sleep 0.01; done")
    node.create(terminationGracePeriodSeconds=600)
    await node.ready()
    await until_printed(node, "up")
    node.registry.delete("pods", "p", "default")
    await node.until(lambda: ("Killing", "Stopping container c") in node.events())
    node.registry.delete("pods", "p", "default", grace_period_seconds=1)
    await node.until(node.gone)


@on_a_node()
async def test_a_pod_deleted_just_before_its_status_is_written_is_ended(node: Node) -> None:
    node.load(SERVE)
    write = node.registry.patch

    def patch(
        resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        if resource == "pods" and {"type": "Ready", "status": "True"}.items() <= _ready(patch).items():
            node.registry.delete("pods", name, namespace)
        return write(resource, name, patch, namespace, subresource=subresource)

    node.registry.patch = patch  # type: ignore[method-assign]
    node.create()
    await node.until(node.gone)


@on_a_node()
async def test_a_condition_that_is_written_just_before_the_kubelets_status_is_not_lost(node: Node) -> None:
    node.load(SERVE)
    write, gate = node.registry.patch, {"type": "example.com/gate", "status": "True"}

    def patch(
        resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        if "running" in json.dumps(patch) and condition(node.pod(), gate["type"]) is None:
            conditions = [*node.pod()["status"]["conditions"], gate]
            write("pods", name, {"status": {"conditions": conditions}}, namespace, subresource="status")
        return write(resource, name, patch, namespace, subresource=subresource)

    node.registry.patch = patch  # type: ignore[method-assign]
    node.create(readinessGates=[{"conditionType": gate["type"]}])
    await node.ready()


def _ready(patch: Object) -> Object:
    found: list[Object] = patch.get("status", {}).get("conditions", [])
    return next((item for item in found if item["type"] == "Ready"), {})


@on_a_node()
async def test_a_pod_deleted_by_force_is_ended_too(node: Node) -> None:
    node.load("trap '' TERM; echo up; while :; do sleep 0.01; done")
    node.create()
    await node.ready()
    node.registry.delete("pods", "p", "default", grace_period_seconds=0)
    await node.until(lambda: list((node.directory / "containers").iterdir()) == [])
    assert node.gone()


@on_a_node()
async def test_a_pod_deleted_while_its_node_was_down_is_told_to_have_ended(node: Node) -> None:
    """A finalizer holds it: what its status says is all that anybody knows of it."""
    node.load(SERVE)
    node.create()
    address = (await node.ready())["status"]["podIP"]
    node.registry.patch("pods", "p", {"metadata": {"finalizers": ["example.com/mine"]}}, "default")
    await node.stop()
    node.registry.delete("pods", "p", "default")
    assert node.pod()["status"]["phase"] == "Running"
    await node.start()
    pod = await node.until(lambda: condition(node.pod(), "Ready") == "False" and node.pod())
    assert pod["status"]["phase"] in ("Succeeded", "Failed")
    assert "terminated" in container(pod)["state"]
    assert pod["status"]["podIP"] == address
    node.registry.patch("pods", "p", {"metadata": {"finalizers": None}}, "default")
    await node.until(node.gone)


@on_a_node()
async def test_a_finished_pod_stays_until_it_is_deleted(node: Node) -> None:
    node.load("echo done; exit $CODE")
    for name, code, phase in (("good", "0", "Succeeded"), ("bad", "3", "Failed")):
        node.create({"env": [{"name": "CODE", "value": code}]}, name=name, restartPolicy="Never")
        pod = await node.phase(phase, name)
        assert container(pod)["state"]["terminated"]["exitCode"] == int(code)
        assert await node.logs(name=name) == (200, "done\n")
        node.registry.delete("pods", name, "default")
        await node.until(partial(node.gone, name))


@on_a_node(FastClock)
async def test_a_container_that_crashes_is_started_again_and_waits_longer_each_time(node: Node) -> None:
    node.load("echo run; exit 4")
    node.create()
    found = await node.waiting("CrashLoopBackOff")
    uid = node.pod()["metadata"]["uid"]
    assert found["state"]["waiting"]["message"] == (
        f"back-off 10s restarting failed container=c pod=p_default({uid})"
    )
    assert found["lastState"]["terminated"]["exitCode"] == 4
    assert found["restartCount"] == 1
    text = f"Back-off restarting failed container c in pod p_default({uid})"
    assert ("BackOff", text) in node.events()
    assert await node.logs("previous=true") == (200, "run\n")
    await node.until(lambda: "back-off 20s" in str(node.pod()["status"]))


@on_a_node()
async def test_only_failures_are_started_again_on_failure(node: Node) -> None:
    node.load('test -n "$AGAIN" && exit 0; exit $CODE')
    node.create({"env": [{"name": "CODE", "value": "0"}]}, name="good", restartPolicy="OnFailure")
    node.create({"env": [{"name": "CODE", "value": "1"}]}, name="bad", restartPolicy="OnFailure")
    await node.phase("Succeeded", "good")
    found = await node.waiting("CrashLoopBackOff", "bad")
    assert found["restartCount"] == 1


@on_a_node(FastClock)
async def test_an_image_that_is_not_there_cannot_be_pulled_until_it_is_loaded(node: Node) -> None:
    node.create()
    found = await node.waiting("ErrImagePull")
    assert (
        "load it first: python -m kubetour.embedded load image app:1 --name c"
        in found["state"]["waiting"]["message"]
    )
    await node.waiting("ImagePullBackOff")
    assert node.pod()["status"]["podIP"]
    assert [reason for reason, _ in node.events()][:3] == ["Pulling", "Failed", "Failed"]
    assert ("BackOff", 'Back-off pulling image "app:1"') in node.events()
    node.load(SERVE)
    await node.ready()


@pytest.mark.parametrize(
    ("image", "policy", "reason"),
    [
        ("app:1", "Always", "ErrImagePull"),
        ("no:1", "Never", "ErrImageNeverPull"),
        ("A:b:c", "Never", "InvalidImageName"),
    ],
)
def test_pull_policies(short: Path, image: str, policy: str, reason: str) -> None:
    @on_a_node()
    async def test(node: Node) -> None:
        node.load(SERVE)
        node.create({"image": image, "imagePullPolicy": policy})
        await node.waiting(reason)

    test(short)


@on_a_node()
async def test_a_missing_config_map_is_told_and_waited_for(node: Node) -> None:
    node.load(SERVE)
    reference = {"configMapKeyRef": {"name": "m", "key": "k"}}
    node.create({"env": [{"name": "A", "valueFrom": reference}]})
    found = await node.waiting("CreateContainerConfigError")
    assert found["state"]["waiting"]["message"] == 'configmap "m" not found'
    assert ("Failed", 'Error: configmap "m" not found') in node.events()


@on_a_node()
async def test_an_image_for_root_does_not_run_where_that_is_forbidden(node: Node) -> None:
    node.load(SERVE)
    node.create(securityContext={"runAsNonRoot": True})
    found = await node.waiting("CreateContainerConfigError")
    assert "image will run as root" in found["state"]["waiting"]["message"]


@on_a_node()
async def test_a_program_that_is_not_there_is_a_start_error(node: Node) -> None:
    node.load(SERVE)
    node.create({"command": ["no-such-program"]}, restartPolicy="Never")
    pod = await node.phase("Failed")
    ended = container(pod)["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("StartError", 128)
    assert 'exec: "no-such-program": executable file not found in $PATH' in ended["message"]
    assert any(reason == "Failed" and "no-such-program" in message for reason, message in node.events())


@on_a_node()
async def test_init_containers_run_first_one_after_the_other(node: Node) -> None:
    node.load("date +%s%N")
    init = [{"name": name, "image": "app:1"} for name in ("one", "two")]
    node.create(initContainers=init, restartPolicy="Never")
    pod = await node.phase("Succeeded")
    ended = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
    assert [item["name"] for item in ended] == ["one", "two", "c"]
    assert all(item["state"]["terminated"]["exitCode"] == 0 for item in ended)
    started = [message for reason, message in node.events() if reason == "Started"]
    assert len(started) == 3
    assert condition(pod, "Initialized") == "True"


@on_a_node()
async def test_an_init_container_that_fails_holds_the_pod_back(node: Node) -> None:
    node.load("exit 2")
    node.create(initContainers=[{"name": "i", "image": "app:1"}], restartPolicy="Never")
    pod = await node.phase("Failed")
    assert container(pod)["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition(pod, "Initialized") == "False"


@on_a_node(FastClock)
async def test_an_init_container_that_crashes_is_started_again_until_it_succeeds(node: Node) -> None:
    told, mended = (node.root / name for name in ("told", "mended"))
    script = f"echo init >> {told}; test -e {mended}"
    node.load(f"echo own >> {told}; {SERVE}")
    node.create(initContainers=[{"name": "i", "image": "app:1", "command": ["sh", "-c", script]}])

    def init() -> Object:
        found: list[Object] = node.pod()["status"].get("initContainerStatuses") or [{"state": {}}]
        return found[0]

    await node.until(lambda: init()["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff")
    assert node.pod()["status"]["phase"] == "Pending"
    mended.touch()
    await node.ready()
    await node.until(lambda: told.read_text().endswith("own\n"))
    before = told.read_text().split()[:-1]
    assert set(before) == {"init"}
    assert init()["restartCount"] == len(before) - 1
    assert init()["state"]["terminated"]["exitCode"] == 0


def sidecar(name: str, script: str = SERVE) -> Object:
    return {"name": name, "image": "app:1", "command": ["sh", "-c", script], "restartPolicy": "Always"}


@on_a_node()
async def test_sidecars_begin_before_the_containers_and_end_after_them_in_reverse(node: Node) -> None:
    told = node.root / "told"

    def telling(name: str) -> str:
        end = f"sleep 0.1; echo {name} ends >> {told}; exit 0"
        return f"echo {name} >> {told}; trap '{end}' TERM; while :; do sleep 0.01; done"

    def said() -> list[str]:
        return told.read_text().splitlines() if told.exists() else []

    node.load(telling("own"))
    node.create(initContainers=[sidecar(name, telling(name)) for name in ("one", "two")])
    await node.ready()
    await node.until(lambda: len(said()) == 3)
    node.registry.delete("pods", "p", "default")
    await node.until(node.gone)
    assert said()[3:] == ["own ends", "two ends", "one ends"]


@on_a_node()
async def test_when_the_containers_have_done_their_work_the_sidecars_end(node: Node) -> None:
    node.load("exit 0")
    node.create(initContainers=[sidecar("side")], restartPolicy="Never")
    pod = await node.phase("Succeeded")
    (side,) = pod["status"]["initContainerStatuses"]
    assert "terminated" in side["state"]
    assert side["restartCount"] == 0
    assert ("Killing", "Stopping container side") in node.events()


@on_a_node()
async def test_when_an_init_container_has_failed_the_sidecars_before_it_end(node: Node) -> None:
    node.load(SERVE)
    init = {"name": "init", "image": "app:1", "command": ["sh", "-c", "exit 3"]}
    node.create(initContainers=[sidecar("side"), init], restartPolicy="Never")
    pod = await node.phase("Failed")
    codes = [each["state"]["terminated"]["exitCode"] for each in pod["status"]["initContainerStatuses"]]
    assert codes == [0, 3]
    assert container(pod)["state"] == {"waiting": {"reason": "PodInitializing"}}


@on_a_node()
async def test_a_container_is_started_again_although_a_sidecar_is_down(node: Node) -> None:
    once, twice = (node.root / name for name in ("once", "twice"))
    begin = f"if test -e {once}; then touch {twice}; else touch {once}; sleep 0.2; exit 1; fi"
    node.load(f"{begin}; {SERVE}")
    crash = f"until test -e {once}; do sleep 0.01; done; exit 1"
    node.create(initContainers=[sidecar("side", crash)])
    await node.until(twice.exists)
    assert node.pod()["status"]["phase"] == "Running"


PROBED = """
trap 'exit 0' TERM
while :; do sleep 0.01; done
"""


def probe(test: str, **more: Any) -> Object:
    return {"exec": {"command": ["sh", "-c", test]}, "periodSeconds": 1, "failureThreshold": 1, **more}


@on_a_node(FastClock)
async def test_a_pod_is_ready_as_long_as_its_probe_succeeds(node: Node) -> None:
    node.load(PROBED)
    flag = node.root / "flag"
    node.create({"readinessProbe": probe(f"echo looking; test -e {flag}", timeoutSeconds=10)})
    pod = await node.ready(value="False")
    await node.until(lambda: ("Unhealthy", "Readiness probe failed: looking\n") in node.events())
    pod = node.pod()
    assert pod["status"]["phase"] == "Running"
    assert (container(pod)["ready"], container(pod)["started"]) == (False, True)
    flag.touch()
    await node.ready()
    flag.unlink()
    await node.ready(value="False")


@on_a_node(FastClock)
async def test_a_container_that_fails_its_liveness_probe_is_started_again(node: Node) -> None:
    node.load(PROBED)
    node.create({"livenessProbe": probe("false", timeoutSeconds=10)})
    await node.until(lambda: statuses(node.pod()) and container(node.pod())["restartCount"])
    text = "Container c failed liveness probe, will be restarted"
    assert ("Killing", text) in node.events()


@on_a_node(FastClock)
async def test_other_probes_wait_for_the_startup_probe(node: Node) -> None:
    node.load(PROBED)
    flag = node.root / "flag"
    startup = probe(f"test -e {flag}", failureThreshold=1000, timeoutSeconds=10)
    node.create({"startupProbe": startup, "livenessProbe": probe(f"test -e {flag}", timeoutSeconds=10)})
    await node.until(lambda: any(reason == "Unhealthy" for reason, _ in node.events()))
    assert (container(node.pod())["started"], container(node.pod())["ready"]) == (False, False)
    flag.touch()
    await node.ready()
    assert container(node.pod())["restartCount"] == 0


@on_a_node(FastClock)
async def test_a_pod_over_its_deadline_fails(node: Node) -> None:
    node.load(PROBED)
    node.create(activeDeadlineSeconds=1)
    pod = await node.phase("Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert not container(pod)["ready"]
    assert ("DeadlineExceeded", pod["status"]["message"]) in node.events()


@on_a_node()
async def test_logs_of_what_does_not_run_yet(node: Node) -> None:
    node.create()
    await node.waiting("ErrImagePull")
    assert await node.logs() == (400, 'container "c" in pod "p" is waiting to start: image can\'t be pulled')
    assert await node.logs("previous=true") == (400, 'previous terminated container "c" in pod "p" not found')
    assert (await node.logs("tailLines=x"))[0] == 400
    assert (await node.logs(name="other"))[0] == 404


@on_a_node()
async def test_logs_are_chosen_and_followed(node: Node) -> None:
    node.load("echo one; echo two; echo three; sleep 0.05; echo four")
    node.create(restartPolicy="Never")
    await until_printed(node, "three")
    status, followed = await node.logs("follow=true")
    assert (status, followed) == (200, "one\ntwo\nthree\nfour\n")
    assert (await node.logs("tailLines=2"))[1] == "three\nfour\n"
    assert (await node.logs("limitBytes=5"))[1] == "one\nt"
    assert (await node.logs("tailLines=1&timestamps=true"))[1].endswith("Z four\n")


def test_pods_are_started_again_after_the_kubelet_was_killed(short: Path) -> None:
    async def test() -> None:
        async with running(short) as node:
            node.load(SERVE)
            node.create()
            node.create(name="deleted")
            before = await node.ready()
            await node.ready("deleted")
            # As a kill would: nothing is told to anybody, and the processes die with their parent.
            await node.kubelet.stop()
            for task in node.tasks:
                task.cancel()
            await asyncio.gather(*node.tasks, return_exceptions=True)
            node.registry.delete("pods", "deleted", "default", grace_period_seconds=0)
            await node.start()
            await node.until(lambda: container(node.pod())["restartCount"] == 1)
            after = await node.ready()
            assert after["status"]["podIP"] == before["status"]["podIP"]
            assert container(after)["lastState"]["terminated"]["exitCode"] in (0, 143, 255)
            assert len(list((node.directory / "pods").iterdir())) == 1

    asyncio.run(asyncio.wait_for(test(), 30))


def test_the_addresses_of_these_tests_can_be_bound() -> None:
    assert can_bind(f"{HERE}.0.2", 0)
