"""Rules of Services and EndpointSlices."""

from __future__ import annotations

import ipaddress
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, duplicate, forbidden, invalid, required, unsupported
from kubetour.embedded.validation.metadata import (
    NOT_AN_IP,
    dns1123_label,
    dns1123_subdomain,
    port_name,
    validate_labels,
)

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICIES = ("Cluster", "Local")
_PORT_RANGE = "must be between 1 and 65535, inclusive"
_BALANCER_ONLY = "may only be used when `type` is 'LoadBalancer'"
_LONGEST_AFFINITY = 86400  # seconds
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
    errors += _ports(ports)
    errors += validate_labels(spec.get("selector"), "spec.selector")
    errors += _affinity(spec) + _addresses(spec)
    if kind not in _TYPES:
        errors.append(unsupported("spec.type", kind, _TYPES))
    errors += _repeated(ports, forbidden_node_ports=kind == "ClusterIP")
    if spec.get("loadBalancerSourceRanges") and kind != "LoadBalancer":
        errors.append(forbidden("spec.LoadBalancerSourceRanges", _BALANCER_ONLY))
    if "allocateLoadBalancerNodePorts" in spec and kind != "LoadBalancer":
        errors.append(forbidden("spec.allocateLoadBalancerNodePorts", _BALANCER_ONLY))
    outside, inside = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if outside and kind not in ("NodePort", "LoadBalancer"):
        text = "may only be set for externally-accessible services"
        errors.append(invalid("spec.externalTrafficPolicy", outside, text))
    elif outside and outside not in _POLICIES:
        errors.append(unsupported("spec.externalTrafficPolicy", outside, _POLICIES))
    if spec.get("healthCheckNodePort") and (kind != "LoadBalancer" or outside != "Local"):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], text))
    if inside and inside not in _POLICIES:
        errors.append(unsupported("spec.internalTrafficPolicy", inside, _POLICIES))
    # Addresses are looked at last, where all else is right; who brings their own may have them of any family.
    own = kind == "ExternalName" or (headless and not spec.get("selector"))
    return errors or ([] if own else _families(spec))


def _families(spec: Object) -> list[FieldError]:
    """There is one family of addresses for Services."""
    errors = []
    policy = spec.get("ipFamilyPolicy")
    if policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid("spec.ipFamilyPolicy", policy, text))
    return errors + [
        invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
        for index, family in enumerate(spec.get("ipFamilies") or [])
        if family != "IPv4"
    ]


def _affinity(spec: Object) -> list[FieldError]:
    affinity = spec.get("sessionAffinity", "")
    if affinity not in ("ClientIP", "None"):
        return [unsupported("spec.sessionAffinity", affinity, ("ClientIP", "None"))]
    client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    seconds = client.get("timeoutSeconds", _LONGEST_AFFINITY)
    if 0 < seconds <= _LONGEST_AFFINITY:
        return []
    text = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
    return [invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, text)]


def _addresses(spec: Object) -> list[FieldError]:
    """What stands where addresses belong has to be one."""
    text = NOT_AN_IP
    asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "None")
    places = [("spec.clusterIPs[0]", asked)] if asked != "None" else []
    places += [
        (f"spec.externalIPs[{index}]", value) for index, value in enumerate(spec.get("externalIPs") or [])
    ]
    return [
        invalid(where, value, text)
        for where, value in places
        if not (_is_ip(value, "IPv4") or _is_ip(value, "IPv6"))
    ]


def _external_name(spec: Object) -> list[FieldError]:
    errors = []
    if spec.get("clusterIP") or spec.get("clusterIPs"):
        errors.append(forbidden("spec.clusterIPs", "may not be set for ExternalName services"))
    name = spec.get("externalName", "").removesuffix(".")
    if not name:
        errors.append(required("spec.externalName"))
    return errors + [invalid("spec.externalName", name, text) for text in dns1123_subdomain(name) if name]


def _ports(ports: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name, number = f"spec.ports[{index}]", port.get("name", ""), port.get("port", 0)
        if not name and len(ports) > 1:
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
        target = port.get("targetPort") or 0
        if isinstance(target, str):
            errors += [invalid(f"{where}.targetPort", target, problem) for problem in port_name(target)]
        elif not 0 < target < 65536:
            errors.append(invalid(f"{where}.targetPort", target, _PORT_RANGE))
    return errors


def _repeated(ports: list[Object], *, forbidden_node_ports: bool) -> list[FieldError]:
    """No two ports of a Service may be the same, nor the same port of the node."""
    errors: list[FieldError] = []
    if forbidden_node_ports:
        text = "may not be used when `type` is 'ClusterIP'"
        errors += [
            forbidden(f"spec.ports[{index}].nodePort", text)
            for index, port in enumerate(ports)
            if port.get("nodePort")
        ]
    for key in ("nodePort", "port"):
        seen = set()
        for index, port in enumerate(ports):
            pair = (port.get("protocol"), port.get(key, 0))
            if pair in seen:
                where = f"spec.ports[{index}]"
                found = (
                    duplicate(where, _port(pair))
                    if key == "port"
                    else duplicate(f"{where}.nodePort", pair[1])
                )
                errors.append(found)
            if pair[1]:
                seen.add(pair)
    return errors


def _port(pair: tuple[Any, Any]) -> Object:
    """Return a port as Kubernetes prints it: its internal types have no names for JSON."""
    named = {"Name": "", "Protocol": pair[0], "AppProtocol": None, "Port": pair[1]}
    return {**named, "TargetPort": 0, "NodePort": 0}


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
