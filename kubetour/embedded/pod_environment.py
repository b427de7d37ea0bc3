"""A container's environment: `env`, `envFrom`, the Services' variables, and `$(NAME)` in commands.

k8s.io/kubernetes/pkg/kubelet/{kubelet_pods,envvars/envvars}.go; third_party/forked/golang/expansion
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kubetour.embedded.api import API, Object, StatusError
from kubetour.embedded.quantity import parse as parse_quantity

_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")


class ConfigError(Exception):
    """The container's configuration cannot be made: kubelet's CreateContainerConfigError."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Return a text with `$(NAME)` replaced; an unknown name stays as it is, and `$$` is one `$`."""

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return values.get(match[1], match[0])

    return _REFERENCE.sub(replace, text)


def environment(pod: Object, container: Object, api: API, addresses: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a container's spec.

    `addresses` has what a fieldRef may ask for and the Pod does not hold yet: "status.podIP" and the like.
    Raises ConfigError for a ConfigMap, Secret, key or field that is not there and not optional.
    """
    namespace = pod["metadata"]["namespace"]
    sources = _Sources(api, namespace)
    values: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        values.update(_from_source(source, sources))
    services = service_variables(pod, api.list("services").items)
    for variable in container.get("env") or []:
        name = variable["name"]
        if "valueFrom" in variable:
            value = _value_from(variable["valueFrom"], pod, container, sources, addresses)
            if value is not None:
                values[name] = value
        else:
            values[name] = expand(variable.get("value", ""), {**services, **values})
    return {**services, **values}


class _Sources:
    """ConfigMaps and Secrets of one namespace, each read once."""

    def __init__(self, api: API, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self._known: dict[tuple[str, str], dict[str, str] | None] = {}

    def read(self, resource: str, name: str) -> dict[str, str] | None:
        """Return the texts of a ConfigMap or Secret, or None if there is none of that name."""
        key = (resource, name)
        if key not in self._known:
            try:
                found = self._api.get(resource, name, self._namespace)
            except StatusError as error:
                if error.code != 404:
                    raise
                self._known[key] = None
                return None
            data = found.get("data") or {}
            if resource == "secrets":
                data = {k: base64.b64decode(v).decode("utf-8", "surrogateescape") for k, v in data.items()}
            self._known[key] = data
        return self._known[key]


def _from_source(source: Object, sources: _Sources) -> dict[str, str]:
    prefix = source.get("prefix", "")
    for field, resource, kind in (
        ("configMapRef", "configmaps", "configmap"),
        ("secretRef", "secrets", "secret"),
    ):
        reference = source.get(field)
        if reference is None:
            continue
        data = sources.read(resource, reference.get("name", ""))
        if data is None:
            if reference.get("optional"):
                return {}
            raise ConfigError(f'{kind} "{reference.get("name", "")}" not found')
        return {prefix + name: value for name, value in data.items()}
    return {}


def _value_from(
    source: Object, pod: Object, container: Object, sources: _Sources, addresses: Mapping[str, str]
) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], addresses)
    if "resourceFieldRef" in source:
        return resource_value(container, source["resourceFieldRef"])
    for field, resource, kind in (
        ("configMapKeyRef", "configmaps", "configmap"),
        ("secretKeyRef", "secrets", "secret"),
    ):
        reference = source.get(field)
        if reference is None:
            continue
        name, key = reference.get("name", ""), reference["key"]
        data = sources.read(resource, name)
        if data is not None and key in data:
            return data[key]
        if reference.get("optional"):
            return None
        if data is None:
            raise ConfigError(f'{kind} "{name}" not found')
        where = "ConfigMap" if kind == "configmap" else "Secret"
        raise ConfigError(f"couldn't find key {key} in {where} {sources._namespace}/{name}")
    return None


def field_value(pod: Object, path: str, addresses: Mapping[str, str]) -> str:
    """Return what the downward API gives for a field path; ConfigError for one that it does not have."""
    metadata, spec = pod["metadata"], pod["spec"]
    match = _SUBSCRIPT.fullmatch(path)
    if match:
        return str((metadata.get(match[1]) or {}).get(match[2], ""))
    known: dict[str, Any] = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        **addresses,
    }
    if path not in known:
        raise ConfigError(f'field path "{path}" is not one that a variable can come from')
    return str(known[path])


def resource_value(container: Object, reference: Object) -> str:
    """Return what the downward API gives for a resourceFieldRef: a whole number, rounded up."""
    kind, _, name = str(reference["resource"]).partition(".")
    found = ((container.get("resources") or {}).get(kind) or {}).get(name)
    if found is None:
        return "0"
    value = parse_quantity(str(found)) / parse_quantity(str(reference.get("divisor") or 1) or "1")
    return str(-int(-value // 1))


def service_variables(pod: Object, services: Iterable[Object]) -> dict[str, str]:
    """Return `NAME_SERVICE_HOST`, `NAME_PORT` and the rest, as Docker's links named them.

    Of the Pod's own namespace if enableServiceLinks says so; always of the Service `kubernetes`.
    """
    values: dict[str, str] = {}
    links = pod["spec"].get("enableServiceLinks", True)
    for service in services:
        name, namespace = service["metadata"]["name"], service["metadata"].get("namespace")
        address = (service.get("spec") or {}).get("clusterIP")
        ports = (service.get("spec") or {}).get("ports") or []
        master = (namespace, name) == ("default", "kubernetes")
        wanted = master or (links and namespace == pod["metadata"]["namespace"])
        if not wanted or address in (None, "", "None") or not ports:
            continue
        prefix = name.upper().replace("-", "_")
        values[f"{prefix}_SERVICE_HOST"] = address
        values[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                suffix = port["name"].upper().replace("-", "_")
                values[f"{prefix}_SERVICE_PORT_{suffix}"] = str(port["port"])
        first = ports[0]
        values[f"{prefix}_PORT"] = f"{first.get('protocol', 'TCP').lower()}://{address}:{first['port']}"
        for port in ports:
            protocol = port.get("protocol", "TCP")
            link = f"{prefix}_PORT_{port['port']}_{protocol}"
            values[link] = f"{protocol.lower()}://{address}:{port['port']}"
            values[f"{link}_PROTO"] = protocol.lower()
            values[f"{link}_PORT"] = str(port["port"])
            values[f"{link}_ADDR"] = address
    return values
