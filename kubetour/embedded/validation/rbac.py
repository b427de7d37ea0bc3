"""Rules of Roles and of what binds them to people."""

from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, invalid, required, unsupported
from kubetour.embedded.validation.metadata import dns1123_subdomain, path_segment

_GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def validate_role(role: Object) -> list[FieldError]:
    """Return what is wrong with a Role or a ClusterRole."""
    namespaced = "namespace" in role["metadata"]
    errors: list[FieldError] = []
    for index, rule in enumerate(role.get("rules") or []):
        where, urls = f"rules[{index}]", rule.get("nonResourceURLs")
        if not rule.get("verbs"):
            errors.append(required(f"{where}.verbs", "verbs must contain at least one value"))
        if urls:
            if namespaced:
                text = "namespaced rules cannot apply to non-resource URLs"
                errors.append(invalid(f"{where}.nonResourceURLs", urls, text))
            if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
                text = "rules cannot apply to both regular resources and non-resource URLs"
                errors.append(invalid(f"{where}.nonResourceURLs", urls, text))
            continue
        if not rule.get("apiGroups"):
            errors.append(required(f"{where}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            errors.append(required(f"{where}.resources", "resource rules must supply at least one resource"))
    return errors


def validate_binding(binding: Object) -> list[FieldError]:
    """Return what is wrong with a RoleBinding or a ClusterRoleBinding."""
    namespaced = "namespace" in binding["metadata"]
    kinds = ("ClusterRole", "Role") if namespaced else ("ClusterRole",)
    role = binding.get("roleRef") or {}
    errors = _one_of(role, "apiGroup", (_GROUP,), "roleRef") + _one_of(role, "kind", kinds, "roleRef")
    name = role.get("name", "")
    errors += [invalid("roleRef.name", name, text) for text in path_segment(name)]
    if not name:
        errors.append(required("roleRef.name"))
    for index, subject in enumerate(binding.get("subjects") or []):
        errors += _subject(subject, f"subjects[{index}]", namespaced=namespaced)
    return errors


def _subject(subject: Object, field: str, *, namespaced: bool) -> list[FieldError]:
    name, kind = subject.get("name", ""), subject.get("kind", "")
    errors = [] if name else [required(f"{field}.name")]
    if kind in ("User", "Group"):
        return errors + _one_of(subject, "apiGroup", (_GROUP,), field)
    if kind != "ServiceAccount":
        return errors + _one_of(subject, "kind", _SUBJECTS, field)
    errors += [invalid(f"{field}.name", name, text) for text in dns1123_subdomain(name) if name]
    errors += _one_of(subject, "apiGroup", ("",), field)
    if not namespaced and not subject.get("namespace"):
        errors.append(required(f"{field}.namespace"))
    return errors


def _one_of(obj: Object, key: str, allowed: tuple[str, ...], field: str) -> list[FieldError]:
    value = obj.get(key, "")
    return [] if value in allowed else [unsupported(f"{field}.{key}", value, allowed)]


def validate_binding_update(new: Object, old: Object) -> list[FieldError]:
    """A binding leads to the same role for ever."""
    role, before = new.get("roleRef") or {}, old.get("roleRef") or {}
    if role == before:
        return []
    # As Kubernetes prints it: its internal types have no names for JSON.
    shown = {"APIGroup": role.get("apiGroup", ""), "Kind": role.get("kind", ""), "Name": role.get("name", "")}
    return [invalid("roleRef", shown, "cannot change roleRef")]
