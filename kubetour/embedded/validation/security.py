"""Rules of the security contexts of Pods and of containers."""

from __future__ import annotations

from collections.abc import Iterator

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, invalid, required, unsupported

_ID = "must be between 0 and 2147483647, inclusive"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def validate_pod_security(context: Object, field: str) -> list[FieldError]:
    """Return what is wrong with a Pod's security context."""
    return list(_pod(context, field))


def _pod(context: Object, field: str) -> Iterator[FieldError]:
    yield from _ids(context, ("fsGroup", "runAsUser", "runAsGroup"), field)
    for index, group in enumerate(context.get("supplementalGroups") or []):
        if not 0 <= group < 2**31:
            yield invalid(f"{field}.supplementalGroups[{index}]", group, _ID)
    yield from _seccomp(context, field)


def validate_container_security(context: Object, field: str) -> list[FieldError]:
    """Return what is wrong with a container's security context."""
    return list(_container(context, field))


def _container(context: Object, field: str) -> Iterator[FieldError]:
    yield from _ids(context, ("runAsUser", "runAsGroup"), field)
    yield from _seccomp(context, field)
    if context.get("allowPrivilegeEscalation") is False:
        text = "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid(field, context, f"{text} `privileged` to true")
        for capability in (context.get("capabilities") or {}).get("add") or []:
            if capability == "CAP_SYS_ADMIN":
                yield invalid(field, context, f"{text} `capabilities.Add` CAP_SYS_ADMIN")


def _ids(context: Object, keys: tuple[str, ...], field: str) -> Iterator[FieldError]:
    for key in keys:
        if context.get(key) is not None and not 0 <= context[key] < 2**31:
            yield invalid(f"{field}.{key}", context[key], _ID)


def _seccomp(context: Object, field: str) -> Iterator[FieldError]:
    profile, where = context.get("seccompProfile"), f"{field}.seccompProfile"
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    if not kind:
        yield required(f"{where}.type", "type is required when seccompProfile is set")
    elif kind not in _PROFILES:
        yield unsupported(f"{where}.type", kind, _PROFILES)
    if kind == "Localhost" and local is None:
        yield required(f"{where}.localhostProfile", "must be set when seccomp type is Localhost")
    if kind != "Localhost" and local is not None:
        text = "can only be set when seccomp type is Localhost"
        yield invalid(f"{where}.localhostProfile", profile, text)
