"""How an API server is reached: real TLS on loopback, with what a kubeconfig says and nothing else."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import urllib3

from kubetour.embedded import certs
from kubetour.restclient import Plain, RestClient, Whole, connect
from tests import serving

LIMITS = (5.0, 5.0)
JSON = "application/json"
NEW = {"server": "https://127.0.0.1:6443"}


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def write(directory: Path, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    """Write a kubeconfig with the context x, and with another one that must not be taken."""
    path = directory / "kubeconfig"
    other = {"server": "https://192.0.2.1", "proxy-url": "http://192.0.2.2"}
    config = {
        "clusters": [{"name": "o", "cluster": other}, {"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "o", "context": {"cluster": "o", "user": "u"}},
            {"name": "x", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "o",
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def get(client: RestClient, path: str = "/version") -> Any:
    try:
        return client.get(path, (("limit", "1"), ("labelSelector", "app=x y")), JSON, LIMITS)
    finally:
        client.close()


@pytest.fixture
def issued(tmp_path: Path) -> certs.Certificates:
    return certs.ensure(tmp_path / "pki", ("127.0.0.1",), datetime.now(timezone.utc))


def test_a_server_on_loopback_is_reached_with_the_certificates_and_the_token_of_the_kubeconfig(
    tmp_path: Path, issued: certs.Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # no proxy can reach this machine's own loopback
    with serving.serving("text hello", tls=issued.server_context()) as server:
        cluster = {"server": f"{server.url}/", "certificate-authority-data": encoded(issued.ca)}
        client = connect(write(tmp_path, cluster, {"token": "t"}), "x")
        assert isinstance(client, Plain)
        response = get(client)
    assert (response.status, response.data) == (200, b"hello")
    assert server.asked == ["/version?limit=1&labelSelector=app%3Dx+y"]
    assert server.headers[0]["Authorization"] == "Bearer t"
    assert server.headers[0]["Accept"] == JSON


@pytest.mark.parametrize("authority", [True, False], ids=["another authority", "no authority"])
def test_a_server_whose_certificate_is_another_authoritys_is_not_talked_to(
    tmp_path: Path, issued: certs.Certificates, authority: bool
) -> None:
    another = certs.ensure(tmp_path / "another", ("127.0.0.1",), datetime.now(timezone.utc))
    data = {"certificate-authority-data": encoded(another.ca)} if authority else {}
    with serving.serving("good", tls=issued.server_context()) as server:
        client = connect(write(tmp_path, {"server": server.url, **data}, {"token": "t"}), "x")
        with pytest.raises(urllib3.exceptions.SSLError):
            get(client)
    assert server.asked == []


def test_a_certificate_for_another_address_is_not_believed(tmp_path: Path) -> None:
    elsewhere = certs.ensure(tmp_path / "pki", ("192.0.2.1",), datetime.now(timezone.utc))
    with serving.serving("good", tls=elsewhere.server_context()) as server:
        cluster = {"server": server.url, "certificate-authority-data": encoded(elsewhere.ca)}
        with pytest.raises(urllib3.exceptions.SSLError):
            get(connect(write(tmp_path, cluster, {}), "x"))


def client_certificate(directory: Path) -> tuple[Path, Path]:
    """Return the files of a certificate that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes-admin")])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = serialization.Encoding.PEM
    shown, secret = directory / "client.crt", directory / "client.key"
    shown.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))
    return shown, secret


def test_a_client_certificate_is_shown_and_its_key_stays_in_no_file(
    tmp_path: Path, issued: certs.Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, secret = client_certificate(tmp_path)
    wants = issued.server_context()
    wants.verify_mode = ssl.CERT_REQUIRED
    wants.load_verify_locations(shown)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    user = {"client-certificate-data": encoded(shown), "client-key-data": encoded(secret)}
    with serving.serving("text hello", tls=wants) as server:
        cluster = {"server": server.url, "certificate-authority-data": encoded(issued.ca)}
        client = connect(write(tmp_path, cluster, user), "x")
        assert isinstance(client, Plain)
        assert get(client).data == b"hello"
    assert os.listdir(temporary) == []


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        pytest.param(NEW, {"exec": {"command": "aws"}}, id="a plugin logs in"),
        pytest.param(NEW, {"auth-provider": {"name": "oidc", "config": {}}}, id="a token is renewed"),
        pytest.param(NEW, {"tokenFile": "token"}, id="a token in a file"),
        pytest.param(NEW, {"client-certificate-data": "YQ=="}, id="a certificate without its key"),
        pytest.param(NEW, {"username": "u", "password": "p"}, id="a password"),
        pytest.param({**NEW, "proxy-url": "http://127.0.0.1:1"}, {"token": "t"}, id="a proxy"),
        pytest.param({**NEW, "insecure-skip-tls-verify": True}, {"token": "t"}, id="no check"),
        pytest.param({**NEW, "tls-server-name": "kubernetes"}, {"token": "t"}, id="another name"),
        pytest.param({"server": "https://192.0.2.1:6443"}, {"token": "t"}, id="another machine"),
        pytest.param({"server": "https://127.evil.example"}, {"token": "t"}, id="a name like an address"),
    ],
)
def test_of_whatever_else_a_kubeconfig_says_the_official_client_knows_what_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: dict[str, Any], user: dict[str, Any]
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(Whole, "__init__", lambda self, path, context: asked.append((path, context)))
    path = write(tmp_path, cluster, user)
    assert isinstance(connect(path, "x"), Whole)
    assert asked == [(path, "x")]


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text.replace('"name": "x"', '"name": "y"'),
        lambda text: text.replace('"name": "o"', '"name": "x"'),
        lambda text: text[:-1],
        lambda text: "[]",
        lambda text: text.replace('"contexts"', '"others"'),
        lambda text: text.replace('"user": {', '"user": [{').replace('"t"}', '"t"}]'),
        lambda text: text.replace("127.0.0.1", "[127.0.0.1"),
    ],
    ids=["no context", "two of that name", "no YAML", "a list", "no contexts", "no user", "no URL"],
)
def test_what_is_wrong_with_a_kubeconfig_the_official_client_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[[str], str]
) -> None:
    monkeypatch.setattr(Whole, "__init__", lambda self, path, context: None)
    path = Path(write(tmp_path, NEW, {"token": "t"}))
    path.write_text(broken(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert isinstance(connect(str(path), "x"), Whole)


def test_a_kubeconfig_that_is_not_there_yet_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        connect(str(tmp_path / "nothing"), "x")


def test_the_official_client_is_not_even_imported_where_it_is_not_needed(
    tmp_path: Path, issued: certs.Certificates
) -> None:
    cluster = {**NEW, "certificate-authority-data": encoded(issued.ca)}
    path = write(tmp_path, cluster, {"token": "t"})
    program = (
        "import sys; from kubetour.restclient import connect, preload; preload(whole=False)\n"
        f"connect({path!r}, 'x').close(); print('kubernetes' in sys.modules, 'urllib3' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False True\n"
