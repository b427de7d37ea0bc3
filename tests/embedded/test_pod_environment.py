from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from kubetour.embedded.clock import SystemClock
from kubetour.embedded.etcd import Store
from kubetour.embedded.pod_environment import ConfigError, environment, expand, service_variables
from kubetour.embedded.registry import Registry

ADDRESSES = {"status.podIP": "127.64.0.2", "status.hostIP": "127.64.255.1"}


@pytest.fixture
def registry() -> Iterator[Registry]:
    store = Store(":memory:")
    found = Registry(store, SystemClock())
    found.create("namespaces", {"metadata": {"name": "ns"}})
    found.create("configmaps", {"metadata": {"name": "map"}, "data": {"a": "1", "2.b": "x"}}, "ns")
    secret = {"p": base64.b64encode(b"geheim").decode()}
    found.create("secrets", {"metadata": {"name": "secret"}, "data": secret}, "ns")
    yield found
    store.close()


def pod(**spec: Any) -> dict[str, Any]:
    metadata = {
        "name": "p",
        "namespace": "ns",
        "uid": "u-1",
        "labels": {"app": "x"},
        "annotations": {"a/b": "y"},
    }
    return {"metadata": metadata, "spec": {"nodeName": "n", "serviceAccountName": "default", **spec}}


def variables(registry: Registry, *env: dict[str, Any], **container: Any) -> dict[str, str]:
    return environment(pod(), {"name": "c", "env": list(env), **container}, registry, ADDRESSES)


def field(path: str) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {"fieldRef": {"fieldPath": path}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y", "x1y"),
        ("$$(A)", "$(A)"),
        ("$(NONE)", "$(NONE)"),
        ("$A $(", "$A $("),
        ("$", "$"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


def test_values_may_use_those_before_them(registry: Registry) -> None:
    found = variables(
        registry, {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2$(C)"}, {"name": "C"}
    )
    assert found == {"A": "1", "B": "12$(C)", "C": ""}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "x"),
        ("metadata.annotations['a/b']", "y"),
        ("metadata.labels['none']", ""),
        ("spec.nodeName", "n"),
        ("spec.serviceAccountName", "default"),
        ("status.podIP", "127.64.0.2"),
        ("status.hostIP", "127.64.255.1"),
    ],
)
def test_the_downward_api(registry: Registry, path: str, value: str) -> None:
    assert variables(registry, field(path)) == {"V": value}


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", None, "2"),
        ("requests.memory", "1Mi", "64"),
        ("limits.cpu", "1m", "1500"),
        ("limits.x", None, "0"),
    ],
)
def test_resources_round_up(registry: Registry, resource: str, divisor: str | None, value: str) -> None:
    source = {"resource": resource, **({"divisor": divisor} if divisor else {})}
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "64Mi"}}
    variable = {"name": "V", "valueFrom": {"resourceFieldRef": source}}
    assert variables(registry, variable, resources=resources) == {"V": value}


def key(kind: str, name: str, item: str, **more: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {kind: {"name": name, "key": item, **more}}}


def test_config_maps_and_secrets(registry: Registry) -> None:
    assert variables(registry, key("configMapKeyRef", "map", "a")) == {"V": "1"}
    assert variables(registry, key("secretKeyRef", "secret", "p")) == {"V": "geheim"}
    assert variables(registry, key("secretKeyRef", "none", "p", optional=True)) == {}
    sources = [
        {"configMapRef": {"name": "map"}, "prefix": "M_"},
        {"secretRef": {"name": "none", "optional": True}},
    ]
    assert variables(registry, {"name": "M_a", "value": "mine"}, envFrom=sources) == {
        "M_a": "mine",
        "M_2.b": "x",
    }


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (key("configMapKeyRef", "none", "a"), 'configmap "none" not found'),
        (key("secretKeyRef", "none", "a"), 'secret "none" not found'),
        (key("configMapKeyRef", "map", "b"), "couldn't find key b in ConfigMap ns/map"),
        (key("secretKeyRef", "secret", "b"), "couldn't find key b in Secret ns/secret"),
        (field("status.phase"), 'field path "status.phase"'),
    ],
)
def test_what_is_not_there_is_told_in_kubelets_words(
    registry: Registry, variable: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        variables(registry, variable)
    assert str(caught.value).startswith(message)


def service(namespace: str, name: str, address: str = "127.64.128.9") -> dict[str, Any]:
    ports = [
        {"name": "http-x", "port": 80, "protocol": "TCP"},
        {"name": "dns", "port": 53, "protocol": "UDP"},
    ]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": address, "ports": ports},
    }


def test_services_have_the_variables_of_dockers_links() -> None:
    assert service_variables(pod(), [service("ns", "my-web"), service("other", "x")]) == {
        "MY_WEB_SERVICE_HOST": "127.64.128.9",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP_X": "80",
        "MY_WEB_SERVICE_PORT_DNS": "53",
        "MY_WEB_PORT": "tcp://127.64.128.9:80",
        "MY_WEB_PORT_80_TCP": "tcp://127.64.128.9:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "127.64.128.9",
        "MY_WEB_PORT_53_UDP": "udp://127.64.128.9:53",
        "MY_WEB_PORT_53_UDP_PROTO": "udp",
        "MY_WEB_PORT_53_UDP_PORT": "53",
        "MY_WEB_PORT_53_UDP_ADDR": "127.64.128.9",
    }


def test_without_links_only_the_api_is_told() -> None:
    services = [service("ns", "web"), service("default", "kubernetes"), service("ns", "headless", "None")]
    found = service_variables(pod(enableServiceLinks=False), services)
    assert {name.split("_")[0] for name in found} == {"KUBERNETES"}
