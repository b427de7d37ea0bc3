"""What the API server fills in where an object says nothing (k8s.io/kubernetes/pkg/apis/*/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Callable

from kubetour.embedded.api import Object
from kubetour.embedded.defaults_pod import admit_pod, default_pod_spec, default_requests
from kubetour.embedded.resources import Resource

_RBAC = "rbac.authorization.k8s.io"


def apply(resource: Resource, obj: Object) -> None:
    """Fill in the defaults of a decoded object, in place."""
    default = _DEFAULTS.get(resource.plural)
    if default:
        default(obj)


def _default(obj: Object, **values: object) -> None:
    for key, value in values.items():
        obj.setdefault(key, value)


def _template(spec: Object) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))


def _pod(pod: Object) -> None:
    spec = pod.setdefault("spec", {})
    default_requests(spec)
    default_pod_spec(spec)
    admit_pod(spec)


def _deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _default(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _default(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _default(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")


def _replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _template(spec)


def _daemon_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    _default(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _default(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, maxSurge=0)


def _stateful_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _default(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady", serviceName="")
    strategy = spec.setdefault("updateStrategy", {})
    _default(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _default(strategy.setdefault("rollingUpdate", {}), partition=0)
    for claim in spec.get("volumeClaimTemplates") or []:
        _default(claim, apiVersion="v1", kind="PersistentVolumeClaim", spec={}, status={})
        _default(claim["spec"], volumeMode="Filesystem")
        _default(claim["status"], phase="Pending")
    _default(
        spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain"
    )


def _job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _default(
        spec,
        parallelism=1,
        backoffLimit=6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="TerminatingOrFailed",
    )


def _cron_job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec.setdefault("jobTemplate", {}).setdefault("spec", {}))
    _default(spec, concurrencyPolicy="Allow", suspend=False)
    _default(spec, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)


def _replication_controller(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _default(spec, replicas=1, selector=dict(spec["template"]["metadata"].get("labels") or {}))


def _volume(obj: Object) -> None:
    _default(obj.setdefault("spec", {}), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")


def _service(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _default(spec, type="ClusterIP", sessionAffinity="None")
    kind = spec["type"]
    for port in spec.get("ports") or []:
        _default(port, protocol="TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")
    if spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", 10800)
    else:
        spec.pop("sessionAffinityConfig", None)
    if kind == "ExternalName":
        return
    _default(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets") or []:
        for port in subset.get("ports") or []:
            _default(port, protocol="TCP")


def _endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports") or []:
        _default(port, name="", protocol="TCP")
    _default(obj, endpoints=None, ports=None)  # shown also where there are none


def _event(obj: Object) -> None:
    # Shown also where they say nothing.
    _default(obj, source={}, reportingComponent="", reportingInstance="")
    _default(obj, firstTimestamp=None, lastTimestamp=None, eventTime=None)


def _role_binding(obj: Object) -> None:
    _default(obj.setdefault("roleRef", {}), apiGroup=_RBAC)
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            _default(subject, apiGroup=_RBAC)


def _autoscaler(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if "behavior" in spec:
        all_of_them = {"type": "Percent", "value": 100, "periodSeconds": 15}
        up, down = (spec["behavior"].setdefault(key, {}) for key in ("scaleUp", "scaleDown"))
        pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
        _default(up, stabilizationWindowSeconds=0, selectPolicy="Max", policies=[pods, all_of_them])
        _default(down, selectPolicy="Max", policies=[all_of_them])


_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "clusterrolebindings": _role_binding,
    "cronjobs": _cron_job,
    "daemonsets": _daemon_set,
    "deployments": _deployment,
    "endpoints": _endpoints,
    "endpointslices": _endpoint_slice,
    "events": _event,
    "horizontalpodautoscalers": _autoscaler,
    "jobs": _job,
    "namespaces": lambda obj: _default(obj, spec={}, status={}),
    "nodes": lambda obj: _default(obj, spec={}, status={}),
    "persistentvolumeclaims": lambda obj: _default(obj.setdefault("spec", {}), volumeMode="Filesystem"),
    "persistentvolumes": _volume,
    "pods": _pod,
    "replicasets": _replica_set,
    "replicationcontrollers": _replication_controller,
    "rolebindings": _role_binding,
    "secrets": lambda obj: _default(obj, type="Opaque"),
    "services": _service,
    "statefulsets": _stateful_set,
}
