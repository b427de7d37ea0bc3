"""Warnings: what the API server takes and still finds odd (k8s.io/kubernetes/pkg/api/*/warnings.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubetour.embedded import quantity
from kubetour.embedded.api import Object
from kubetour.embedded.resources import Resource
from kubetour.embedded.validation.metadata import dns1123_label

_HOSTNAME = (
    "metadata.name: this is used in {}, which can result in surprising behavior; "
    "a DNS label is recommended: {}"
)
# Since when a label is deprecated, and by which it was replaced.
_DEPRECATED_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
}
_BYTES = ("memory", "ephemeral-storage")


def advice(resource: Resource, new: Object, generation: int | None = None) -> list[str]:
    """Return what is odd about an object that was created, or updated and had that generation before."""
    rule = _RULES.get(resource.plural)
    if rule is None or (generation is not None and generation == new["metadata"].get("generation")):
        return []
    return [*(_name(resource, new) if generation is None else ()), *rule(new)]


def generation_of(obj: Object) -> int:
    """Return how often what is wanted of an object has changed; 0 for a kind that does not count."""
    return int(obj["metadata"].get("generation", 0))


def _name(resource: Resource, obj: Object) -> Iterator[str]:
    """A name with dots is one that a host cannot have; a Job's Pods tell theirs to each other."""
    where = _NAMED.get(resource.plural)
    problems = dns1123_label(obj["metadata"].get("name", "")) if where else []
    if problems:
        yield _HOSTNAME.format(where, f"[{' '.join(problems)}]")


def _template(obj: Object) -> Iterator[str]:
    return _pod_spec(((obj.get("spec") or {}).get("template") or {}).get("spec") or {}, "spec.template.spec")


def _pod_spec(spec: Object, field: str) -> Iterator[str]:
    for label in spec.get("nodeSelector") or {}:
        if label in _DEPRECATED_LABELS:
            version, instead = _DEPRECATED_LABELS[label]
            yield f'{field}.nodeSelector[{label}]: deprecated since {version}; use "{instead}" instead'
    containers = [
        (f"{field}.{kind}[{index}]", container)
        for kind in ("initContainers", "containers")
        for index, container in enumerate(spec.get(kind) or [])
    ]
    for where, container in containers:
        yield from _amounts(container.get("resources") or {}, f"{where}.resources")
        yield from _hidden(container.get("env") or [], f"{where}.env")
    yield from _ports(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{field}.terminationGracePeriodSeconds: {text}"


def _amounts(resources: Object, field: str) -> Iterator[str]:
    """`memory: 100m` is a tenth of a byte: a megabyte was meant."""
    for name in _BYTES:
        for part in ("limits", "requests"):
            value = (resources.get(part) or {}).get(name)
            if value is not None and quantity.parse(value).denominator != 1:
                text = f'fractional byte value "{value}" is invalid, must be an integer'
                yield f"{field}.{part}[{name}]: {text}"


def _hidden(variables: list[Object], field: str) -> Iterator[str]:
    seen = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value", "")
        before = f"$({name})"
        if name in seen and ("valueFrom" in variable or value == before or before not in value):
            text = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{field}[{index}]: {text}"
        seen.add(name)


def _ports(containers: list[tuple[str, Object]]) -> Iterator[str]:
    seen: list[tuple[str, Object]] = []
    keys = ("containerPort", "protocol", "hostIP", "hostPort")
    for where, container in containers:
        for index, port in enumerate(container.get("ports") or []):
            place = f"{where}.ports[{index}]"
            for other, earlier in seen:
                if all(port.get(key) == earlier.get(key) for key in keys):
                    yield f"{place}: duplicate port definition with {other}"
            seen.append((place, port))


def _service(service: Object) -> Iterator[str]:
    spec = service.get("spec") or {}
    kind = spec.get("type")
    if kind == "ClusterIP" and spec.get("clusterIP") == "None":
        for key in ("loadBalancerIP", "externalIPs"):
            if spec.get(key):
                yield f"spec.{key} is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    elif spec.get("externalIPs") and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if kind == "ExternalName" and spec.get("externalIPs"):
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


_RULES: dict[str, Callable[[Object], Iterator[str]]] = {
    "daemonsets": _template,
    "deployments": _template,
    "jobs": _template,
    "pods": lambda pod: _pod_spec(pod.get("spec") or {}, "spec"),
    "replicasets": _template,
    "services": _service,
    "statefulsets": _template,
}
_NAMED = {
    "deployments": "Pod names and hostnames",
    "jobs": "Pod names and hostnames",
    "pods": "the Pod's hostname",
    "replicasets": "Pod names and hostnames",
}
