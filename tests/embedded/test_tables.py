"""The cells of `kubectl get`: what a Pod is said to be doing, ports, roles, ages."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from kubetour.embedded.resources import RESOURCES, by_plural
from kubetour.embedded.tables import column_definitions, row

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=timezone.utc)
META = {"name": "n", "creationTimestamp": "2026-01-01T00:55:00Z"}


def cells(plural: str, obj: Any) -> dict[str, Any]:
    resource = by_plural(plural)
    found = row(resource, {"metadata": META, **obj}, NOW, "None")
    assert set(found) == {"cells"}
    headers = [column["name"] for column in column_definitions(resource)]
    return dict(zip(headers, found["cells"], strict=True))


def waiting(reason: str) -> Any:
    return {"state": {"waiting": {"reason": reason}}}


def terminated(**fields: Any) -> Any:
    return {"state": {"terminated": fields}}


RUNNING = {"state": {"running": {}}, "ready": True}
READY = {"type": "Ready", "status": "True"}
INITIALIZED = {"type": "Initialized", "status": "True"}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]}, "ContainerCreating"),
        ({"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]}, "CrashLoopBackOff"),
        ({"phase": "Running", "containerStatuses": [RUNNING]}, "Running"),
        ({"phase": "Failed", "containerStatuses": [terminated(reason="Error", exitCode=1)]}, "Error"),
        ({"phase": "Failed", "containerStatuses": [terminated(exitCode=3)]}, "ExitCode:3"),
        ({"phase": "Failed", "containerStatuses": [terminated(signal=9)]}, "Signal:9"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (
            {
                "phase": "Running",
                "conditions": [READY],
                "containerStatuses": [terminated(reason="Completed"), RUNNING],
            },
            "Running",
        ),
        (
            {"phase": "Running", "containerStatuses": [terminated(reason="Completed"), RUNNING]},
            "NotReady",
        ),
        ({"phase": "Pending", "initContainerStatuses": [{"state": {"running": {}}}]}, "Init:0/2"),
        ({"phase": "Pending", "initContainerStatuses": [terminated(exitCode=1)]}, "Init:ExitCode:1"),
        (
            {"phase": "Pending", "initContainerStatuses": [terminated(exitCode=0), waiting("ErrImagePull")]},
            "Init:ErrImagePull",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [INITIALIZED],
                "initContainerStatuses": [terminated(exitCode=0), terminated(exitCode=0)],
                "containerStatuses": [waiting("PodInitializing")],
            },
            "PodInitializing",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            "SchedulingGated",
        ),
    ],
)
def test_a_pods_status_is_one_word(status: Any, text: str) -> None:
    spec: Any = {"containers": [{}], "initContainers": [{}, {}]}
    assert cells("pods", {"spec": spec, "status": status})["Status"] == text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"phase": "Running", "containerStatuses": [RUNNING]}, "Terminating"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
    ],
)
def test_a_pod_on_its_way_out(status: Any, text: str) -> None:
    metadata = {**META, "deletionTimestamp": "2026-01-01T01:00:30Z"}
    assert cells("pods", {"metadata": metadata, "spec": {}, "status": status})["Status"] == text


def test_restarts_say_when_the_last_one_was() -> None:
    last = {"terminated": {"finishedAt": "2026-01-01T00:59:30Z"}}
    status = {"containerStatuses": [{"restartCount": 3, "lastState": last, **RUNNING}]}
    found = cells("pods", {"spec": {"containers": [{}, {}]}, "status": status})
    assert (found["Restarts"], found["Ready"], found["Age"]) == ("3 (30s ago)", "1/2", "5m")


@pytest.mark.parametrize(
    ("spec", "status", "external", "ports"),
    [
        ({"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}, {}, "<none>", "80/TCP"),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
            {},
            "<none>",
            "80:30080/TCP",
        ),
        ({"type": "LoadBalancer", "ports": [{"port": 1}, {"port": 2}]}, {}, "<pending>", "1/TCP,2/TCP"),
        (
            {"type": "LoadBalancer"},
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "h"}]}},
            "1.2.3.4,h",
            "<none>",
        ),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com", "<none>"),
    ],
)
def test_a_services_addresses_and_ports(spec: Any, status: Any, external: str, ports: str) -> None:
    found = cells("services", {"spec": spec, "status": status})
    assert (found["External-IP"], found["Port(s)"]) == (external, ports)


def test_a_node_shows_its_roles_and_whether_it_takes_pods() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "extra"}
    status = {"conditions": [READY], "nodeInfo": {"kernelVersion": "6.1", "architecture": "amd64"}}
    found = cells(
        "nodes",
        {"metadata": {**META, "labels": labels}, "spec": {"unschedulable": True}, "status": status},
    )
    assert (found["Status"], found["Roles"]) == ("Ready,SchedulingDisabled", "control-plane,extra")
    assert (found["Kernel-Version"], found["Internal-IP"]) == ("6.1 (amd64)", "<none>")


def test_an_event_counts_from_its_first_and_last_sighting() -> None:
    event = {
        "involvedObject": {"kind": "Pod", "name": "p"},
        "source": {"component": "kubelet", "host": "n1"},
        "firstTimestamp": "2026-01-01T00:50:00Z",
        "lastTimestamp": "2026-01-01T00:59:00Z",
        "eventTime": None,
        "count": 4,
        "message": " text ",
    }
    found = cells("events", event)
    assert (found["Object"], found["Source"], found["Message"]) == ("pod/p", "kubelet, n1", "text")
    assert (found["First Seen"], found["Last Seen"], found["Count"]) == ("10m", "60s", 4)


def test_endpoints_are_shortened_after_three() -> None:
    addresses = [{"ip": f"10.0.0.{i}"} for i in range(5)]
    subsets = [{"addresses": addresses, "ports": [{"port": 80}]}]
    assert cells("endpoints", {"subsets": subsets})["Endpoints"] == (
        "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."
    )
    assert cells("endpoints", {})["Endpoints"] == "<none>"


def test_a_job_says_how_far_it_is() -> None:
    status = {"succeeded": 1, "startTime": "2026-01-01T00:58:00Z", "completionTime": "2026-01-01T00:59:00Z"}
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    found = cells("jobs", {"spec": {"completions": 3}, "status": {**status, **done}})
    assert (found["Status"], found["Completions"], found["Duration"]) == ("Complete", "1/3", "60s")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: f"{r.group}/{r.plural}")
def test_every_kind_can_be_shown_however_little_is_set(resource: Any) -> None:
    found = row(resource, {"metadata": META, "spec": {}, "status": {}}, NOW, "Metadata")
    assert len(found["cells"]) == len(column_definitions(resource))
    assert found["object"]["kind"] == "PartialObjectMetadata"


@pytest.mark.parametrize(
    ("plural", "obj", "expected"),
    [
        (
            "persistentvolumeclaims",
            {
                "spec": {"volumeName": "v", "storageClassName": "s"},
                "status": {
                    "phase": "Bound",
                    "capacity": {"storage": "1Gi"},
                    "accessModes": ["ReadWriteOncePod", "ReadWriteOnce"],
                },
            },
            {"Status": "Bound", "Volume": "v", "Capacity": "1Gi", "Access Modes": "RWO,RWOP"},
        ),
        (
            "persistentvolumes",
            {"spec": {"capacity": {"storage": "1Gi"}, "claimRef": {"namespace": "n", "name": "c"}}},
            {"Capacity": "1Gi", "Claim": "n/c", "VolumeMode": "<unset>"},
        ),
        (
            "ingresses",
            {
                "spec": {"rules": [{"host": f"{each}.example"} for each in "abcde"], "tls": [{}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "h"}]}},
            },
            {
                "Hosts": "a.example,b.example,c.example + 2 more...",
                "Address": "1.2.3.4,h",
                "Ports": "80, 443",
                "Class": "<none>",
            },
        ),
        (
            "cronjobs",
            {
                "spec": {"schedule": "@daily", "suspend": True},
                "status": {"active": [{}], "lastScheduleTime": "2026-01-01T00:58:00Z"},
            },
            {"Schedule": "@daily", "Suspend": "True", "Active": 1, "Last Schedule": "2m"},
        ),
        (
            "replicationcontrollers",
            {"spec": {"replicas": 2, "selector": {"b": "2", "a": "1"}}, "status": {"replicas": 1}},
            {"Desired": 2, "Current": 1, "Ready": 0, "Selector": "a=1,b=2"},
        ),
    ],
)
def test_what_is_only_stored_is_shown(plural: str, obj: Any, expected: dict[str, Any]) -> None:
    found = cells(plural, obj)
    assert {name: found[name] for name in expected} == expected


def _metric(kind: str, target: Any, **fields: Any) -> Any:
    return {"type": kind, kind[0].lower() + kind[1:]: {"target": target, **fields}}


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ([], "<none>"),
        ([_metric("Resource", {"averageUtilization": 50}, name="cpu")], "cpu: 40%/50%"),
        ([_metric("Resource", {"averageValue": "1Gi"}, name="memory")], "memory: <unknown>/1Gi"),
        ([_metric("External", {"averageValue": "3"})], "<unknown>/3 (avg)"),
        (
            [_metric("Object", {"value": "7"}), _metric("Pods", {"averageValue": "30"})],
            "<unknown>/7, <unknown>/30",
        ),
        ([_metric("Pods", {"averageValue": "1"})] * 4, "<unknown>/1, <unknown>/1 + 2 more..."),
    ],
)  # fmt: skip
def test_what_an_autoscaler_aims_at(metrics: Any, text: str) -> None:
    seen = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}]
    scaler = {"spec": {"metrics": metrics, "maxReplicas": 3}, "status": {"currentMetrics": seen}}
    assert cells("horizontalpodautoscalers", scaler)["Targets"] == text
