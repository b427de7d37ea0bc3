"""Rules of a container's environment: variables, and where their values come from."""

from __future__ import annotations

import re

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, invalid, required, unsupported
from kubetour.embedded.validation.metadata import config_map_key, dns1123_subdomain, qualified_name

_SOURCES = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
)
_WHOLE_SOURCES = "must specify one of: `configMapRef` or `secretRef`"
_ONE_ONLY = "may not have more than one field specified at a time"
_RESOURCES = [
    f"{part}.{name}" for part in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
]
_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
# The downward API knows these, too, but not for an environment.
_OTHER_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
)
_SUBSCRIPTED = re.compile(r"(.*)\['(.*)'\]")


def validate_environment(container: Object, field: str) -> list[FieldError]:
    """Return what is wrong with `env` and `envFrom` of a container."""
    errors: list[FieldError] = []
    for index, variable in enumerate(container.get("env") or []):
        errors += _variable(variable, f"{field}.env[{index}]")
    for index, source in enumerate(container.get("envFrom") or []):
        errors += _whole(source, f"{field}.envFrom", index)
    return errors


def _name(name: str, field: str) -> list[FieldError]:
    if "=" not in name and name.isprintable() and name.isascii():
        return []
    text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return [invalid(field, name, text)]


def _variable(variable: Object, field: str) -> list[FieldError]:
    name, source, where = variable.get("name", ""), variable.get("valueFrom"), f"{field}.valueFrom"
    errors = _name(name, f"{field}.name") if name else [required(f"{field}.name")]
    if source is None:
        return errors
    if "fieldRef" in source:
        errors += _field(source["fieldRef"].get("fieldPath", ""), f"{where}.fieldRef")
    if "resourceFieldRef" in source:
        resource = source["resourceFieldRef"].get("resource", "")
        if not resource:
            errors.append(required(f"{where}.resourceFieldRef.resource"))
        elif resource not in _RESOURCES and ".hugepages-" not in resource:
            errors.append(unsupported(f"{where}.resourceFieldRef.resource", resource, _RESOURCES))
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in source:
            errors += _key(source[key], f"{where}.{key}")
    if not source:
        errors.append(invalid(where, "", _SOURCES))
    elif variable.get("value"):
        errors.append(invalid(where, "", "may not be specified when `value` is not empty"))
    elif len(source) > 1:
        errors.append(invalid(where, "", _ONE_ONLY))
    return errors


def _field(path: str, field: str) -> list[FieldError]:
    where, subscripted = f"{field}.fieldPath", _SUBSCRIPTED.fullmatch(path)
    if not path:
        return [required(where)]
    if subscripted and subscripted[1] in ("metadata.annotations", "metadata.labels"):
        return [invalid(field, subscripted[2], problem) for problem in qualified_name(subscripted[2].lower())]
    if subscripted:
        return [
            invalid(
                where, path, f"error converting fieldPath: field label does not support subscript: {path}"
            )
        ]
    if path in _FIELDS:
        return []
    if path in _OTHER_FIELDS:
        return [unsupported(where, path, _FIELDS)]
    return [invalid(where, path, f"error converting fieldPath: field label not supported: {path}")]


def _key(reference: Object, field: str) -> list[FieldError]:
    """A key of a ConfigMap or a Secret."""
    name, key = reference.get("name", ""), reference.get("key", "")
    errors = [invalid(f"{field}.name", name, problem) for problem in dns1123_subdomain(name)]
    if not key:
        return [*errors, required(f"{field}.key")]
    return errors + [invalid(f"{field}.key", key, problem) for problem in config_map_key(key)]


def _whole(source: Object, field: str, index: int) -> list[FieldError]:
    """A ConfigMap or a Secret all of whose keys become variables."""
    prefix, given = source.get("prefix", ""), [key for key in ("configMapRef", "secretRef") if key in source]
    errors = _name(prefix, f"{field}[{index}].prefix")
    for key in given:
        name, where = source[key].get("name", ""), f"{field}[{index}].{key}.name"
        errors += (
            [invalid(where, name, problem) for problem in dns1123_subdomain(name)]
            if name
            else [required(where)]
        )
    if len(given) != 1:  # Kubernetes says so of the list
        errors.append(invalid(field, "", _ONE_ONLY if given else _WHOLE_SOURCES))
    return errors
