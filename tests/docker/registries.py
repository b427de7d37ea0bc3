"""Real registries for tests: Debian's docker-registry on loopback, plain, with TLS, or with a password."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE = 20.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def registry(directory: Path, host: str = "127.0.0.1", **more: Mapping[str, Any]) -> Iterator[str]:
    """Run a registry and yield its HOST:PORT; `more` are sections of its configuration (`http`, `auth`)."""
    address = f"{host}:{free_port()}"
    directory.mkdir(exist_ok=True)
    http = {"addr": address, **more.pop("http", {})}
    storage = {"filesystem": {"rootdirectory": str(directory / "storage")}}
    config = directory / "config.yml"
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": http, **more}))
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log) as process,
    ):
        try:
            _await(process, host, int(address.rpartition(":")[2]), directory / "log")
            yield address
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        threading.Event().wait(0.05)
    raise AssertionError(log.read_text())


def authority(directory: Path, *hosts: str) -> tuple[Path, Path, Path]:
    """Make an authority of the test's own; return its certificate, a server's and that server's key."""
    directory.mkdir(exist_ok=True)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("a test's own CA", hosts[0])
    )
    addresses = [x509.IPAddress(ipaddress.ip_address(host)) for host in hosts]
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, x509.BasicConstraints(ca=True, path_length=0))
    server = _certificate(name, ca_name, key, ca_key, x509.SubjectAlternativeName(addresses))
    pem = serialization.Encoding.PEM
    paths = (directory / "ca.crt", directory / "server.crt", directory / "server.key")
    paths[0].write_bytes(ca.public_bytes(pem))
    paths[1].write_bytes(server.public_bytes(pem))
    plain = serialization.NoEncryption()
    paths[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return paths


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signer, hashes.SHA256())
    )
