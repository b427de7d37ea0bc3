"""Rules of ConfigMaps, Secrets, Leases and Events."""

from __future__ import annotations

import base64
import json
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.documents import go_json_error
from kubetour.embedded.fielderrors import NOT_NEGATIVE, FieldError, forbidden, invalid, required, too_long
from kubetour.embedded.validation.metadata import config_map_key

_MAX_BYTES = 1024 * 1024
_BASIC_AUTH, _TOKEN = "kubernetes.io/basic-auth", "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"
_DOCKER_CONFIG, _DOCKER_CONFIG_JSON = ".dockercfg", ".dockerconfigjson"
# What a Secret of a type has to have.
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (_DOCKER_CONFIG,),
    "kubernetes.io/dockerconfigjson": (_DOCKER_CONFIG_JSON,),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_EVENT_NAMESPACES = ("", "default")


def _keys(data: dict[str, Any], field: str) -> list[FieldError]:
    return [invalid(f"{field}[{key}]", key, problem) for key in data for problem in config_map_key(key)]


def validate_config_map(obj: Object) -> list[FieldError]:
    """Return what is wrong with a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    errors = _keys(data, "data") + _keys(binary, "binaryData")
    errors += [
        invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        for key in data
        if key in binary
    ]
    if sum(len(value.encode()) for value in (*data.values(), *binary.values())) > _MAX_BYTES:
        errors.append(too_long("", _MAX_BYTES))
    return errors


def validate_secret(obj: Object) -> list[FieldError]:
    """Return what is wrong with a Secret."""
    data, kind = obj.get("data") or {}, obj.get("type", "")
    errors = _keys(data, "data")
    if sum(len(base64.b64decode(value)) for value in data.values()) > _MAX_BYTES:
        errors.append(too_long("data", _MAX_BYTES))
    errors += [required(f"data[{key}]") for key in _SECRET_KEYS.get(kind, ()) if key not in data]
    if kind == _BASIC_AUTH and not {"username", "password"} & set(data):
        errors += [required(f"data[{key}]") for key in ("username", "password")]
    for key in set(data) & {_DOCKER_CONFIG, _DOCKER_CONFIG_JSON} & set(_SECRET_KEYS.get(kind, ())):
        text = base64.b64decode(data[key]).decode(errors="replace")
        try:
            json.loads(text)
        except ValueError as error:
            errors.append(invalid(f"data[{key}]", "<secret contents redacted>", go_json_error(error, text)))
    annotations = obj["metadata"].get("annotations") or {}
    if kind == _TOKEN and not annotations.get(_ACCOUNT):
        errors.append(required(f"metadata.annotations[{_ACCOUNT}]"))
    return errors


def validate_immutable_data(new: Object, old: Object) -> list[FieldError]:
    """What was declared immutable stays so, with its data."""
    if not old.get("immutable"):
        return []
    errors = []
    if not new.get("immutable"):
        errors.append(forbidden("immutable", "field is immutable when `immutable` is set"))
    return errors + [
        forbidden(field, "field is immutable when `immutable` is set")
        for field in ("data", "binaryData")
        if new.get(field) != old.get(field)
    ]


def validate_secret_update(new: Object, old: Object) -> list[FieldError]:
    """A Secret's type never changes."""
    errors = validate_immutable_data(new, old)
    if new.get("type") != old.get("type"):
        errors.append(invalid("type", new.get("type"), "field is immutable"))
    return errors


def validate_lease(obj: Object) -> list[FieldError]:
    """Return what is wrong with a Lease."""
    spec = obj.get("spec") or {}
    errors = []
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        errors.append(
            invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0")
        )
    if spec.get("leaseTransitions", 0) < 0:
        errors.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], NOT_NEGATIVE))
    return errors


def validate_event(obj: Object) -> list[FieldError]:
    """Return what is wrong with an Event: it lives in the namespace of what it is about."""
    involved, space = obj.get("involvedObject"), obj["metadata"].get("namespace", "")
    if involved is None:
        return [required("involvedObject")]
    about = involved.get("namespace", "")
    if about == space or (not about and space in _EVENT_NAMESPACES):
        return []
    return [invalid("involvedObject.namespace", about, "does not match event.namespace")]
