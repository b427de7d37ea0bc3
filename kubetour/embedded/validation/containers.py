"""Rules of containers: names, images, ports, environment, mounts, probes, resources."""

from __future__ import annotations

import re
from typing import Any

from kubetour.embedded import quantity
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
from kubetour.embedded.validation.metadata import dns1123_label, qualified_name

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PORT_RANGE = "must be between 1 and 65535, inclusive"
_NOT_NEGATIVE = "must be greater than or equal to 0"
_PROBE_NUMBERS = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")


def validate_containers(spec: Object, volumes: set[str], field: str) -> list[FieldError]:
    """Return what is wrong with a Pod's containers, the init containers among them."""
    containers = spec.get("containers") or []
    errors = [] if containers else [required(f"{field}.containers")]
    names: set[str] = set()
    for key in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(key) or []):
            where, name = f"{field}.{key}[{index}]", container.get("name", "")
            errors += _container(container, volumes, where)
            if name in names:
                errors.append(duplicate(f"{where}.name", name))
            names.add(name)
    return errors + _host_ports(containers, field)


def _container(container: Object, volumes: set[str], field: str) -> list[FieldError]:
    name, image = container.get("name", ""), container.get("image", "")
    errors: list[FieldError] = []
    if not name:
        errors.append(required(f"{field}.name"))
    else:
        errors += [invalid(f"{field}.name", name, problem) for problem in dns1123_label(name)]
    if not image:
        errors.append(required(f"{field}.image"))
    elif image.strip() != image:
        errors.append(invalid(f"{field}.image", image, "must not have leading or trailing whitespace"))
    errors += _ports(container.get("ports") or [], f"{field}.ports")
    errors += _environment(container.get("env") or [], f"{field}.env")
    errors += _mounts(container.get("volumeMounts") or [], volumes, f"{field}.volumeMounts")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            errors += _probe(container[probe], f"{field}.{probe}", only_one=probe != "readinessProbe")
    policy = container.get("imagePullPolicy", "")
    if policy not in _PULL_POLICIES:
        errors.append(unsupported(f"{field}.imagePullPolicy", policy, _PULL_POLICIES))
    return errors + _resources(container.get("resources") or {}, f"{field}.resources")


def _ports(ports: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name, number = f"{field}[{index}]", port.get("name", ""), port.get("containerPort", 0)
        if name:
            errors += [invalid(f"{where}.name", name, problem) for problem in port_name(name)]
            if name in names:
                errors.append(duplicate(f"{where}.name", name))
            names.add(name)
        if not number:
            errors.append(required(f"{where}.containerPort"))
        elif not 0 < number < 65536:
            errors.append(invalid(f"{where}.containerPort", number, _PORT_RANGE))
        host_port = port.get("hostPort", 0)
        if host_port and not 0 < host_port < 65536:
            errors.append(invalid(f"{where}.hostPort", host_port, _PORT_RANGE))
        if port.get("protocol") not in _PROTOCOLS:
            errors.append(unsupported(f"{where}.protocol", port.get("protocol", ""), _PROTOCOLS))
    return errors


def _host_ports(containers: list[Object], field: str) -> list[FieldError]:
    """No two containers of a Pod may take the same port of the node."""
    errors, taken = [], set()
    for i, container in enumerate(containers):
        for j, port in enumerate(container.get("ports") or []):
            if port.get("hostPort"):
                key = (port.get("hostIP", ""), port["hostPort"], port.get("protocol"))
                if key in taken:
                    where = f"{field}.containers[{i}].ports[{j}].hostPort"
                    errors.append(duplicate(where, "/".join(map(str, key))))
                taken.add(key)
    return errors


def port_name(name: str) -> list[str]:
    """Return what keeps a value from being an IANA service name (RFC 6335)."""
    problems = []
    if len(name) > 15:
        problems.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def _environment(variables: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        where, name = f"{field}[{index}]", variable.get("name", "")
        if not name:
            errors.append(required(f"{where}.name"))
        elif "=" in name or not name.isprintable() or not name.isascii():
            text = "a valid environment variable name must consist only of printable ASCII characters "
            text += "other than '='"
            errors.append(invalid(f"{where}.name", name, text))
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            errors.append(invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty"))
        given = [key for key in source if source[key] is not None]
        if not given:
            errors.append(
                invalid(
                    f"{where}.valueFrom",
                    "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` "
                    "or `fileKeyRef`",
                )
            )
        elif len(given) > 1:
            text = "may not have more than one field specified at a time"
            errors.append(invalid(f"{where}.valueFrom", "", text))
    return errors


def _mounts(mounts: list[Object], volumes: set[str], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(required(f"{where}.name"))
        elif name not in volumes:
            errors.append(not_found(f"{where}.name", name))
        if not path:
            errors.append(required(f"{where}.mountPath"))
        if path in paths:
            errors.append(invalid(f"{where}.mountPath", path, "must be unique"))
        paths.add(path)
    return errors


def _probe(probe: Object, field: str, *, only_one: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    given = [handler for handler in _HANDLERS if handler in probe]
    if not given:
        errors.append(required(field, "must specify a handler type"))
    errors += [
        forbidden(f"{field}.{extra}", "may not specify more than 1 handler type") for extra in given[1:]
    ]
    for key in _PROBE_NUMBERS:
        if probe.get(key, 0) < 0:
            errors.append(invalid(f"{field}.{key}", probe[key], _NOT_NEGATIVE))
    if only_one and probe.get("successThreshold", 1) != 1:
        errors.append(invalid(f"{field}.successThreshold", probe["successThreshold"], "must be 1"))
    for handler in ("httpGet", "tcpSocket", "grpc"):
        if handler in probe:
            errors += _target_port(probe[handler].get("port"), f"{field}.{handler}.port")
    scheme = (probe.get("httpGet") or {}).get("scheme", "HTTP")
    if scheme not in ("HTTP", "HTTPS"):
        errors.append(unsupported(f"{field}.httpGet.scheme", scheme, ("HTTP", "HTTPS")))
    if "exec" in probe and not probe["exec"].get("command"):
        errors.append(required(f"{field}.exec.command"))
    return errors


def _target_port(port: Any, field: str) -> list[FieldError]:
    if isinstance(port, str):
        return [invalid(field, port, problem) for problem in port_name(port)]
    return [] if port and 0 < port < 65536 else [invalid(field, port or 0, _PORT_RANGE)]


def _resources(resources: Object, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            errors += [invalid(f"{field}.{part}", name, problem) for problem in qualified_name(name)]
            if quantity.parse(value) < 0:
                errors.append(invalid(f"{field}.{part}[{name}]", value, _NOT_NEGATIVE))
    for name, value in requests.items():
        if name in limits and quantity.parse(value) > quantity.parse(limits[name]):
            text = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(invalid(f"{field}.requests", value, text))
    return errors
