"""The tour on a cluster that is not ours: a context named on the command line, and a real registry.

The cluster is an embedded one that this test makes by hand, as someone else would have made it; the
registry is Debian's docker-registry. Two things that a cloud does are done here: the image is handed to the
nodes, as the embedded cluster pulls nothing, and the Service of type LoadBalancer gets an address.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from tests.docker.clouds import giving_address
from tests.docker.conftest import docker, lines
from tests.docker.forbidding import forbidding
from tests.docker.registries import registry
from tests.e2e.checkout import Checkout, make

CLUSTER = "theirs"
CONTEXT = f"embedded-{CLUSTER}"
PATIENCE = 60.0
PASSWORD = "correct-horse-battery"

if not shutil.which("docker-registry") and not os.environ.get("CI"):
    pytest.skip("no docker-registry on PATH: apt-get install docker-registry", allow_module_level=True)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return HOST:PORT of a registry that asks for a password, and a Docker config that has it."""
    passwords = tmp_path / "passwords"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=5)).decode()
    passwords.write_text(f"learner:{hashed}\n")
    auth = {"htpasswd": {"realm": "test", "path": str(passwords)}}
    config = tmp_path / "docker"
    config.mkdir()
    with registry(tmp_path / "registry", auth=auth) as address:
        login = ("login", "--username", "learner", "--password-stdin", address)
        subprocess.run(
            ["docker", "--config", str(config), *login],
            input=PASSWORD.encode(),
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        yield address, config


@pytest.fixture
def mark() -> Iterator[str]:
    """Return a word for names; afterwards no image has it in its own."""
    word = f"ctx{uuid.uuid4().hex[:8]}"
    yield word
    names = [line for line in lines("images", "--format", "{{.Repository}}:{{.Tag}}") if word in line]
    for name in names:
        docker("image", "rm", "-f", name, check=False)
    assert names == []


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


def objects(kubeconfig: Path) -> set[str]:
    """Return all lasting objects outside the tour's namespace: namespace, kind, name and version."""
    kinds = "deployments,replicasets,services,pods,secrets,serviceaccounts,configmaps,nodes"
    row = "{range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name} {.metadata.uid}{'\\n'}{end}"
    told = kubectl(kubeconfig, "get", kinds, "-A", "-o", f"jsonpath={row}")
    assert told.returncode == 0, told.stderr
    return {line for line in told.stdout.splitlines() if not line.startswith("kubetour ")}


def test_the_whole_tour_pushes_proves_and_takes_back_its_own_with_the_rights_of_one_namespace(
    checkout: Checkout, private: tuple[str, Path], tmp_path: Path, mark: str
) -> None:
    address, config = private
    kubeconfig = tmp_path / "kubeconfig"
    before = kubeconfig.read_bytes(), objects(kubeconfig)
    image = f"{address}/team/{mark}:1"
    embedded(checkout, "build", "-t", image, ".")
    embedded(checkout, "load", "image", image, "--name", CLUSTER)
    flags = ("--context", CONTEXT, "--name", mark, "--timeout", "60")
    push = (
        "--image",
        f"{mark}:1",
        "--registry",
        f"{address}/team",
        "--pull-secret",
        str(config / "config.json"),
    )
    with (
        giving_address(kubeconfig, mark),
        forbidding(kubeconfig, tmp_path / "proxy") as (through, proxy),
    ):
        environ: dict[str, Any] = {"KUBECONFIG": str(through), "DOCKER_CONFIG": str(config)}
        told = checkout.inv("tour", *flags, *push, **environ)
        server = f"https://127.0.0.1:{proxy.server_port}"
    report = checkout.report()
    assert report["ok"], told.told()
    first = next(line for line in told.stdout.splitlines() if line.strip())
    assert first == f"Cluster: context {CONTEXT} at {server}"
    steps = {step["step"]: step for step in report["steps"]}
    assert {"push", "namespace", "pull-secret", "service-account", "hit-all"} <= set(steps)
    assert not {"create-cluster", "load", "hit-inside"} & set(steps)
    assert "GET /api/v1/nodes" in proxy.refused
    assert "GET /api/v1/namespaces" not in proxy.refused  # nothing asked for all namespaces
    for name in ("nodes", "describe-node"):
        assert "does not let you see" in steps[name]["proof"]["text"], told.told()
    assert "the load balancer's address" in steps["hit"]["proof"]["text"]
    for hidden in (PASSWORD, base64.b64encode(f"learner:{PASSWORD}".encode()).decode()):
        assert hidden in (config / "config.json").read_text() or hidden == PASSWORD
        assert hidden not in told.told() + json.dumps(report)

    secret = kubectl(kubeconfig, "-n", "kubetour", "get", "secret", "kubetour-registry", "-o", "json")
    found = json.loads(secret.stdout)
    assert found["type"] == "kubernetes.io/dockerconfigjson"
    assert base64.b64decode(found["data"][".dockerconfigjson"]) == (config / "config.json").read_bytes()

    docker("image", "rm", "-f", image)
    digest = steps["push"]["proof"]["text"].partition("sha256:")[2][:64]
    pulled = f"{address}/team/{mark}@sha256:{digest}"
    docker("--config", str(config), "pull", pulled)
    docker("run", "-d", "--name", mark, "-p", "127.0.0.1::8080", pulled)
    try:
        where = docker("port", mark, "8080").stdout.strip()
        name = docker("inspect", "-f", "{{.Config.Hostname}}", mark).stdout.strip()
        assert name in ask(where)
    finally:
        docker("rm", "-f", mark)  # which waits for it; the image is in use until then
        docker("image", "rm", pulled)

    checkout.inv("down", "--check", *flags[:4], KUBECONFIG=str(kubeconfig))
    left = kubectl(kubeconfig, "get", "namespaces", "-o", "name").stdout.split()
    assert "namespace/kubetour" not in left
    assert (kubeconfig.read_bytes(), objects(kubeconfig)) == before


def ask(address: str) -> str:
    """Return what a web server answers, as soon as it does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(100):
        try:
            with opener.open(f"http://{address}/", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            threading.Event().wait(0.1)
    raise AssertionError(f"{address} does not answer")


def test_a_namespace_of_theirs_is_used_if_they_labelled_it_and_given_back_as_it_was(
    checkout: Checkout, private: tuple[str, Path], tmp_path: Path
) -> None:
    _, config = private
    kubeconfig = tmp_path / "kubeconfig"
    assert kubectl(kubeconfig, "create", "namespace", "theirs").returncode == 0
    flags = ("--context", CONTEXT, "--namespace", "theirs")
    address = private[0]
    secret = ("--registry", address, "--pull-secret", str(config / "config.json"))
    only = ("--only", "namespace,pull-secret,service-account")
    told = checkout.inv("tour", *flags, *secret, *only, check=9, KUBECONFIG=str(kubeconfig))
    mark = "kubectl --context embedded-theirs label namespace theirs app.kubernetes.io/managed-by=kubetour"
    assert mark in told.stderr
    for argv in (
        mark.split()[3:],
        ["-n", "theirs", "create", "secret", "generic", "other"],
        ["-n", "theirs", "patch", "sa", "default", "-p", '{"imagePullSecrets":[{"name":"other"}]}'],
    ):
        assert kubectl(kubeconfig, *argv).returncode == 0

    checkout.inv("tour", *flags, *secret, *only, KUBECONFIG=str(kubeconfig))
    assert pull_secrets(kubeconfig) == {"other", "kubetour-registry"}
    again = checkout.inv("tour", *flags, *secret, *only, KUBECONFIG=str(kubeconfig))
    assert "Already so" in again.stdout

    checkout.inv("down", "--check", *flags, KUBECONFIG=str(kubeconfig))
    assert pull_secrets(kubeconfig) == {"other"}
    secrets = kubectl(kubeconfig, "-n", "theirs", "get", "secrets", "-o", "name").stdout.split()
    assert secrets == ["secret/other"]


def pull_secrets(kubeconfig: Path) -> set[str]:
    names = "jsonpath={.imagePullSecrets[*].name}"
    return set(kubectl(kubeconfig, "-n", "theirs", "get", "sa", "default", "-o", names).stdout.split())


def test_a_registry_that_wants_a_password_is_told_with_what_to_type(
    checkout: Checkout, private: tuple[str, Path], tmp_path: Path, mark: str
) -> None:
    environ = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "DOCKER_CONFIG": str(tmp_path / "nothing")}
    only = ("--only", "build,push", "--image", f"{mark}:1", "--registry", private[0])
    told = checkout.inv("tour", "--context", CONTEXT, *only, check=4, **environ)
    assert f"docker login {private[0]}" in told.stderr
    checkout.inv("down", "--check", "--context", CONTEXT, KUBECONFIG=environ["KUBECONFIG"])


def test_a_context_that_is_not_there_ends_it_before_anything_is_done(
    checkout: Checkout, tmp_path: Path, mark: str
) -> None:
    told = checkout.inv(
        "tour",
        "--context",
        "nobody",
        "--image",
        f"{mark}:1",
        check=5,
        KUBECONFIG=str(tmp_path / "kubeconfig"),
    )
    assert "no such context" in told.stderr
    assert not (checkout.root / ".kubetour/created.json").exists()


def test_a_context_in_the_second_of_two_kubeconfigs_is_found(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("apiVersion: v1\nkind: Config\n")
    both = f"{other}{os.pathsep}{tmp_path / 'kubeconfig'}"
    told = checkout.inv("nodes", "--context", CONTEXT, KUBECONFIG=both)
    assert f"Cluster: context {CONTEXT} at https://127." in told.stdout


@pytest.mark.fault("F53")
def test_a_namespace_that_is_not_ours_is_refused_at_once(checkout: Checkout, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    assert kubectl(kubeconfig, "create", "namespace", "kubetour").returncode == 0
    only = ("--context", CONTEXT, "--only", "namespace")
    told = checkout.inv("tour", *only, check=9, KUBECONFIG=str(kubeconfig))
    assert "Not ours to touch" in told.stderr
    assert "namespace/kubetour" in kubectl(kubeconfig, "get", "namespaces", "-o", "name").stdout
    told = checkout.inv("down", "--check", "--context", CONTEXT, check=9, KUBECONFIG=str(kubeconfig))
    assert "Not ours to touch" in told.stderr
