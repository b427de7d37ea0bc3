from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.pod_status import ContainerView, Ended, PodView, phase, status

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "pod_golden.json").read_text(encoding="utf-8"))[
    "steps"
]
IMAGE_ID = "sha256:7e0f498f2a7c80b394c53d8b23540293efdc7b5bacc7892bfad0a9e48a57678a"
ID = "304e382491070e542c82a03160388f9f41450814a95fefb2d45a4b8351d8483b"
BEGIN, END = "2026-11-23T13:29:00Z", "2026-11-23T13:29:12Z"
RAN: dict[str, Any] = {
    "container_id": ID,
    "image": "docker.io/library/node-hostname:1.0",
    "image_id": IMAGE_ID,
}
KILLED = Ended(ID, 137, "Error", "", BEGIN, END)


def pod(before: str, **spec: Any) -> dict[str, Any]:
    """The Pod of the recording as it was before a step."""
    container = {"name": "rec", "image": "node-hostname:1.0", "resources": {}}
    step = GOLDEN[before]
    return {
        "metadata": {"name": "rec", "namespace": "default", "generation": step["generation"]},
        "spec": {"containers": [container], "restartPolicy": "Always", **spec},
        "status": step["status"],
    }


def view(container: ContainerView, **more: Any) -> PodView:
    return PodView(init={}, containers={"rec": container}, host_ip="172.18.0.2", **more)


def recorded(step: str) -> dict[str, Any]:
    """What Kubernetes said, with the one thing that is another runtime's: the scheme of container IDs."""
    text = json.dumps(GOLDEN[step]["status"]).replace("containerd://", "embedded://")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("before", "step", "seen", "now"),
    [
        pytest.param("bound", "accepted", view(ContainerView()), BEGIN, id="accepted: ContainerCreating"),
        pytest.param(
            "sandbox",
            "running",
            view(ContainerView(running_since=BEGIN, ready=True, started=True, **RAN), pod_ip="10.244.0.27"),
            BEGIN,
            id="running and ready",
        ),
        pytest.param(
            "deleted",
            "observed",
            view(ContainerView(running_since=BEGIN, ready=True, started=True, **RAN), pod_ip="10.244.0.27"),
            END,
            id="deletion seen, still running",
        ),
        pytest.param(
            "observed",
            "ended",
            view(ContainerView(ended=KILLED, **RAN), pod_ip="10.244.0.27", stopped=True),
            END,
            id="killed: Failed",
        ),
    ],
)
def test_a_status_is_what_kubernetes_writes(before: str, step: str, seen: PodView, now: str) -> None:
    assert status(pod(before), seen, now) == recorded(step)


OK = Ended("a", 0, "Completed", "", BEGIN, END)
BAD = Ended("b", 1, "Error", "", BEGIN, END)
UP = ContainerView(running_since=BEGIN, ready=True, started=True)
WAITING = ContainerView()
DONE, FAILED = ContainerView(ended=OK), ContainerView(ended=BAD)
CRASHING = ContainerView(waiting="CrashLoopBackOff", last=BAD)


@pytest.mark.parametrize(
    ("policy", "views", "stopped", "expected"),
    [
        ("Always", [WAITING], False, "Pending"),
        ("Always", [UP], False, "Running"),
        ("Always", [UP, WAITING], False, "Pending"),
        ("Always", [CRASHING], False, "Running"),
        ("Always", [UP, CRASHING], False, "Running"),
        ("Always", [ContainerView(ended=OK)], False, "Running"),
        ("Never", [ContainerView(ended=OK)], False, "Succeeded"),
        ("Never", [ContainerView(ended=BAD)], False, "Failed"),
        ("Never", [ContainerView(ended=OK), ContainerView(ended=BAD)], False, "Failed"),
        ("Never", [ContainerView(ended=OK), UP], False, "Running"),
        ("OnFailure", [ContainerView(ended=OK)], False, "Succeeded"),
        ("OnFailure", [CRASHING], False, "Running"),
        ("Always", [ContainerView(ended=OK)], True, "Succeeded"),
        ("Always", [ContainerView(ended=BAD)], True, "Failed"),
        ("Always", [WAITING], True, "Failed"),
    ],
)
def test_phases(policy: str, views: list[ContainerView], stopped: bool, expected: str) -> None:
    names = [f"c{index}" for index in range(len(views))]
    spec = {"restartPolicy": policy, "containers": [{"name": name} for name in names]}
    seen = PodView({}, dict(zip(names, views, strict=True)), "127.0.0.1", stopped=stopped)
    assert phase(spec, seen) == expected


@pytest.mark.parametrize(
    ("init", "policy", "initialized", "expected"),
    [
        (WAITING, "Always", "False", "Pending"),
        (UP, "Always", "False", "Pending"),
        (ContainerView(ended=OK), "Always", "True", "Pending"),
        (ContainerView(ended=BAD), "Never", "False", "Failed"),
        (CRASHING, "Always", "False", "Pending"),
    ],
)
def test_init_containers_come_first(
    init: ContainerView, policy: str, initialized: str, expected: str
) -> None:
    one = pod("bound", initContainers=[{"name": "i", "image": "x"}], restartPolicy=policy)
    seen = PodView({"i": init}, {"rec": ContainerView("PodInitializing")}, "127.0.0.1", "127.0.0.2")
    found = status(one, seen, BEGIN)
    conditions = {condition["type"]: condition for condition in found["conditions"]}
    assert found["phase"] == expected
    assert conditions["Initialized"]["status"] == initialized
    if initialized == "False":
        assert conditions["Initialized"]["reason"] == "ContainersNotInitialized"
        assert conditions["Initialized"]["message"] == "containers with incomplete status: [i]"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert [item["name"] for item in found["initContainerStatuses"]] == ["i"]


@pytest.mark.parametrize(
    ("sidecar", "own", "expected", "initialized", "ready"),
    [
        pytest.param(UP, UP, "Running", "True", "True", id="both run"),
        pytest.param(CRASHING, WAITING, "Pending", "False", "False", id="a sidecar comes first"),
        pytest.param(CRASHING, UP, "Running", "True", "False", id="without it, not ready"),
        pytest.param(UP, DONE, "Running", "True", "False", id="work done, it still runs"),
        pytest.param(
            ContainerView(ended=BAD), ContainerView(ended=OK), "Succeeded", "True", "False", id="over"
        ),
        pytest.param(
            ContainerView(ended=OK), ContainerView(ended=BAD), "Failed", "True", "False", id="in vain"
        ),
    ],
)
def test_sidecars_come_first_and_stay_to_the_end(
    sidecar: ContainerView, own: ContainerView, expected: str, initialized: str, ready: str
) -> None:
    side = {"name": "s", "image": "x", "restartPolicy": "Always"}
    seen = PodView({"s": sidecar}, {"rec": own}, "127.0.0.1", "127.0.0.2")
    found = status(pod("bound", initContainers=[side], restartPolicy="Never"), seen, BEGIN)
    conditions = {condition["type"]: condition["status"] for condition in found["conditions"]}
    assert (found["phase"], conditions["Initialized"], conditions["Ready"]) == (expected, initialized, ready)


def test_a_container_that_waits_to_start_again_tells_how_it_ended() -> None:
    crashing = ContainerView("CrashLoopBackOff", "back-off 10s …", last=BAD, restarts=3, **RAN)
    found = status(pod("running"), view(crashing, pod_ip="127.0.0.2"), END)
    (container,) = found["containerStatuses"]
    assert container["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s …"}}
    assert container["lastState"]["terminated"]["exitCode"] == 1
    assert (container["restartCount"], container["ready"], container["started"]) == (3, False, False)
    ready = next(condition for condition in found["conditions"] if condition["type"] == "Ready")
    assert (ready["status"], ready["lastTransitionTime"], ready["message"]) == (
        "False",
        END,
        "containers with unready status: [rec]",
    )


def test_others_conditions_are_kept_and_gates_are_asked() -> None:
    one = pod("running", readinessGates=[{"conditionType": "x/gate"}])
    found = status(one, view(UP, pod_ip="127.0.0.2"), END)
    ready = next(condition for condition in found["conditions"] if condition["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    gate = {"type": "x/gate", "status": "True", "lastTransitionTime": BEGIN}
    one["status"] = {**one["status"], "conditions": [*one["status"]["conditions"], gate]}
    found = status(one, view(UP, pod_ip="127.0.0.2"), END)
    assert gate in found["conditions"]
    assert next(c for c in found["conditions"] if c["type"] == "Ready")["status"] == "True"


def test_a_pod_tells_what_its_containers_ask_for_together() -> None:
    one = pod("bound")
    first = {**one["spec"]["containers"][0], "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}
    second = {**first, "name": "second", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}
    one["spec"]["containers"] = [first, second]
    both = {name: ContainerView() for name in ("rec", "second")}
    seen = PodView(init={}, containers=both, host_ip="172.18.0.2")
    found = status(one, seen, BEGIN)
    assert found["allocatedResources"] == {"cpu": "1010m", "memory": "16Mi"}
    assert found["resources"] == {"requests": {"cpu": "1010m", "memory": "16Mi"}, "limits": {"cpu": "2"}}


def test_requests_and_mounts_are_told() -> None:
    one = pod("bound")
    one["spec"]["containers"][0] |= {
        "resources": {"requests": {"cpu": "10m"}},
        "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": True}],
    }
    running = ContainerView(running_since=BEGIN, ready=True, started=True, **RAN)
    (container,) = status(one, view(running, pod_ip="127.0.0.2"), BEGIN)["containerStatuses"]
    assert container["allocatedResources"] == {"cpu": "10m"}
    assert container["resources"] == {"requests": {"cpu": "10m"}}
    assert container["volumeMounts"] == [
        {"name": "v", "mountPath": "/v", "readOnly": True, "recursiveReadOnly": "Disabled"}
    ]
