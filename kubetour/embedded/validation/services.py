"""Rules of Services and EndpointSlices."""

from __future__ import annotations

import ipaddress

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, duplicate, forbidden, invalid, required, unsupported
from kubetour.embedded.validation.metadata import (
    dns1123_label,
    dns1123_subdomain,
    port_name,
    validate_labels,
)

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICIES = ("Cluster", "Local")
_PORT_RANGE = "must be between 1 and 65535, inclusive"
_MAX_ENDPOINTS, _MAX_PORTS = 1000, 100


def validate_service(obj: Object) -> list[FieldError]:
    """Return what is wrong with a Service."""
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type", ""), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    errors: list[FieldError] = []
    if not ports and not headless and kind != "ExternalName":
        errors.append(required("spec.ports"))
    if kind == "LoadBalancer" and headless:
        text = "may not be set to 'None' for LoadBalancer services"
        errors.append(invalid("spec.clusterIPs[0]", "None", text))
    if kind == "NodePort" and headless:
        text = "may not be set to 'None' for NodePort services"
        errors.append(invalid("spec.clusterIPs[0]", "None", text))
    if kind == "ExternalName":
        errors += _external_name(spec)
    errors += _ports(ports, several=len(ports) > 1, node_ports=kind in ("NodePort", "LoadBalancer"))
    errors += validate_labels(spec.get("selector"), "spec.selector")
    if spec.get("sessionAffinity") not in ("ClientIP", "None"):
        affinity = spec.get("sessionAffinity", "")
        errors.append(unsupported("spec.sessionAffinity", affinity, ("ClientIP", "None")))
    if kind not in _TYPES:
        errors.append(unsupported("spec.type", kind, _TYPES))
    for key in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if spec.get(key) and spec[key] not in _POLICIES:
            errors.append(unsupported(f"spec.{key}", spec[key], _POLICIES))
    if spec.get("externalTrafficPolicy") and kind not in ("NodePort", "LoadBalancer"):
        text = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], text))
    return errors


def _external_name(spec: Object) -> list[FieldError]:
    errors = []
    if spec.get("clusterIP") or spec.get("clusterIPs"):
        errors.append(forbidden("spec.clusterIPs", "may not be set for ExternalName services"))
    name = spec.get("externalName", "").removesuffix(".")
    if not name:
        errors.append(required("spec.externalName"))
    return errors + [invalid("spec.externalName", name, text) for text in dns1123_subdomain(name) if name]


def _ports(ports: list[Object], *, several: bool, node_ports: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        where, name, number = f"spec.ports[{index}]", port.get("name", ""), port.get("port", 0)
        if not name and several:
            errors.append(required(f"{where}.name"))
        elif name:
            errors += [invalid(f"{where}.name", name, problem) for problem in dns1123_label(name)]
            if name in names:
                errors.append(duplicate(f"{where}.name", name))
            names.add(name)
        if not 0 < number < 65536:
            errors.append(invalid(f"{where}.port", number, _PORT_RANGE))
        if port.get("protocol") not in _PROTOCOLS:
            errors.append(unsupported(f"{where}.protocol", port.get("protocol", ""), _PROTOCOLS))
        target = port.get("targetPort")
        if isinstance(target, str):
            errors += [invalid(f"{where}.targetPort", target, problem) for problem in port_name(target)]
        elif target is not None and not 0 < target < 65536 and 0 < number < 65536:
            errors.append(invalid(f"{where}.targetPort", target, _PORT_RANGE))
        if port.get("nodePort") and not node_ports:
            errors.append(forbidden(f"{where}.nodePort", "may not be used when `type` is 'ClusterIP'"))
        key = (port.get("protocol", ""), number)
        if key in seen:
            pair = {"protocol": key[0], "port": key[1]}
            errors.append(duplicate(where, pair))
        seen.add(key)
    return errors


def validate_service_update(new: Object, old: Object) -> list[FieldError]:
    """A Service keeps its address for as long as it needs one."""
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if "ExternalName" in (before.get("type"), after.get("type")) or not before.get("clusterIP"):
        return []
    if before["clusterIP"] == after.get("clusterIP"):
        return []
    return [invalid("spec.clusterIPs[0]", after.get("clusterIPs") or [], "may not change once set")]


def validate_endpoint_slice(obj: Object) -> list[FieldError]:
    """Return what is wrong with an EndpointSlice."""
    kind, endpoints, ports = obj.get("addressType", ""), obj.get("endpoints") or [], obj.get("ports") or []
    errors: list[FieldError] = []
    if not kind:
        errors.append(required("addressType"))
    elif kind not in ("FQDN", "IPv4", "IPv6"):
        errors.append(unsupported("addressType", kind, ("FQDN", "IPv4", "IPv6")))
    for field, count, limit in (
        ("endpoints", len(endpoints), _MAX_ENDPOINTS),
        ("ports", len(ports), _MAX_PORTS),
    ):
        if count > limit:
            text = f"must have at most {limit} items"
            errors.append(FieldError("FieldValueTooMany", field, None, text))
    for index, endpoint in enumerate(endpoints):
        where = f"endpoints[{index}].addresses"
        addresses = endpoint.get("addresses") or []
        if not addresses:
            errors.append(required(where, "must contain at least 1 endpoint"))
        for position, address in enumerate(addresses):
            if kind in ("IPv4", "IPv6") and not _is_ip(address, kind):
                text = f"must be a valid {kind} address"
                errors.append(invalid(f"{where}[{position}]", address, text))
    names = [port.get("name", "") for port in ports]
    errors += [
        duplicate(f"ports[{index}].name", name) for index, name in enumerate(names) if name in names[:index]
    ]
    return errors


def _is_ip(address: str, kind: str) -> bool:
    try:
        return ipaddress.ip_address(address).version == (4 if kind == "IPv4" else 6)
    except ValueError:
        return False


def validate_endpoint_slice_update(new: Object, old: Object) -> list[FieldError]:
    """An EndpointSlice's address type never changes."""
    if new.get("addressType") == old.get("addressType"):
        return []
    return [invalid("addressType", new.get("addressType"), "field is immutable")]
