"""Label and field selectors: parsed once, then asked of each object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.resources import Resource


@dataclass(frozen=True)
class Requirement:
    """One term of a label selector; `operator` as in metav1.LabelSelectorRequirement, and Gt and Lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels satisfy it. A label that is absent satisfies NotIn, as in Kubernetes."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        try:
            number, limit = int(value or ""), int(next(iter(self.values)))
        except ValueError:
            return False
        return number > limit if self.operator == "Gt" else number < limit


@dataclass(frozen=True)
class LabelSelector:
    """A conjunction of requirements; empty, it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Tell whether labels satisfy every requirement."""
        labels = labels or {}
        for requirement in self.requirements:  # noqa: SIM110 -- a generator would be half of what it costs
            if not requirement.matches(labels):
                return False
        return True


def parse_labels(text: str) -> LabelSelector:
    """Parse `app=web,tier in (a,b),!old`; raises StatusError 400 for what is no selector."""
    from kubetour.embedded import labelselector  # here, as the validation that it needs selects, too

    return LabelSelector(
        tuple(Requirement(term.key, term.operator, term.values) for term in labelselector.parse(text))
    )


def from_label_selector(selector: Object | None) -> LabelSelector:
    """Read a metav1.LabelSelector (matchLabels, matchExpressions)."""
    selector = selector or {}
    equal = [Requirement(k, "In", frozenset([v])) for k, v in (selector.get("matchLabels") or {}).items()]
    expressions = [
        Requirement(term["key"], term["operator"], frozenset(term.get("values") or ()))
        for term in selector.get("matchExpressions") or []
    ]
    return LabelSelector((*equal, *expressions))


def format_label_selector(selector: Object | None) -> str:
    """Write a metav1.LabelSelector as text, sorted by key as Kubernetes does; "<none>" for an empty one."""
    selector = selector or {}
    terms = {key: f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()}
    for term in selector.get("matchExpressions") or []:
        values = ",".join(sorted(term.get("values") or ()))
        text = {
            "In": f"{term['key']} in ({values})",
            "NotIn": f"{term['key']} notin ({values})",
            "Exists": term["key"],
            "DoesNotExist": f"!{term['key']}",
        }
        terms[f"{term['key']} {term['operator']}"] = text.get(term["operator"], "")
    return ",".join(terms[key] for key in sorted(terms)) or "<none>"


# Besides metadata.name and metadata.namespace, which every resource has. Values: the path, where it differs.
_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "replicasets": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
    "jobs": ("status.successful",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
}
# Fields that are called otherwise in the object, and what one is that is not there, if not "".
_WHERE = {"status.podIPs": "status.podIP", "status.successful": "status.succeeded"}
_ABSENT = {"spec.hostNetwork": "false", "spec.unschedulable": "false", "status.successful": "0"}


@dataclass(frozen=True)
class FieldSelector:
    """A conjunction of (path, equal?, value)."""

    terms: tuple[tuple[str, bool, str], ...] = ()

    def matches(self, obj: Object) -> bool:
        """Tell whether the object's fields satisfy every term; an absent field is ""."""
        return all((_field(obj, path) == value) is equal for path, equal, value in self.terms)


def parse_fields(resource: Resource, text: str) -> FieldSelector:
    """Parse `status.phase=Running,metadata.name!=web`; 400 for a field that cannot be selected by."""
    terms = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        path, sign, value = re.match(r"([^!=]*)(==|!=|=)?(.*)", term, re.DOTALL).groups()  # type: ignore[union-attr]
        if not sign:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        if path not in ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.plural, ())):
            raise bad_request(f"field label not supported: {path}")
        terms.append((path, sign != "!=", value))
    return FieldSelector(tuple(terms))


def _field(obj: Object, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: Any = obj
    for part in _WHERE.get(path, path).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return _ABSENT.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def matcher(resource: Resource, labels: str, fields: str) -> Callable[[Object], bool] | None:
    """Return one predicate for both selectors, or None where they select everything."""
    if not labels and not fields:
        return None
    by_label, by_field = parse_labels(labels), parse_fields(resource, fields)
    return lambda obj: by_label.matches(obj["metadata"].get("labels")) and by_field.matches(obj)
