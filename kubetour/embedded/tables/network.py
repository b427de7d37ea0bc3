"""The tables of Services and of what stands behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.tables.column import AGE, NAME, NONE, Column, Printer, age, name, spec_status

_SHOWN = 3


def _external_ip(spec: Object, status: Object) -> str:
    external = spec.get("externalIPs") or []
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("type") == "LoadBalancer":
        ingress = (status.get("loadBalancer") or {}).get("ingress") or []
        reachable = [i.get("ip") or i.get("hostname") or "" for i in ingress]
        return ",".join([*reachable, *external]) or "<pending>"
    return ",".join(external) or NONE


def _ports(spec: Object) -> str:
    texts = []
    for port in spec.get("ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or NONE


def _service(obj: Object, now: datetime) -> list[Any]:
    spec, status = spec_status(obj)
    selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    return [
        name(obj),
        spec.get("type", ""),
        next(iter(spec.get("clusterIPs") or []), spec.get("clusterIP")) or NONE,
        _external_ip(spec, status),
        _ports(spec),
        age(obj, now),
        selector or NONE,
    ]


def _shorten(items: list[str]) -> str:
    """Return the first three and how many more there are."""
    more = f" + {len(items) - _SHOWN} more..." if len(items) > _SHOWN else ""
    return ",".join(items[:_SHOWN]) + more


def _endpoints(obj: Object, now: datetime) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or []:
        addresses = [address["ip"] for address in subset.get("addresses") or []]
        ports = [port["port"] for port in subset.get("ports") or []]
        # Without ports an address alone is an endpoint, of a headless Service.
        found += [f"{ip}:{port}" for port in ports for ip in addresses] if ports else addresses
    return [name(obj), _shorten(found) or NONE, age(obj, now)]


def _endpoint_slice(obj: Object, now: datetime) -> list[Any]:
    ports = [str(port.get("port", "*")) for port in obj.get("ports") or []]
    addresses = [address for endpoint in obj.get("endpoints") or [] for address in endpoint["addresses"]]
    return [
        name(obj),
        obj.get("addressType", ""),
        _shorten(ports) or "<unset>",
        _shorten(addresses) or "<unset>",
        age(obj, now),
    ]


PRINTERS = {
    "services": Printer(
        (
            NAME,
            Column("Type", "V1ServiceSpec.type"),
            Column("Cluster-IP", "V1ServiceSpec.clusterIP"),
            Column("External-IP", "V1ServiceSpec.externalIPs"),
            Column("Port(s)", "V1ServiceSpec.ports"),
            AGE,
            Column("Selector", "V1ServiceSpec.selector", priority=1),
        ),
        _service,
    ),
    "endpoints": Printer((NAME, Column("Endpoints", "V1Endpoints.subsets"), AGE), _endpoints),
    "endpointslices": Printer(
        (
            NAME,
            Column("AddressType", "V1EndpointSlice.addressType"),
            Column("Ports", "V1EndpointSlice.ports"),
            Column("Endpoints", "V1EndpointSlice.endpoints"),
            AGE,
        ),
        _endpoint_slice,
    ),
}
