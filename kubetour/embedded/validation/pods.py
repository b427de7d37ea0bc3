"""Rules of Pods and of Pod templates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    required,
    unsupported,
)
from kubetour.embedded.validation.containers import validate_containers
from kubetour.embedded.validation.metadata import (
    NOT_AN_IP,
    dns1123_label,
    dns1123_subdomain,
    is_ip,
    qualified_name,
    validate_labels,
)
from kubetour.embedded.validation.scheduling import validate_scheduling
from kubetour.embedded.validation.security import validate_pod_security
from kubetour.embedded.validation.volumes import validate_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_COST = "controller.kubernetes.io/pod-deletion-cost"
_INTEGER = re.compile(r"0|[1-9][0-9]{0,9}|-[0-9]{1,10}")
_MOST_SERVERS = 3
_RARE = frozenset(("affinity", "topologySpreadConstraints", "readinessGates", "schedulingGates"))


def validate_pod(pod: Object) -> list[FieldError]:
    """Return what is wrong with a Pod."""
    spec = pod.get("spec") or {}
    errors = validate_pod_annotations(pod["metadata"].get("annotations"), "metadata.annotations")
    errors += validate_pod_spec(spec, "spec")
    if spec.get("ephemeralContainers"):
        errors.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        text = "cannot be set until all schedulingGates have been cleared"
        errors.append(forbidden("spec.nodeName", text))
    for key in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(key) or []):
            image = container.get("image", "")
            if image.strip() != image:  # in a template a blank is let through
                text = "must not have leading or trailing whitespace"
                errors.append(invalid(f"spec.{key}[{index}].image", image, text))
    return errors


def validate_pod_annotations(annotations: Object | None, field: str) -> list[FieldError]:
    """Return what is wrong with annotations that mean something: what deleting a Pod costs."""
    cost = (annotations or {}).get(_COST)
    if cost is None or (_INTEGER.fullmatch(cost) and -(2**31) <= int(cost) < 2**31):
        return []
    return [invalid(f"{field}[{_COST}]", cost, "must be a 32bit integer")]


def validate_pod_spec(spec: Object, field: str) -> list[FieldError]:
    """Return what is wrong with the spec of a Pod or of a template."""
    volumes, errors = validate_volumes(spec.get("volumes") or [], f"{field}.volumes")
    errors += validate_containers(spec, volumes, field)
    errors += _one_of(spec, "restartPolicy", _RESTART_POLICIES, field)
    errors += _one_of(spec, "dnsPolicy", _DNS_POLICIES, field)
    errors += validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    if spec.get("securityContext"):
        errors += validate_pod_security(spec["securityContext"], f"{field}.securityContext")
    if not _RARE.isdisjoint(spec):  # most Pods have none of them
        errors += validate_scheduling(spec, field)
        errors += _gates(spec, field)
    if "dnsConfig" in spec or spec.get("dnsPolicy") == "None":
        errors += _dns(spec, f"{field}.dnsConfig")
    for key in ("serviceAccountName", "nodeName"):
        errors += [
            invalid(f"{field}.{key}", spec[key], text) for text in dns1123_subdomain(spec.get(key) or "a")
        ]
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 0 < seconds < 2**31:
        text = "must be between 1 and 2147483647, inclusive"
        errors.append(invalid(f"{field}.activeDeadlineSeconds", seconds, text))
    for key in ("hostname", "subdomain"):
        errors += [invalid(f"{field}.{key}", spec[key], text) for text in dns1123_label(spec.get(key) or "a")]
    errors += _tolerations(spec.get("tolerations") or [], f"{field}.tolerations")
    for index, alias in enumerate(spec.get("hostAliases") or []):
        where = f"{field}.hostAliases[{index}]"
        if not is_ip(alias.get("ip", "")):
            errors.append(invalid(f"{where}.ip", alias.get("ip", ""), NOT_AN_IP))
        for name in alias.get("hostnames") or []:
            errors += [invalid(f"{where}.hostnames", name, text) for text in dns1123_subdomain(name)]
    return errors


def _one_of(obj: Object, key: str, allowed: Sequence[str], field: str) -> list[FieldError]:
    value = obj.get(key)
    if not value:
        return [required(f"{field}.{key}")]
    return [] if value in allowed else [unsupported(f"{field}.{key}", value, allowed)]


def _gates(spec: Object, field: str) -> list[FieldError]:
    errors, seen = [], set()
    for index, gate in enumerate(spec.get("readinessGates") or []):
        kind, where = gate.get("conditionType", ""), f"{field}.readinessGates[{index}].conditionType"
        errors += [invalid(where, kind, text) for text in qualified_name(kind)]
    for index, gate in enumerate(spec.get("schedulingGates") or []):
        name, where = gate.get("name", ""), f"{field}.schedulingGates[{index}]"
        errors += [invalid(where, name, text) for text in qualified_name(name)]
        if name in seen:
            errors.append(duplicate(where, name))
        seen.add(name)
    return errors


def _dns(spec: Object, field: str) -> list[FieldError]:
    config, errors = spec.get("dnsConfig"), []
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None":
        if config is None:
            errors.append(required(field, "must provide `dnsConfig` when `dnsPolicy` is None"))
        elif not servers:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.append(required(f"{field}.nameservers", text))
    if len(servers) > _MOST_SERVERS:
        text = f"must not have more than {_MOST_SERVERS} nameservers"
        errors.append(invalid(f"{field}.nameservers", servers, text))
    return errors + [
        invalid(f"{field}.nameservers[{index}]", server, NOT_AN_IP)
        for index, server in enumerate(servers)
        if not is_ip(server)
    ]


def _tolerations(tolerations: list[Object], field: str) -> list[FieldError]:
    errors = []
    for index, toleration in enumerate(tolerations):
        where = f"{field}[{index}]"
        operator = toleration.get("operator", "")
        errors += [
            invalid(f"{where}.key", toleration["key"], text)
            for text in qualified_name(toleration.get("key") or "a")
        ]
        if not toleration.get("key") and operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.append(invalid(f"{where}.operator", operator, text))
        if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(invalid(f"{where}.effect", toleration.get("effect", ""), text))
        if operator not in ("", "Equal", "Exists"):
            errors.append(unsupported(f"{where}.operator", operator, ("Equal", "Exists")))
        if operator == "Exists" and toleration.get("value"):
            text = "value must be empty when `operator` is 'Exists'"
            errors.append(invalid(f"{where}.operator", _toleration(toleration), text))
        if toleration.get("effect") and toleration["effect"] not in _EFFECTS:
            errors.append(unsupported(f"{where}.effect", toleration["effect"], _EFFECTS))
    return errors


def _toleration(toleration: Object) -> Object:
    """Return it as Kubernetes prints it: its internal types have no names for JSON."""
    shown = {name: toleration.get(name.lower(), "") for name in ("Key", "Operator", "Value", "Effect")}
    return {**shown, "TolerationSeconds": toleration.get("tolerationSeconds")}
