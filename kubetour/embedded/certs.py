"""The cluster's own certificate authority and the API server's certificate.

The authority's key signs one certificate and is thrown away: nothing on disk can sign another.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kubetour.embedded.process import apart

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

# A clock that goes wrong by a little, or a machine that was set back, must not make the certificate invalid.
_BACKDATE = timedelta(days=1)
_LIFETIME = timedelta(days=3650)
SERVICE_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are: the authority (for the kubeconfig), the server's certificate and its key."""

    ca: Path
    cert: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS context of the API server: TLS 1.2 and later, HTTP/1.1."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        context.set_alpn_protocols(["http/1.1"])
        return context


def ensure(directory: Path, addresses: tuple[str, ...], now: datetime) -> Certificates:
    """Return the certificates kept in a directory; make them, for these IP addresses, if there are none.

    EmbeddedError if they cannot be made.
    """
    certs = Certificates(directory / "ca.crt", directory / "apiserver.crt", directory / "apiserver.key")
    if not certs.key.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        apart(partial(_issue, certs, addresses, now))
    return certs


def _issue(certs: Certificates, addresses: tuple[str, ...], now: datetime) -> None:
    # Imported here: it is needed once in a cluster's life, and takes 16 MB.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority(ca_key.public_key(), now).sign(ca_key, hashes.SHA256())
    leaf = _server(key.public_key(), ca, addresses, now).sign(ca_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(certs.ca, ca.public_bytes(pem), 0o644)
    _write(certs.cert, leaf.public_bytes(pem), 0o644)
    # Last: its presence says that all three are there.
    _write(certs.key, private, 0o600)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePublicKey, now: datetime) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        _builder("kubetour embedded CA", None, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )


def _server(
    key: ec.EllipticCurvePublicKey, ca: x509.Certificate, addresses: tuple[str, ...], now: datetime
) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    names: list[x509.GeneralName] = [x509.DNSName(name) for name in SERVICE_NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(_ec_public_key(ca))
    return (
        _builder("kube-apiserver (embedded)", ca.subject, key, now)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
    )


def _ec_public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("the authority's key is not an elliptic-curve key")
    return key


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that has its mode from the start and is never seen half written."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
