from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from kubetour.embedded.clock import SystemClock
from kubetour.embedded.etcd import Store
from kubetour.embedded.registry import Registry
from kubetour.embedded.volumes import Sources, VolumeError, payload

POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "ns",
        "uid": "u-1",
        "labels": {"tier": "front", "app": "x"},
        "annotations": {"note": 'a "b"\nc'},
    },
    "spec": {
        "nodeName": "n",
        "containers": [{"name": "c", "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}],
    },
}


@pytest.fixture
def sources() -> Iterator[Sources]:
    store = Store(":memory:")
    registry = Registry(store, SystemClock())
    registry.create("namespaces", {"metadata": {"name": "ns"}})
    binary = {"bin": base64.b64encode(b"\0\xff").decode()}
    data = {"a": "1", "b": "zwei\n"}
    registry.create("configmaps", {"metadata": {"name": "map"}, "data": data, "binaryData": binary}, "ns")
    secret = {"p": base64.b64encode(b"geheim").decode()}
    registry.create("secrets", {"metadata": {"name": "secret"}, "data": secret}, "ns")
    yield Sources(registry, POD, {"status.podIP": "127.64.0.2"})
    store.close()


def field(path: str) -> dict[str, Any]:
    return {"downwardAPI": {"items": [{"path": "f", "fieldRef": {"fieldPath": path}}]}}


def resource(name: str, **more: str) -> dict[str, Any]:
    reference = {"containerName": "c", "resource": name, **more}
    return {"downwardAPI": {"items": [{"path": "f", "resourceFieldRef": reference}]}}


@pytest.mark.parametrize(
    ("volume", "files"),
    [
        pytest.param(
            {"configMap": {"name": "map"}}, {"a": b"1", "b": b"zwei\n", "bin": b"\0\xff"}, id="ConfigMap"
        ),
        pytest.param(
            {"configMap": {"name": "map", "items": [{"key": "a", "path": "x/y"}]}}, {"x/y": b"1"}, id="items"
        ),
        pytest.param({"secret": {"secretName": "secret"}}, {"p": b"geheim"}, id="Secret"),
        pytest.param({"configMap": {"name": "no", "optional": True}}, {}, id="optional"),
        pytest.param(
            {"configMap": {"name": "map", "optional": True, "items": [{"key": "no", "path": "x"}]}},
            {},
            id="an optional key",
        ),
        pytest.param(field("metadata.name"), {"f": b"p"}, id="the name"),
        pytest.param(field("metadata.labels"), {"f": b'app="x"\ntier="front"'}, id="labels"),
        pytest.param(field("metadata.annotations"), {"f": b'note="a \\"b\\"\\nc"'}, id="annotations"),
        pytest.param(field("metadata.labels['app']"), {"f": b"x"}, id="one label"),
        pytest.param(field("status.podIP"), {"f": b"127.64.0.2"}, id="the address"),
        pytest.param(resource("limits.cpu"), {"f": b"2"}, id="a limit, rounded up"),
        pytest.param(resource("limits.memory", divisor="1Mi"), {"f": b"64"}, id="a limit, divided"),
        pytest.param(
            {
                "projected": {
                    "sources": [
                        {"secret": {"name": "secret"}},
                        {"configMap": {"name": "map", "items": [{"key": "a", "path": "m/a"}]}},
                        field("metadata.namespace"),
                    ]
                }
            },
            {"p": b"geheim", "m/a": b"1", "f": b"ns"},
            id="projected",
        ),
    ],
)
def test_a_volume_has_these_files(sources: Sources, volume: dict[str, Any], files: dict[str, bytes]) -> None:
    found = payload({"name": "v", **volume}, sources)
    assert {path: file.data for path, file in found.items()} == files
    assert {file.mode for file in found.values()} <= {0o644}


def test_modes_are_those_of_the_item_else_of_the_volume(sources: Sources) -> None:
    items = [{"key": "a", "path": "a"}, {"key": "b", "path": "b", "mode": 0o600}]
    volume = {"name": "v", "configMap": {"name": "map", "defaultMode": 0o440, "items": items}}
    assert {path: file.mode for path, file in payload(volume, sources).items()} == {"a": 0o440, "b": 0o600}


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        pytest.param({"configMap": {"name": "no"}}, 'configmap "no" not found', id="no ConfigMap"),
        pytest.param({"secret": {"secretName": "no"}}, 'secret "no" not found', id="no Secret"),
        pytest.param(
            {"configMap": {"name": "map", "items": [{"key": "no", "path": "x"}]}},
            "configmap references non-existent config key: no",
            id="no key of a ConfigMap",
        ),
        pytest.param(
            {"secret": {"secretName": "secret", "items": [{"key": "no", "path": "x"}]}},
            "references non-existent secret key: no",
            id="no key of a Secret",
        ),
        pytest.param(
            {"configMap": {"name": "map", "items": [{"key": "a", "path": "../x"}]}},
            "the path '../x' is not one below the volume",
            id="out of the volume",
        ),
        pytest.param(
            {"projected": {"sources": [{"clusterTrustBundle": {"path": "x"}}]}},
            "an embedded cluster has no projections of the kind clusterTrustBundle",
            id="another projection",
        ),
    ],
)
def test_what_is_not_there_is_said(sources: Sources, volume: dict[str, Any], text: str) -> None:
    with pytest.raises(VolumeError) as caught:
        payload({"name": "v", **volume}, sources)
    assert str(caught.value) == text
