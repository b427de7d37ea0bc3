"""The certificate authority and the server's certificate."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from kubetour.embedded import certs
from kubetour.embedded.errors import EmbeddedError

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_certificates_are_made_once_and_only_their_owner_reads_the_key(tmp_path: Path) -> None:
    first = certs.ensure(tmp_path / "pki", ("127.0.0.1",), NOW)
    before = first.cert.read_bytes()
    again = certs.ensure(tmp_path / "pki", ("127.0.0.1",), NOW)
    assert again == first
    assert again.cert.read_bytes() == before
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    assert not list((tmp_path / "pki").glob("*.new"))
    assert sorted(path.name for path in (tmp_path / "pki").iterdir()) == [
        "apiserver.crt",
        "apiserver.key",
        "ca.crt",
    ]


def test_the_library_that_makes_them_stays_in_no_memory_of_ours(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from datetime import datetime, timezone\n"
        "from kubetour.embedded import certs\n"
        "made = certs.ensure(pathlib.Path(sys.argv[1]), ('127.0.0.1',), datetime.now(timezone.utc))\n"
        "assert made.key.exists()\n"
        "assert 'cryptography' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def test_certificates_that_cannot_be_written_say_why(tmp_path: Path) -> None:
    (tmp_path / "ca.crt.new").mkdir()
    (tmp_path / "ca.crt.new/file").touch()
    with pytest.raises(EmbeddedError, match=r"Error: .*ca\.crt\.new"):
        certs.ensure(tmp_path, ("127.0.0.1",), NOW)


def test_the_authority_signed_the_server_for_its_names_and_addresses(tmp_path: Path) -> None:
    made = certs.ensure(tmp_path, ("127.0.0.1", "127.64.128.1"), NOW)
    authority = x509.load_pem_x509_certificate(made.ca.read_bytes())
    server = x509.load_pem_x509_certificate(made.cert.read_bytes())
    server.verify_directly_issued_by(authority)
    assert isinstance(server.public_key(), ec.EllipticCurvePublicKey)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "127.64.128.1"]
    assert server.not_valid_before_utc <= NOW - timedelta(hours=1)
    assert server.not_valid_after_utc > NOW + timedelta(days=365)
