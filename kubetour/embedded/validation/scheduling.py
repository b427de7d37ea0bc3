"""Rules of where a Pod may run: its affinity, and how Pods are spread."""

from __future__ import annotations

from collections.abc import Iterator

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, duplicate, forbidden, invalid, required, unsupported
from kubetour.embedded.validation.metadata import label_value, qualified_name
from kubetour.embedded.validation.selector import validate_selector

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_CONSTRAINTS = "topologySpreadConstraints"
_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")
_EMPTY = "can not be empty"
_POSITIVE = "must be greater than zero"


def validate_scheduling(spec: Object, field: str) -> list[FieldError]:
    """Return what is wrong with the affinity and the topology spread constraints of a Pod's spec."""
    return list(_scheduling(spec, field))


def _scheduling(spec: Object, field: str) -> Iterator[FieldError]:
    affinity, where = spec.get("affinity") or {}, f"{field}.affinity"
    yield from _node_affinity(affinity.get("nodeAffinity") or {}, f"{where}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        of_pods = affinity.get(kind) or {}
        for index, term in enumerate(of_pods.get(_REQUIRED) or []):
            yield from _pod_term(term, f"{where}.{kind}.{_REQUIRED}[{index}]")
        for index, term in enumerate(of_pods.get(_PREFERRED) or []):
            at = f"{where}.{kind}.{_PREFERRED}[{index}]"
            yield from _weight(term, at)
            yield from _pod_term(term.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")
    yield from _spread(spec.get(_CONSTRAINTS) or [], f"{field}.{_CONSTRAINTS}")


def _node_affinity(affinity: Object, field: str) -> Iterator[FieldError]:
    needed = affinity.get(_REQUIRED)
    if needed is not None:
        where = f"{field}.{_REQUIRED}.nodeSelectorTerms"
        if not needed.get("nodeSelectorTerms"):
            yield required(where, "must have at least one node selector term")
        for index, term in enumerate(needed.get("nodeSelectorTerms") or []):
            yield from _node_term(term, f"{where}[{index}]")
    for index, term in enumerate(affinity.get(_PREFERRED) or []):
        where = f"{field}.{_PREFERRED}[{index}]"
        yield from _weight(term, where)
        yield from _node_term(term.get("preference") or {}, f"{where}.preference")


def _weight(term: Object, field: str) -> Iterator[FieldError]:
    weight = term.get("weight", 0)
    if not 0 < weight <= 100:
        yield invalid(f"{field}.weight", weight, "must be in the range 1-100")


def _node_term(term: Object, field: str) -> Iterator[FieldError]:
    for index, requirement in enumerate(term.get("matchExpressions") or []):
        where = f"{field}.matchExpressions[{index}]"
        operator, values, key = (requirement.get(part) for part in ("operator", "values", "key"))
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(f"{where}.values", text)
        elif operator in ("Gt", "Lt"):
            if len(values or []) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield required(f"{where}.values", text)
        else:
            yield invalid(f"{where}.operator", operator or "", "not a valid selector operator")
        yield from (invalid(f"{where}.key", key or "", text) for text in qualified_name(key or ""))
        for number, value in enumerate(values or []):
            yield from (invalid(f"{where}.values[{number}]", value, text) for text in label_value(value))


def _pod_term(term: Object, field: str) -> Iterator[FieldError]:
    yield from validate_selector(term.get("labelSelector"), f"{field}.labelSelector")
    key, where = term.get("topologyKey", ""), f"{field}.topologyKey"
    if not key:
        yield required(where, _EMPTY)
    yield from (invalid(where, key, text) for text in qualified_name(key))


def _spread(constraints: list[Object], field: str) -> Iterator[FieldError]:
    seen = set()
    for index, constraint in enumerate(constraints):
        where, skew = f"{field}[{index}]", constraint.get("maxSkew", 0)
        key, action = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        if skew <= 0:
            yield invalid(f"{where}.maxSkew", skew, _POSITIVE)
        if not key:
            yield required(f"{where}.topologyKey", _EMPTY)
        else:
            yield from (invalid(f"{where}.topologyKey", key, text) for text in qualified_name(key))
        if action not in _ACTIONS:
            yield unsupported(f"{where}.whenUnsatisfiable", action, _ACTIONS)
        if (key, action) in seen:
            yield duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        seen.add((key, action))
        domains = constraint.get("minDomains")
        if domains is not None and domains <= 0:
            yield invalid(f"{where}.minDomains", domains, _POSITIVE)
        if domains is not None and action != "DoNotSchedule":
            text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{where}.minDomains", domains, text)
        for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(policy) not in (None, *_POLICIES):
                yield unsupported(f"{where}.{policy}", constraint[policy], _POLICIES)
        yield from validate_selector(constraint.get("labelSelector"), f"{where}.labelSelector")
