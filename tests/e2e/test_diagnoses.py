"""Rollouts that fail for real on the embedded cluster: each is told with its known cause, and evidence."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.apps import APPS
from tests.e2e.checkout import Checkout, Finished, make

APP = APPS[0]
CLUSTER = ("--provider", "embedded", "--cluster-name", "diagnoses", "--name", "shop")
IMAGE = ("--replicas", "1", "--image", "shop", "--app-dir", "../python", "--port", str(APP.port))
MADE = ("--only", "build,create-cluster,load")
LATE = 6  # the exit status of what is not in time
DIES = 'python3, "-c", "import sys; print({!r}); sys.exit(3)"'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout whose embedded cluster runs and has the image."""
    directory = tmp_path_factory.mktemp("diagnoses")
    (directory / "project").mkdir()
    APP.copy(directory)
    checkout = make(directory / "project")
    try:
        checkout.inv("tour", *CLUSTER, *IMAGE, *MADE, "--quiet")
        yield checkout
    finally:
        checkout.inv("down", *CLUSTER[:4], check=None)
    assert checkout.processes() == []


@pytest.fixture
def kubectl(checkout: Checkout) -> Iterator[Kubectl]:
    """Return kubectl on that cluster; afterwards nothing of the app is there, and the templates are ours."""
    (kubeconfig,) = (checkout.root / ".kubetour").glob("*diagnoses*")
    kubectl = Kubectl(kubeconfig)
    before = {path: path.read_text(encoding="utf-8") for path in (checkout.root / "templates").glob("*.j2")}
    yield kubectl
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")
    kubectl("delete", "deployment,service", "-l", "app=shop", "--cascade=foreground")
    kubectl("wait", "pod", "-l", "app=shop", "--for=delete", "--timeout=60s")


class Kubectl(NamedTuple):
    """The real kubectl, on one cluster."""

    kubeconfig: Path

    def __call__(self, *argv: str) -> str:
        command = ("kubectl", "--kubeconfig", str(self.kubeconfig), *argv)
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=90)
        return done.stdout


def change(checkout: Checkout, template: str, old: str, new: str) -> None:
    """Change what a user may: a template."""
    path = checkout.root / "templates" / f"{template}.yaml.j2"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def told_first(finished: Finished, code: str) -> str:
    """Return the first cause that is told, which must be of that code, after the error with its own."""
    assert re.match(r"✗ KT50[12] ", finished.stderr), finished.told()
    causes = [line for line in finished.stderr.splitlines() if line.startswith("  • ")]
    assert causes, finished.told()
    assert causes[0].startswith(f"  • {code} "), finished.told()
    return causes[0]


def evidence(finished: Finished) -> str:
    return "\n".join(line for line in finished.stderr.splitlines() if line.startswith("  │ "))


POLICY = "imagePullPolicy: IfNotPresent"
NOWHERE = "image: nowhere.invalid/none:1"
IMAGE_LINE = "image: {{ image | tojson }}"


@pytest.mark.parametrize(
    ("old", "new", "code", "cause", "seen"),
    [
        pytest.param(
            IMAGE_LINE,
            NOWHERE,
            "KT450",
            "has no image nowhere.invalid/none:1",
            (r"pod/shop-\S+: shop: waiting (ErrImagePull|ImagePullBackOff)", r"shop-\S+: Failed: "),
            id="ImagePullBackOff",
        ),
        pytest.param(
            f"{IMAGE_LINE}\n          {POLICY}",
            f"{NOWHERE}\n          imagePullPolicy: Never",
            "KT451",
            "imagePullPolicy: Never",
            (r"shop: waiting ErrImageNeverPull",),
            id="ErrImageNeverPull",
        ),
        pytest.param(
            POLICY,
            f"{POLICY}\n          command: [{DIES.format('last words')}]",
            "KT452",
            "its container keeps ending (exit code 3)",
            (
                r"before: terminated, exit code 3 Error; restarts: \d",
                r"shop-\S+: BackOff: ",
                r"shop-\S+: last words",
            ),
            id="CrashLoopBackOff",
        ),
        pytest.param(
            POLICY,
            f"{POLICY}\n          command: [{DIES.format('open /data: permission denied')}]",
            "KT455",
            "was not allowed something: open /data: permission denied",
            (r"shop-\S+: open /data: permission denied",),
            id="a right that the app lacks",
        ),
        pytest.param(
            POLICY,
            f"{POLICY}\n          command: [{DIES.format('write /data: no space left on device')}]",
            "KT462",
            "has no space left: write /data: no space left on device",
            (r"shop-\S+: write /data: no space left on device",),
            id="no space",
        ),
        pytest.param(
            POLICY,
            f"{POLICY}\n          env: [{{name: A, valueFrom: {{configMapKeyRef: {{name: none, key: a}}}}}}]",
            "KT456",
            "CreateContainerConfigError",
            (r"shop: waiting CreateContainerConfigError: configmap",),
            id="CreateContainerConfigError",
        ),
        pytest.param(
            "              cpu: 10m",
            '              cpu: "1000"',
            "KT457",
            "no node takes it: 0/",
            (r"PodScheduled=False Unschedulable: 0/", r"shop-\S+: FailedScheduling: 0/"),
            id="Unschedulable",
        ),
        pytest.param(
            "              port: http\n",
            "              port: 1\n",
            "KT459",
            "its readiness probe fails",
            (r"shop: running, not ready", r"shop-\S+: Unhealthy: Readiness probe failed"),
            id="probe failing",
        ),
    ],
)
@pytest.mark.fault("F46", "F47", "F48", "F49")
def test_a_rollout_that_fails_is_told_with_its_cause_first_and_the_evidence(
    checkout: Checkout, kubectl: Kubectl, old: str, new: str, code: str, cause: str, seen: tuple[str, ...]
) -> None:
    change(checkout, "deployment", old, new)
    finished = checkout.inv("deploy", *CLUSTER, *IMAGE, "--timeout", "7", check=LATE)
    assert cause in told_first(finished, code)
    for pattern in (r"deployment/shop: Available=False MinimumReplicasUnavailable: ", *seen):
        assert re.search(pattern, evidence(finished)), (pattern, finished.told())
    assert len(evidence(finished).splitlines()) < 40
    error = checkout.report()["steps"][-1]["error"]
    assert error["code"] in ("KT501", "KT502")
    assert error["diagnosis"][0].startswith(f"{code} ")
    told = checkout.inv("explain", code).stdout
    assert told.startswith(f"{code} · cause.")


@pytest.mark.parametrize(
    ("lang", "old", "new", "code", "cause"),
    [
        pytest.param(
            "zh",
            "selector:\n    app: {{ name | tojson }}",
            "selector:\n    app: shoop",
            "KT463",
            "没有选中任何 Pod：它要找 app=shoop，而",
            id="selector",
        ),
        pytest.param(
            "en", "targetPort: http", "targetPort: web", "KT464", "to a port named web", id="targetPort"
        ),
    ],
)
@pytest.mark.fault("F52")
def test_a_service_without_endpoints_is_told_with_what_is_wrong_between_it_and_the_pods(
    checkout: Checkout, kubectl: Kubectl, lang: str, old: str, new: str, code: str, cause: str
) -> None:
    checkout.inv("deploy", *CLUSTER, *IMAGE, "--timeout", "60")
    change(checkout, "service", old, new)
    finished = checkout.inv(
        "expose", *CLUSTER, "--port", str(APP.port), "--timeout", "7", lang=lang, check=LATE
    )
    assert cause in told_first(finished, code)


TAKEN = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings: [{{containerPort: 30999, hostPort: {port}, listenAddress: 127.0.0.1}}]
"""


def test_a_port_that_another_program_has_is_told_by_its_code_and_explained_in_chinese(tmp_path: Path) -> None:
    checkout = make(tmp_path)
    cluster = ("--provider", "embedded", "--cluster-name", "diagnoses-port")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "mine.yaml").write_text(TAKEN.format(port=port), encoding="utf-8")
        failed = checkout.inv("create-cluster", *cluster, "--config", "mine.yaml", check=10)
    assert failed.stderr.startswith("✗ KT710 ")
    assert f"cannot listen on host port 127.0.0.1:{port}" in evidence(failed)
    assert checkout.report()["steps"][-1]["error"]["code"] == "KT710"
    told = checkout.inv("explain", "KT710", "--lang", "zh").stdout
    assert all(word in told for word in ("退出码：10", "含义", "ss -ltnp", "如何解决"))
    checkout.inv("down", *cluster)
    assert checkout.processes() == []
