"""Rules of ConfigMaps, Secrets, Leases and Events."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, invalid, required, too_long

_KEY = r"[-._a-zA-Z0-9]+"
_MAX_BYTES = 1024 * 1024
_EVENT_NAMESPACES = ("", "default")


def _keys(data: dict[str, Any], field: str) -> list[FieldError]:
    errors = []
    for key in data:
        where = f"{field}[{key}]"
        if not re.fullmatch(_KEY, key):
            text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
            text += (
                f"(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
            )
            errors.append(invalid(where, key, text))
        elif key in (".", "..") or key.startswith(".."):
            errors.append(
                invalid(where, key, "must not start with '..'" if key != "." else "must not be '.'")
            )
        elif len(key) > 253:
            errors.append(too_long(where, 253))
    return errors


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
    data = obj.get("data") or {}
    errors = _keys(data, "data")
    size = 0
    for key, value in data.items():
        try:
            size += len(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            errors.append(invalid(f"data[{key}]", "<secret contents redacted>", "must be base64"))
    if size > _MAX_BYTES:
        errors.append(too_long("data", _MAX_BYTES))
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
        text = "must be greater than or equal to 0"
        errors.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], text))
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
