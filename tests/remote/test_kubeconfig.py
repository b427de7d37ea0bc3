"""A kubeconfig from there, made to work from here."""

from __future__ import annotations

import pytest
import yaml

from kubetour.errors import ClusterError
from kubetour.remote import kubeconfig


def config(server: str, **more: object) -> str:
    cluster = {"server": server, "certificate-authority-data": "Q0E=", **more}
    user = {"name": "u", "user": {"token": "secret"}}
    return yaml.safe_dump({"clusters": [{"name": "c", "cluster": cluster}], "users": [user]})


@pytest.mark.parametrize(
    ("server", "there", "through", "name"),
    [
        ("https://127.0.0.1:6443", ("127.0.0.1", 6443), "https://127.0.0.1:40000", None),
        ("https://localhost:6443", ("localhost", 6443), "https://127.0.0.1:40000", "localhost"),
        ("https://10.1.2.3", ("10.1.2.3", 443), "https://127.0.0.1:40000", "10.1.2.3"),
        (
            "https://api.example/k8s/c-1",
            ("api.example", 443),
            "https://127.0.0.1:40000/k8s/c-1",
            "api.example",
        ),
        ("https://[::1]:6443", ("::1", 6443), "https://127.0.0.1:40000", "::1"),
        ("http://127.0.0.1:8001", ("127.0.0.1", 8001), "http://127.0.0.1:40000", None),
    ],
)
def test_the_server_is_reached_through_the_tunnel_and_its_certificate_still_checked(
    server: str, there: tuple[str, int], through: str, name: str | None
) -> None:
    text = config(server)
    assert kubeconfig.server(text) == there
    document = yaml.safe_load(kubeconfig.through(text, 40000))
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == through
    assert cluster.get("tls-server-name") == name
    assert cluster["certificate-authority-data"] == "Q0E="
    assert document["users"] == [{"name": "u", "user": {"token": "secret"}}]


def test_a_name_that_is_set_stays_and_a_proxy_of_there_does_not() -> None:
    text = config("https://10.1.2.3", **{"tls-server-name": "kubernetes", "proxy-url": "http://proxy.there"})
    cluster = yaml.safe_load(kubeconfig.through(text, 40000))["clusters"][0]["cluster"]
    assert cluster["tls-server-name"] == "kubernetes"
    assert "proxy-url" not in cluster


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clusters: null",
        "clusters: []",
        "[",
        "x",
        config(""),
        config("unix:///run/x"),
        "clusters: [{name: a}]",
    ],
)
def test_a_kubeconfig_without_a_server_is_told(text: str) -> None:
    with pytest.raises(ClusterError) as caught:
        kubeconfig.server(text)
    assert caught.value.key == "host-kubeconfig"
