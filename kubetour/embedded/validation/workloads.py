"""Rules of Deployments, ReplicaSets, DaemonSets, and of what scales or protects them."""

from __future__ import annotations

import re
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import NOT_NEGATIVE, FieldError, forbidden, invalid, required, unsupported
from kubetour.embedded.selectors import from_label_selector
from kubetour.embedded.validation.metadata import validate_annotations, validate_labels
from kubetour.embedded.validation.pods import validate_pod_annotations, validate_pod_spec
from kubetour.embedded.validation.selector import validate_selector

_NOT_SUPPORTED_IN = {"deployment": "ReplicaSet", "daemonset": "DaemonSet", "statefulset": "StatefulSet"}
_PERCENT = re.compile(r"[0-9]+%")


def validate_deployment(obj: Object) -> list[FieldError]:
    """Return what is wrong with a Deployment."""
    spec = obj.get("spec") or {}
    errors = not_negative(spec, "replicas") + selected_template(spec, "deployment")
    errors += _strategy(spec.get("strategy") or {})
    errors += not_negative(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        errors.append(
            invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        )
    return errors


def validate_replica_set(obj: Object) -> list[FieldError]:
    """Return what is wrong with a ReplicaSet."""
    spec = obj.get("spec") or {}
    return not_negative(spec, "replicas", "minReadySeconds") + selected_template(spec, "deployment")


def validate_daemon_set(obj: Object) -> list[FieldError]:
    """Return what is wrong with a DaemonSet."""
    spec = obj.get("spec") or {}
    errors = selected_template(spec, "daemonset") + not_negative(
        spec, "minReadySeconds", "revisionHistoryLimit"
    )
    return errors + _daemons(spec.get("updateStrategy") or {})


def validate_autoscaler(obj: Object) -> list[FieldError]:
    """Return what is wrong with a HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    errors = []
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        errors.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if most < 1:
        errors.append(invalid("spec.maxReplicas", most, "must be greater than 0"))
    if most < least:
        text = "must be greater than or equal to `minReplicas`"
        errors.append(invalid("spec.maxReplicas", most, text))
    for key in ("kind", "name"):
        if not (spec.get("scaleTargetRef") or {}).get(key):
            errors.append(required(f"spec.scaleTargetRef.{key}"))
    return errors


def validate_disruption_budget(obj: Object) -> list[FieldError]:
    """Return what is wrong with a PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    errors = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        text = "minAvailable and maxUnavailable cannot be both set"
        # As Kubernetes prints it: its internal types have no names for JSON.
        keys = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
        errors.append(invalid("spec", {key[0].upper() + key[1:]: spec.get(key) for key in keys}, text))
    for key in ("minAvailable", "maxUnavailable"):
        errors += _amount(spec.get(key), f"spec.{key}") + _at_most_all(spec.get(key), f"spec.{key}")
    return errors + validate_selector(spec.get("selector"), "spec.selector")


def validate_selector_update(new: Object, old: Object) -> list[FieldError]:
    """A workload's selector says which Pods are its own, for ever."""
    selector = (new.get("spec") or {}).get("selector")
    if selector == (old.get("spec") or {}).get("selector"):
        return []
    return [invalid("spec.selector", selector, "field is immutable")]


def not_negative(spec: Object, *keys: str, field: str = "spec") -> list[FieldError]:
    """Return which of these numbers are below 0."""
    return [
        invalid(f"{field}.{key}", spec[key], NOT_NEGATIVE)
        for key in keys
        if spec.get(key) is not None and spec[key] < 0
    ]


def selected_template(spec: Object, kind: str) -> list[FieldError]:
    """Return what is wrong with a workload's selector, which has to match its own template, and with that."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    where = "spec.selector"
    if selector is None:
        errors = [] if kind == "daemonset" else [required(where)]
    else:
        errors = validate_selector(selector, where)
        wrong = bool(errors)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(invalid(where, selector, f"empty selector is invalid for {kind}"))
        if wrong:
            return [*errors, invalid(where, selector, "invalid label selector")]
    # No selector at all matches nothing.
    matches = selector is not None and from_label_selector(selector).matches(_labels(template))
    if not matches:
        text = "`selector` does not match template `labels`"
        errors.append(
            invalid("spec.template.metadata.labels", dict(sorted(_labels(template).items())) or None, text)
        )
    errors += _always(template)
    if "activeDeadlineSeconds" in (template.get("spec") or {}):
        text = f"activeDeadlineSeconds in {_NOT_SUPPORTED_IN[kind]} is not Supported"
        errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
    return errors


def _labels(template: Object) -> Object:
    return (template.get("metadata") or {}).get("labels") or {}


def validate_template(template: Object, field: str) -> list[FieldError]:
    """Return what is wrong with the template of a workload's Pods."""
    metadata = template.get("metadata") or {}
    errors = validate_labels(metadata.get("labels"), f"{field}.labels")
    errors += validate_annotations(metadata.get("annotations"), f"{field}.annotations")
    errors += validate_pod_annotations(metadata.get("annotations"), f"{field}.annotations")
    return errors + validate_pod_spec(template.get("spec") or {}, f"{field}.spec")


def _always(template: Object) -> list[FieldError]:
    errors = validate_template(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy != "Always":
        errors.append(unsupported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return errors


def _strategy(strategy: Object) -> list[FieldError]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    field = "spec.strategy"
    if kind == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(f"{field}.rollingUpdate", text)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [unsupported(f"{field}.type", kind, ("Recreate", "RollingUpdate"))]
    rolling, field = rolling or {}, f"{field}.rollingUpdate"
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    errors = _amount(unavailable, f"{field}.maxUnavailable") + _amount(surge, f"{field}.maxSurge")
    if _number(unavailable) == 0 and _number(surge) == 0:
        text = "may not be 0 when `maxSurge` is 0"
        errors.append(invalid(f"{field}.maxUnavailable", unavailable, text))
    return errors + _at_most_all(unavailable, f"{field}.maxUnavailable")


def _daemons(strategy: Object) -> list[FieldError]:
    """A DaemonSet's update either lacks Pods or has more than one on a node, not both."""
    kind, field = strategy.get("type", ""), "spec.updateStrategy"
    if kind not in ("RollingUpdate", "OnDelete"):
        return [unsupported(field, kind, ("RollingUpdate", "OnDelete"))]
    rolling, field = strategy.get("rollingUpdate") or {}, f"{field}.rollingUpdate"
    if kind == "OnDelete":
        return []
    both = [(rolling.get(key), f"{field}.{key}") for key in ("maxUnavailable", "maxSurge")]
    errors = [
        error for rule in (_amount, _at_most_all) for value, where in both for error in rule(value, where)
    ]
    unavailable, surge = (_number(value) for value, _ in both)
    if unavailable and surge:
        text = "may not be set when maxUnavailable is non-zero"
        errors.append(invalid(f"{field}.maxSurge", rolling["maxSurge"], text))
    if not unavailable and not surge:
        errors.append(required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return errors


def _amount(value: Any, field: str) -> list[FieldError]:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        if _PERCENT.fullmatch(value):
            return []
        text = "a valid percent string must be a numeric string followed by an ending '%' "
        text += "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        return [invalid(field, value, text)]
    return [invalid(field, value, NOT_NEGATIVE)] if value is not None and value < 0 else []


def _at_most_all(value: Any, field: str) -> list[FieldError]:
    if isinstance(value, str) and _PERCENT.fullmatch(value) and _number(value) > 100:
        return [invalid(field, value, "must not be greater than 100%")]
    return []


def _number(value: Any) -> int:
    """Return a number or a percentage's, and 0 for what is neither."""
    digits = str(value or 0).removesuffix("%")
    return int(digits[:15]) if re.fullmatch(r"-?[0-9]+", digits) else 0  # no more are needed to compare
