"""The tables of workloads: Deployments, ReplicaSets, DaemonSets, StatefulSets, Jobs and what scales them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.duration import human
from kubetour.embedded.selectors import format_label_selector
from kubetour.embedded.tables.column import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    Column,
    Printer,
    age,
    containers_and_images,
    name,
    spec_status,
)


def _deployment(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    return [
        name(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *containers_and_images(spec),
        format_label_selector(spec.get("selector")),
    ]


def _replica_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    return [
        name(obj),
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj, now),
        *containers_and_images(spec),
        format_label_selector(spec.get("selector")),
    ]


def _daemon_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    node_selector = ((spec.get("template") or {}).get("spec") or {}).get("nodeSelector") or {}
    return [
        name(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        ",".join(f"{key}={value}" for key, value in sorted(node_selector.items())) or NONE,
        age(obj, now),
        *containers_and_images(spec),
        format_label_selector(spec.get("selector")),
    ]


def _stateful_set(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [name(obj), ready, age(obj, now), *containers_and_images(spec)]


def _job(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    wanted = spec.get("completions")
    parallelism = spec.get("parallelism", 1)
    if wanted is None:
        wanted = f"1 of {parallelism}" if parallelism > 1 else 1
    return [
        name(obj),
        _job_state(obj, status),
        f"{status.get('succeeded', 0)}/{wanted}",
        _job_duration(status, now),
        age(obj, now),
        *containers_and_images(spec),
        format_label_selector(spec.get("selector")),
    ]


def _job_state(obj: Object, status: Object) -> str:
    held = {c["type"] for c in status.get("conditions") or [] if c["status"] == "True"}
    for kind, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if kind in held:
            return text
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for kind, text in (
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if kind in held:
            return text
    return "Running"


def _job_duration(status: Object, now: datetime) -> str:
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    began = datetime.fromisoformat(start.replace("Z", "+00:00"))
    ended = datetime.fromisoformat(end.replace("Z", "+00:00")) if end else now
    return human((ended - began).total_seconds())


def _autoscaler(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    target = spec.get("scaleTargetRef") or {}
    return [
        name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _targets(spec, status),
        str(spec.get("minReplicas", "<unset>")),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


_SHOWN = 2  # metrics; of others only how many there are


def _targets(spec: Object, status: Object) -> str:
    """Return each metric's value and target, as formatHPAMetrics of Kubernetes' printers does."""
    seen = status.get("currentMetrics") or []
    metrics = spec.get("metrics") or []
    texts = [
        _metric(metric, seen[index] if index < len(seen) else {}) for index, metric in enumerate(metrics)
    ]
    more = f" + {len(texts) - _SHOWN} more..." if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}" if texts else NONE


def _metric(metric: Object, seen: Object) -> str:
    kind = metric.get("type", "")
    source = kind[:1].lower() + kind[1:]
    asked = metric.get(source) or {}
    target, current = asked.get("target") or {}, (seen.get(source) or {}).get("current") or {}
    if "resource" in source.lower():
        name, unit = asked.get("name"), "" if "averageValue" in target else "%"
        key = "averageUtilization" if unit else "averageValue"
        used = f"{current[key]}{unit}" if key in current else "<unknown>"
        return f"{name}: {used}/{target.get(key, '<auto>')}{unit if key in target else ''}"
    key = "averageValue" if "averageValue" in target else "value"
    average = " (avg)" if key == "averageValue" and kind != "Pods" else ""
    return f"{current.get(key, '<unknown>')}/{target.get(key, '')}{average}"


def _disruption_budget(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    return [
        name(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0),
        age(obj, now),
    ]


# The schema has but the words on selectors in general.
_MATCHES = "It must match the pod template's labels."
_LABELS = (
    "More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"
)
_SELECTORS = {
    "deployment": "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the "
    f"ones affected by this deployment. {_MATCHES}",
    "replica set": "Selector is a label query over pods that should match the replica count. Label keys and "
    f"values that must match in order to be controlled by this replica set. {_MATCHES} {_LABELS}",
    "daemon set": "A label query over pods that are managed by the daemon set. Must match in order to be "
    f"controlled. {_MATCHES} {_LABELS}",
    "job": "A label query over pods that should match the pod count. Normally, the system sets this field "
    f"for you. {_LABELS}",
}


def _selector(kind: str) -> Column:
    return Column("Selector", _SELECTORS[kind], priority=1)


def _scale(obj: Object, now: datetime) -> list[Any]:
    return [name(obj), obj["spec"].get("replicas", 0), obj["status"]["replicas"], age(obj, now)]


PRINTERS = {
    "deployments": Printer(
        (
            NAME,
            Column("Ready", "Number of the pod with ready state"),
            Column("Up-to-date", "V1DeploymentStatus.updatedReplicas"),
            Column("Available", "V1DeploymentStatus.availableReplicas"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("deployment"),
        ),
        _deployment,
    ),
    "replicasets": Printer(
        (
            NAME,
            Column("Desired", "V1ReplicaSetSpec.replicas", "integer"),
            Column("Current", "V1ReplicaSetStatus.replicas", "integer"),
            Column("Ready", "V1ReplicaSetStatus.readyReplicas", "integer"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("replica set"),
        ),
        _replica_set,
    ),
    "daemonsets": Printer(
        (
            NAME,
            Column("Desired", "V1DaemonSetStatus.desiredNumberScheduled", "integer"),
            Column("Current", "V1DaemonSetStatus.currentNumberScheduled", "integer"),
            Column("Ready", "V1DaemonSetStatus.numberReady", "integer"),
            Column("Up-to-date", "V1DaemonSetStatus.updatedNumberScheduled", "integer"),
            Column("Available", "V1DaemonSetStatus.numberAvailable", "integer"),
            Column("Node Selector", "V1PodSpec.nodeSelector"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("daemon set"),
        ),
        _daemon_set,
    ),
    "statefulsets": Printer(
        (NAME, Column("Ready", "Number of the pod with ready state"), AGE, CONTAINERS, IMAGES), _stateful_set
    ),
    "jobs": Printer(
        (
            NAME,
            Column("Status", "Status of the job."),
            Column("Completions", "V1JobStatus.succeeded"),
            Column("Duration", "Time required to complete the job."),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("job"),
        ),
        _job,
    ),
    "horizontalpodautoscalers": Printer(
        (
            NAME,
            Column("Reference", "V2HorizontalPodAutoscalerSpec.scaleTargetRef"),
            Column("Targets", "V2HorizontalPodAutoscalerSpec.metrics"),
            Column("MinPods", "V2HorizontalPodAutoscalerSpec.minReplicas"),
            Column("MaxPods", "V2HorizontalPodAutoscalerSpec.maxReplicas"),
            Column("Replicas", "V2HorizontalPodAutoscalerStatus.currentReplicas"),
            AGE,
        ),
        _autoscaler,
    ),
    "poddisruptionbudgets": Printer(
        (
            NAME,
            Column("Min Available", "The minimum number of pods that must be available."),
            Column("Max Unavailable", "The maximum number of pods that may be unavailable."),
            Column("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."),
            AGE,
        ),
        _disruption_budget,
    ),
    "scales": Printer(
        (
            NAME,
            Column("Desired", "V1ScaleSpec.replicas", "integer"),
            Column("Available", "V1ScaleStatus.replicas", "integer"),
            AGE,
        ),
        _scale,
    ),
}
