"""Rules of containers: names, images, ports, environment, mounts, probes, resources."""

from __future__ import annotations

from kubetour.embedded import quantity
from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import (
    NOT_NEGATIVE,
    FieldError,
    duplicate,
    invalid,
    not_found,
    required,
    unsupported,
)
from kubetour.embedded.validation.environment import validate_environment
from kubetour.embedded.validation.handlers import forbid_handlers, validate_handlers
from kubetour.embedded.validation.metadata import dns1123_label, port_name, qualified_name
from kubetour.embedded.validation.security import validate_container_security

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("FallbackToLogsOnError", "File")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_NOT_STANDARD = (
    "must be a standard resource type or fully qualified",
    "must be a standard resource for containers",
)
_PORT_RANGE = "must be between 1 and 65535, inclusive"


def validate_containers(spec: Object, volumes: set[str], field: str) -> list[FieldError]:
    """Return what is wrong with a Pod's containers, the init containers among them."""
    containers = spec.get("containers") or []
    errors = [] if containers else [required(f"{field}.containers")]
    names: set[str] = set()
    for key in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(key) or []):
            where, name = f"{field}.{key}[{index}]", container.get("name", "")
            errors += _container(container, volumes, where)
            if key == "initContainers" and container.get("restartPolicy", "Always") != "Always":
                errors.append(unsupported(f"{where}.restartPolicy", container["restartPolicy"], ("Always",)))
            if name in names:
                errors.append(duplicate(f"{where}.name", name))
            if key == "initContainers" and container.get("restartPolicy") != "Always":
                errors += forbid_handlers(container, where)
            else:
                errors += validate_handlers(container, spec.get("terminationGracePeriodSeconds"), where)
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
    message = container.get("terminationMessagePolicy", "")
    if message not in _MESSAGE_POLICIES:
        errors.append(unsupported(f"{field}.terminationMessagePolicy", message, _MESSAGE_POLICIES))
    errors += _ports(container.get("ports") or [], f"{field}.ports")
    errors += validate_environment(container, field)
    errors += _mounts(container.get("volumeMounts") or [], volumes, f"{field}.volumeMounts")
    policy = container.get("imagePullPolicy", "")
    if policy not in _PULL_POLICIES:
        errors.append(unsupported(f"{field}.imagePullPolicy", policy, _PULL_POLICIES))
    errors += _resources(container.get("resources") or {}, f"{field}.resources")
    if container.get("securityContext"):
        errors += validate_container_security(container["securityContext"], f"{field}.securityContext")
    return errors


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
                key = (port.get("protocol"), port.get("hostIP", ""), port["hostPort"])
                if key in taken:
                    where = f"{field}.containers[{i}].ports[{j}].hostPort"
                    errors.append(duplicate(where, "/".join(map(str, key))))
                taken.add(key)
    return errors


def _mounts(mounts: list[Object], volumes: set[str], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(required(f"{where}.name"))
        if name not in volumes:
            errors.append(not_found(f"{where}.name", name))
        if not path:
            errors.append(required(f"{where}.mountPath"))
        if path in paths:
            errors.append(invalid(f"{where}.mountPath", path, "must be unique"))
        paths.add(path)
        for key in ("subPath", "subPathExpr"):
            errors += _descending(mount.get(key, ""), f"{field}.{key}")
        if mount.get("subPath") and mount.get("subPathExpr"):
            text = "subPathExpr and subPath are mutually exclusive"
            errors.append(invalid(f"{where}.subPathExpr", mount["subPathExpr"], text))
    return errors


def _descending(path: str, field: str) -> list[FieldError]:
    """A path may not lead out of its volume."""
    errors = [invalid(field, path, "must be a relative path")] if path.startswith("/") else []
    return errors + ([invalid(field, path, "must not contain '..'")] if ".." in path.split("/") else [])


def _resources(resources: Object, field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for part, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            where = f"{field}.{part}[{name}]"
            problems = qualified_name(name)
            if (
                not problems
                and "/" not in name
                and name not in _RESOURCES
                and not name.startswith("hugepages-")
            ):
                problems = list(_NOT_STANDARD)
            errors += [invalid(where, name, problem) for problem in problems]
            amount = quantity.parse(value)
            if amount < 0:
                errors.append(invalid(where, value, NOT_NEGATIVE))
            if "/" in name and amount.denominator != 1:
                errors.append(invalid(where, value, "must be an integer"))
            if part == "requests":
                errors += _request(name, value, limits.get(name), field)
    return errors


def _request(name: str, value: str, limit: str | None, field: str) -> list[FieldError]:
    """What is requested is within the limit; of what cannot be shared it is the limit."""
    shared = "/" not in name and not name.startswith("hugepages-")
    if limit is None:
        text = "Limit must be set for non overcommitable resources"
        return [] if shared else [required(f"{field}.limits", text)]
    asked, most = quantity.parse(value), quantity.parse(limit)
    if asked != most and not shared:
        return [invalid(f"{field}.requests", value, f"must be equal to {name} limit of {limit}")]
    if asked > most:
        text = f"must be less than or equal to {name} limit of {limit}"
        return [invalid(f"{field}.requests", value, text)]
    return []
