"""Rules of Nodes: their taints, and what is settled once; of Namespaces: the levels they ask for."""

from __future__ import annotations

import re

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, duplicate, forbidden, invalid, required, unsupported
from kubetour.embedded.podsecurity_admission import PREFIX
from kubetour.embedded.validation.metadata import label_value, qualified_name

_MODES = ("enforce", "audit", "warn")
_LEVEL, _NO_LEVEL = (
    re.compile("privileged|baseline|restricted"),
    "must be one of privileged, baseline, restricted",
)
_VERSION, _NO_VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)"), 'must be "latest" or "v1.x"'
_EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


def validate_node(node: Object) -> list[FieldError]:
    """Return what is wrong with a Node's taints."""
    taints = (node.get("spec") or {}).get("taints") or []
    seen: set[tuple[str, str]] = set()
    errors: list[FieldError] = []
    for index, taint in enumerate(taints):
        where, key, effect = f"spec.taints[{index}]", taint.get("key", ""), taint.get("effect", "")
        errors += [invalid(f"{where}.key", key, text) for text in qualified_name(key)]
        value = taint.get("value", "")
        errors += [invalid(f"{where}.value", value, text) for text in label_value(value)]
        if not effect:
            errors.append(required(f"{where}.effect"))
        elif effect not in _EFFECTS:
            errors.append(unsupported(f"{where}.effect", effect, _EFFECTS))
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            text = "taints must be unique by key and effect pair"
            errors.append(duplicate(where, shown, text))
        seen.add((key, effect))
    return errors


def validate_namespace(namespace: Object) -> list[FieldError]:
    """Return which labels ask for a Pod Security level or version that there is not."""
    labels = namespace["metadata"].get("labels") or {}
    errors = []
    for mode in _MODES:
        for key, pattern, text in (
            (f"{PREFIX}{mode}", _LEVEL, _NO_LEVEL),
            (f"{PREFIX}{mode}-version", _VERSION, _NO_VERSION),
        ):
            if key in labels and not pattern.fullmatch(labels[key]):
                errors.append(invalid(f"metadata.labels[{key}]", labels[key], text))
    return errors


def validate_node_update(new: Object, old: Object) -> list[FieldError]:
    """Return which changes of a Node an update may not make."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    errors = []
    for field, name in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
        changed = any(spec.get(key) != before.get(key) for key in {field, name})
        if before.get(field) and changed:
            text = f'node updates may not change {name} except from "" to valid'
            errors.append(forbidden(f"spec.{field}", text))
    return errors
