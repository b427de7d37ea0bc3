"""`inv push` from a real engine to a real registry: plain HTTP, and TLS with an authority of its own."""

from __future__ import annotations

import os
import shutil
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import Desk, docker, inv, lines
from tests.docker.registries import authority, registry

CERTIFICATES = Path("/etc/docker/certs.d")

if not shutil.which("docker-registry") and not os.environ.get("CI"):
    pytest.skip("no docker-registry on PATH: apt-get install docker-registry", allow_module_level=True)


@pytest.fixture
def with_tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return HOST:PORT of a registry with TLS, and the certificate that Docker is told to trust."""
    if not os.access(CERTIFICATES.parent, os.W_OK):
        pytest.skip(f"{CERTIFICATES.parent} cannot be written")
    ca, certificate, key = authority(tmp_path / "ca", "127.0.0.1")
    http = {"tls": {"certificate": str(certificate), "key": str(key)}}
    with registry(tmp_path / "registry", http=http) as address:
        trusted = CERTIFICATES / address
        had = CERTIFICATES.exists()
        trusted.mkdir(parents=True)
        shutil.copy(ca, trusted / "ca.crt")
        yield address, ca
        shutil.rmtree(trusted)
        if not had:
            CERTIFICATES.rmdir()


def pushed(project: Desk, address: str) -> tuple[str, str]:
    """Build and push; return the image's name in the registry and the digest that the proof tells."""
    names = f"--provider kind --image {project.image}:1"
    for command in (f"build {names}", f"push {names} --registry {address}/team"):
        told = project.run(inv(command))
        assert told.returncode == 0, told.stdout + told.stderr
    image = f"{address}/team/{project.image}"
    assert f"The registry has {image}:1 as sha256:" in " ".join(told.stdout.split())
    return image, told.stdout.rpartition("sha256:")[2][:64]


def test_an_image_without_a_registry_in_its_name_is_tagged_pushed_and_removed_again(
    project: Desk, tmp_path: Path
) -> None:
    with registry(tmp_path / "registry") as address:
        image, digest = pushed(project, address)
        assert f"{image}:1" in lines("images", "--format", "{{.Repository}}:{{.Tag}}")
        down = project.run(inv(f"down --check --provider kind --cluster-name {project.cluster}"))
        assert down.returncode == 0, down.stdout + down.stderr
        assert lines("images", "-q", image) == lines("images", "-q", project.image) == []
        docker("pull", f"{image}@sha256:{digest}")
        docker("image", "rm", f"{image}@sha256:{digest}")


def test_a_registry_with_an_authority_of_its_own_takes_the_image_over_tls(
    project: Desk, with_tls: tuple[str, Path]
) -> None:
    address, ca = with_tls
    image, digest = pushed(project, address)
    url = f"https://{address}/v2/team/{project.image}/manifests/sha256:{digest}"
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca))),
    )
    with opener.open(urllib.request.Request(url, headers=accept), timeout=10) as answer:
        assert answer.status == 200
    down = project.run(inv(f"down --check --provider kind --cluster-name {project.cluster}"))
    assert down.returncode == 0, down.stdout + down.stderr
    assert lines("images", "-q", image) == []
