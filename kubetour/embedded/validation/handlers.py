"""Rules of what a kubelet does to a container while it runs: probes and lifecycle hooks."""

from __future__ import annotations

from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import NOT_NEGATIVE, FieldError, forbidden, invalid, required, unsupported
from kubetour.embedded.validation.metadata import port_name

_PORT_RANGE = "must be between 1 and 65535, inclusive"
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOKS = ("postStart", "preStop")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")


def validate_handlers(container: Object, grace: int | None, field: str) -> list[FieldError]:
    """Return what is wrong with a container's hooks and probes; `grace` is its Pod's grace period."""
    errors: list[FieldError] = []
    lifecycle = container.get("lifecycle") or {}
    for name in _HOOKS:
        if name in lifecycle:
            errors += _hook(lifecycle[name], grace, f"{field}.lifecycle.{name}")
    for name in _PROBES:
        if name in container:
            errors += _probe(container[name], f"{field}.{name}", only_one=name != "readinessProbe")
    return errors


def forbid_handlers(container: Object, field: str) -> list[FieldError]:
    """Return which hooks and probes an init container has that ends before the next one starts."""
    text = "may not be set for init containers without restartPolicy=Always"
    return [forbidden(f"{field}.{key}", text) for key in ("lifecycle", *_PROBES) if container.get(key)]


def _hook(hook: Object, grace: int | None, field: str) -> list[FieldError]:
    errors = _handler(hook, _HOOK_HANDLERS, field)
    seconds = (hook.get("sleep") or {}).get("seconds", 0)
    if "sleep" in hook and grace is not None and not 0 <= seconds <= grace:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        errors.append(invalid(f"{field}.sleep", seconds, text))
    return errors


def _probe(probe: Object, field: str, *, only_one: bool) -> list[FieldError]:
    errors = _handler(probe, _PROBE_HANDLERS, field)
    for key in _PROBE_NUMBERS:
        if probe.get(key, 0) < 0:
            errors.append(invalid(f"{field}.{key}", probe[key], NOT_NEGATIVE))
    if only_one and probe.get("successThreshold", 1) != 1:
        errors.append(invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1"))
    return errors


def _handler(handler: Object, kinds: tuple[str, ...], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    given = [kind for kind in kinds if kind in handler]
    if not given:
        errors.append(required(field, "must specify a handler type"))
    errors += [
        forbidden(f"{field}.{extra}", "may not specify more than 1 handler type") for extra in given[1:]
    ]
    for kind in ("httpGet", "tcpSocket", "grpc"):
        if kind in handler:
            errors += _target_port(handler[kind].get("port"), f"{field}.{kind}.port")
    scheme = (handler.get("httpGet") or {}).get("scheme", "HTTP")
    if scheme not in ("HTTP", "HTTPS"):
        errors.append(unsupported(f"{field}.httpGet.scheme", scheme, ("HTTP", "HTTPS")))
    if "exec" in handler and not handler["exec"].get("command"):
        errors.append(required(f"{field}.exec.command"))
    return errors


def _target_port(port: Any, field: str) -> list[FieldError]:
    if isinstance(port, str):
        return [invalid(field, port, problem) for problem in port_name(port)]
    return [] if port and 0 < port < 65536 else [invalid(field, port or 0, _PORT_RANGE)]
