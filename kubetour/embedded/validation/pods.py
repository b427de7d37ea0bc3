"""Rules of Pods and of Pod templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import (
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_found,
    required,
    unsupported,
)
from kubetour.embedded.validation.containers import validate_containers
from kubetour.embedded.validation.metadata import dns1123_label, dns1123_subdomain, validate_labels

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SOURCES = re.compile(r"^(?!name$)")


def validate_pod(pod: Object) -> list[FieldError]:
    """Return what is wrong with a Pod."""
    return validate_pod_spec(pod.get("spec") or {}, "spec")


def validate_pod_spec(spec: Object, field: str) -> list[FieldError]:
    """Return what is wrong with the spec of a Pod or of a template."""
    volumes, errors = _volumes(spec.get("volumes") or [], f"{field}.volumes")
    errors += validate_containers(spec, volumes, field)
    errors += _one_of(spec, "restartPolicy", _RESTART_POLICIES, field)
    errors += _one_of(spec, "dnsPolicy", _DNS_POLICIES, field)
    for key in ("terminationGracePeriodSeconds", "activeDeadlineSeconds"):
        least = 1 if key == "activeDeadlineSeconds" else 0
        value = spec.get(key)
        if value is not None and value < least:
            text = (
                "must be greater than or equal to 0"
                if least == 0
                else "must be between 1 and 2147483647, inclusive"
            )
            errors.append(invalid(f"{field}.{key}", value, text))
    for key in ("nodeName", "serviceAccountName", "hostname", "subdomain"):
        rule = dns1123_label if key in ("hostname", "subdomain") else dns1123_subdomain
        if spec.get(key):
            errors += [invalid(f"{field}.{key}", spec[key], problem) for problem in rule(spec[key])]
    errors += validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    errors += _tolerations(spec.get("tolerations") or [], f"{field}.tolerations")
    return errors


def _one_of(obj: Object, key: str, allowed: Sequence[str], field: str) -> list[FieldError]:
    value = obj.get(key)
    if not value:
        return [required(f"{field}.{key}")]
    return [] if value in allowed else [unsupported(f"{field}.{key}", value, allowed)]


def _volumes(volumes: list[Object], field: str) -> tuple[set[str], list[FieldError]]:
    """Return the volumes' names and what is wrong with them."""
    names: set[str] = set()
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        where, name = f"{field}[{index}]", volume.get("name", "")
        sources = sorted(key for key in volume if _SOURCES.match(key))
        errors += [
            forbidden(f"{where}.{extra}", "may not specify more than 1 volume type") for extra in sources[1:]
        ]
        errors += _volume_source(volume, where)
        if not name:
            errors.append(required(f"{where}.name"))
        else:
            errors += [invalid(f"{where}.name", name, problem) for problem in dns1123_label(name)]
        if name in names:
            errors.append(duplicate(f"{where}.name", name))
        names.add(name)
    return names, errors


def _volume_source(volume: Object, field: str) -> list[FieldError]:
    needs = (("secret", "secretName"), ("configMap", "name"), ("hostPath", "path"))
    return [
        required(f"{field}.{source}.{key}")
        for source, key in needs
        if source in volume and not volume[source].get(key)
    ]


def _tolerations(tolerations: list[Object], field: str) -> list[FieldError]:
    errors = []
    for index, toleration in enumerate(tolerations):
        where = f"{field}[{index}]"
        operator: Any = toleration.get("operator", "")
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
            errors.append(invalid(f"{where}.operator", toleration, text))
        if toleration.get("effect") and toleration["effect"] not in _EFFECTS:
            errors.append(unsupported(f"{where}.effect", toleration["effect"], _EFFECTS))
    return errors


def missing_reference(field: str, name: str) -> FieldError:
    """A name that refers to nothing in the same object."""
    return not_found(field, name)
