"""What the files of a Pod's volumes hold: ConfigMaps, Secrets, and what the Pod says of itself.

k8s.io/kubernetes/pkg/volume/{configmap,secret,downwardapi,projected}
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from kubetour.embedded.api import API, Object, StatusError
from kubetour.embedded.pod_environment import ConfigError, field_value, resource_value

_FILE_MODE = 0o644
WRITTEN = ("configMap", "secret", "downwardAPI", "projected")  # by us, from what the API has


class VolumeError(Exception):
    """A volume cannot be had; the text is that of kubelet's FailedMount event."""


@dataclass(frozen=True)
class File:
    """One file of a volume."""

    data: bytes
    mode: int


Payload = dict[str, File]  # by path in the volume
Token = Callable[[Object], str]  # of a serviceAccountToken source


@dataclass(frozen=True)
class Sources:
    """Where payloads come from: the API, the Pod, addresses that the Pod does not hold yet, and tokens."""

    api: API
    pod: Object
    addresses: Mapping[str, str]
    token: Token | None = None


def payload(volume: Object, sources: Sources) -> Payload:
    """Return the files of a volume; VolumeError where something that it refers to is not there."""
    kind = next(kind for kind in WRITTEN if kind in volume)
    source = volume[kind]
    mode = int(source.get("defaultMode") or _FILE_MODE)
    if kind != "projected":
        return _of(kind, source, mode, sources)
    found: Payload = {}
    for projection in source.get("sources") or []:
        for each, inner in projection.items():
            found.update(_of(each, inner, mode, sources))
    return found


def _of(kind: str, source: Object, mode: int, sources: Sources) -> Payload:
    if kind == "downwardAPI":
        return {_path(item): _downward(item, mode, sources) for item in source.get("items") or []}
    if kind == "serviceAccountToken":
        if sources.token is None:
            raise VolumeError("an embedded cluster has no service account tokens for Pods")
        return {_path(source): File(sources.token(source).encode(), 0o600)}
    if kind == "configMap":
        return _selected(
            source, _config_map(source, sources), mode, "configmap references non-existent config key"
        )
    if kind == "secret":
        return _selected(source, _secret(source, sources), mode, "references non-existent secret key")
    raise VolumeError(f"an embedded cluster has no projections of the kind {kind}")


def _config_map(source: Object, sources: Sources) -> dict[str, bytes] | None:
    found = _read("configmaps", str(source.get("name", "")), source, sources)
    if found is None:
        return None
    data = {key: str(value).encode() for key, value in (found.get("data") or {}).items()}
    return data | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}


def _secret(source: Object, sources: Sources) -> dict[str, bytes] | None:
    # A volume calls it secretName, a projection name.
    found = _read("secrets", str(source.get("secretName") or source.get("name", "")), source, sources)
    if found is None:
        return None
    return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}


def _read(resource: str, name: str, source: Object, sources: Sources) -> Object | None:
    """Return a ConfigMap or Secret; None if there is none and it is optional."""
    try:
        return sources.api.get(resource, name, sources.pod["metadata"]["namespace"])
    except StatusError as error:
        if error.code != 404:
            raise
        if source.get("optional"):
            return None
        raise VolumeError(f'{resource.removesuffix("s")} "{name}" not found') from error


def _selected(source: Object, data: dict[str, bytes] | None, mode: int, missing: str) -> Payload:
    items = source.get("items") or []
    if data is None:
        return {}
    if not items:
        return {key: File(value, mode) for key, value in data.items()}
    found = {}
    for item in items:
        if item["key"] in data:
            found[_path(item)] = File(data[item["key"]], int(item.get("mode") or mode))
        elif not source.get("optional"):
            raise VolumeError(f"{missing}: {item['key']}")
    return found


def _downward(item: Object, mode: int, sources: Sources) -> File:
    pod = sources.pod
    try:
        if "fieldRef" in item:
            path = item["fieldRef"]["fieldPath"]
            whole = path.partition("metadata.")[2]
            if whole in ("labels", "annotations"):
                values = pod["metadata"].get(whole) or {}
                text = "\n".join(
                    f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values)
                )
            else:
                text = field_value(pod, path, sources.addresses)
        else:
            reference = item["resourceFieldRef"]
            containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
            named = [each for each in containers if each["name"] == reference.get("containerName")]
            if not named:
                raise VolumeError(f"container {reference.get('containerName', '')} not found")
            text = resource_value(named[0], reference)
    except ConfigError as error:
        raise VolumeError(str(error)) from error
    return File(text.encode(), int(item.get("mode") or mode))


def _path(item: Object) -> str:
    """Return where in the volume a file is to be; VolumeError for what is not below it."""
    path = PurePosixPath(str(item.get("path", "")))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise VolumeError(f"the path {str(path)!r} is not one below the volume")
    return str(path)
