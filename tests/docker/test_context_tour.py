"""The tour on a cluster that is not ours: a context named on the command line, and a real registry.

The cluster is an embedded one that this test makes by hand, as someone else would have made it; the
registry is Debian's docker-registry. Two things that a cloud does are done here: the image is handed to the
nodes, as the embedded cluster pulls nothing, and the Service of type LoadBalancer gets an address.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from tests.e2e.checkout import Checkout, make

CLUSTER = "theirs"
CONTEXT = f"embedded-{CLUSTER}"
PATIENCE = 60.0

if not shutil.which("docker-registry") and not os.environ.get("CI"):
    pytest.skip("no docker-registry on PATH: apt-get install docker-registry", allow_module_level=True)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Return HOST:PORT of a registry that runs until the test ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}}))
    log = (tmp_path / "registry.log").open("wb")
    with log, subprocess.Popen(["docker-registry", "serve", str(config)], stdout=log, stderr=log) as process:
        try:
            host, _, port = address.partition(":")
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex((host, int(port))) == 0:
                        break
                process.poll()
                threading.Event().wait(0.05)
            yield address
        finally:
            process.terminate()


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout, and beside it a cluster of someone else's."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    checkout = make(directory)
    kubeconfig = str(tmp_path / "kubeconfig")
    where = ("--name", CLUSTER, "--kubeconfig", kubeconfig)
    embedded(checkout, "create", "cluster", *where, "--wait", "60s")
    yield checkout
    embedded(checkout, "delete", "cluster", *where)
    assert checkout.processes() == []


def embedded(checkout: Checkout, *argv: str) -> str:
    """Run a command of the embedded cluster and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "kubetour.embedded", *argv],
        cwd=checkout.root,
        env=checkout.environ("en"),
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    ).stdout


def kubectl(kubeconfig: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl on that cluster."""
    return subprocess.run(
        ["kubectl", "--kubeconfig", str(kubeconfig), *argv],
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def give_address(kubeconfig: Path, ended: threading.Event) -> None:
    """Do as a cloud's controller does: give the Service an address once it is there."""
    services = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
    while not ended.wait(0.1):
        try:
            found = services.read_namespaced_service("web", "kubetour")
        except client.ApiException:
            continue
        status = {"status": {"loadBalancer": {"ingress": [{"ip": found.spec.cluster_ip}]}}}
        services.patch_namespaced_service_status("web", "kubetour", status)
        return


def test_the_tour_on_a_named_context_pushes_proves_and_takes_back_its_own(
    checkout: Checkout, registry: str, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    before = kubeconfig.read_bytes()
    image = f"{registry}/team/web:1"
    embedded(checkout, "build", "-t", image, ".")
    embedded(checkout, "load", "image", image, "--name", CLUSTER)
    flags = ("--context", CONTEXT, "--image", image, "--name", "web", "--timeout", "60")
    ended = threading.Event()
    cloud = threading.Thread(target=give_address, args=(kubeconfig, ended))
    cloud.start()
    try:
        told = checkout.inv("tour", *flags, KUBECONFIG=str(kubeconfig))
    finally:
        ended.set()
        cloud.join()
    report = checkout.report()
    assert report["ok"], told.told()
    steps = {step["step"]: step for step in report["steps"]}
    assert {"push", "namespace", "hit-all"} <= set(steps)
    assert not {"create-cluster", "load", "hit-inside"} & set(steps)
    digest = steps["push"]["proof"]["text"].partition("sha256:")[2][:64]
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    manifest = f"http://{registry}/v2/team/web/manifests/sha256:{digest}"
    request = urllib.request.Request(manifest, headers=accept)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        assert answer.status == 200  # what was pushed is there, by its digest

    checkout.inv("down", "--context", CONTEXT, "--name", "web", KUBECONFIG=str(kubeconfig))
    left = kubectl(kubeconfig, "get", "namespaces", "-o", "name").stdout.split()
    assert "namespace/kubetour" not in left
    assert "namespace/default" in left
    assert kubeconfig.read_bytes() == before


def test_a_namespace_that_is_not_ours_is_refused_at_once(checkout: Checkout, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    assert kubectl(kubeconfig, "create", "namespace", "kubetour").returncode == 0
    only = ("--context", CONTEXT, "--only", "namespace")
    told = checkout.inv("tour", *only, check=9, KUBECONFIG=str(kubeconfig))
    assert "Not ours to touch" in told.stderr
    assert "namespace/kubetour" in kubectl(kubeconfig, "get", "namespaces", "-o", "name").stdout
