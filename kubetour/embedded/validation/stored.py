"""Rules of kinds that are stored, and that nothing here acts on: what people get wrong in them."""

from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, invalid, required, unsupported
from kubetour.embedded.validation.metadata import dns1123_subdomain

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def validate_claim(obj: Object, field: str = "spec") -> list[FieldError]:
    """Return what is wrong with a PersistentVolumeClaim, or with what one is made from."""
    spec = obj.get("spec") or {}
    errors = [] if spec.get("accessModes") else [_at_least_one(field)]
    errors += _unknown_modes(spec, field)
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        errors.append(required(f"{field}.resources[storage]"))
    return errors


def validate_claim_update(new: Object, old: Object) -> list[FieldError]:
    """Nothing of a claim changes while nothing binds it."""
    if new.get("spec") == old.get("spec"):
        return []
    text = "spec is immutable after creation except resources.requests and volumeAttributesClassName"
    return [forbidden("spec", f"{text} for bound claims")]


def validate_volume(obj: Object) -> list[FieldError]:
    """Return what is wrong with a PersistentVolume."""
    spec = obj.get("spec") or {}
    errors = [] if spec.get("accessModes") else [required("spec.accessModes")]
    errors += _unknown_modes(spec)
    if not spec.get("capacity"):
        errors.append(required("spec.capacity"))
    elif "storage" not in spec["capacity"]:
        errors.append(unsupported("spec.capacity", sorted(spec["capacity"]), ("storage",)))
    return errors


def _at_least_one(field: str) -> FieldError:
    return required(f"{field}.accessModes", "at least 1 access mode is required")


def _unknown_modes(spec: Object, field: str = "spec") -> list[FieldError]:
    modes = spec.get("accessModes") or []
    return [unsupported(f"{field}.accessModes", mode, _MODES) for mode in modes if mode not in _MODES]


def validate_ingress(obj: Object) -> list[FieldError]:
    """Return what is wrong with an Ingress."""
    spec, errors = obj.get("spec") or {}, []
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        errors.append(invalid("spec", [], "either `defaultBackend` or `rules` must be specified"))
    for index, rule in enumerate(rules):
        host, where = rule.get("host", ""), f"spec.rules[{index}]"
        plain = host.removeprefix("*.")
        errors += [invalid(f"{where}.host", host, text) for text in dns1123_subdomain(plain) if host]
        http = rule.get("http")
        if http is not None and not http.get("paths"):
            errors.append(required(f"{where}.http.paths"))
        for number, path in enumerate((http or {}).get("paths") or []):
            errors += _path(path, f"{where}.http.paths[{number}]")
    return errors + (_backend(backend, "spec.defaultBackend") if backend is not None else [])


def _path(path: Object, field: str) -> list[FieldError]:
    text, kind, errors = path.get("path", ""), path.get("pathType"), []
    if not kind:
        errors.append(required(f"{field}.pathType", "pathType must be specified"))
    elif kind not in _PATH_TYPES:
        errors.append(unsupported(f"{field}.pathType", kind, _PATH_TYPES))
    elif not text.startswith("/") and (text or kind != "ImplementationSpecific"):
        errors.append(invalid(f"{field}.path", text, "must be an absolute path"))
    return errors + _backend(path.get("backend") or {}, f"{field}.backend")


def _backend(backend: Object, field: str) -> list[FieldError]:
    service = backend.get("service")
    if service is None:
        return [] if backend.get("resource") else [required(field, "resource or service backend is required")]
    port = service.get("port") or {}
    errors = [] if service.get("name") else [required(f"{field}.service.name")]
    if not port.get("name") and not port.get("number"):
        errors.append(required(f"{field}.service.port", "port name or number is required"))
    elif port.get("number") and not 0 < port["number"] < 65536:
        text = "must be between 1 and 65535, inclusive"
        errors.append(invalid(f"{field}.service.port.number", port["number"], text))
    return errors


def validate_replication_controller(obj: Object) -> list[FieldError]:
    """Return what is wrong with a ReplicationController, but for its template."""
    spec = obj.get("spec") or {}
    selector, labels = (
        spec.get("selector") or {},
        (spec["template"].get("metadata") or {}).get("labels") or {},
    )
    if not selector:
        return [required("spec.selector")]
    if selector.items() <= labels.items():
        return []
    text = "`selector` does not match template `labels`"
    return [invalid("spec.template.metadata.labels", dict(sorted(labels.items())) or None, text)]
