"""The experiments under load on the embedded cluster: they hold, and what is broken refutes them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)
NAME = "load"
FLAGS = ("--provider", "embedded", "--cluster-name", NAME, "--name", NAME, "--image", NAME)
CLAIMS = ("nothing-lost", "bad-release", "node-failure", "ready-only")
STEPS = [
    *("scale-under-load", "update-under-load", "delete-under-load", "bad-release"),
    *("slow-start", "slow-start-unprobed", "stop-node", "start-node"),
]
# A silent node is noticed after some seconds, as kind would notice it with the same config.
NOTICED_SOON = """
kubeadmConfigPatches:
  - |
    kind: ClusterConfiguration
    controllerManager:
      extraArgs:
        node-monitor-grace-period: 4s
"""


def checkout_in(directory: Path, **broken: tuple[str, str]) -> Checkout:
    """Return a checkout in which texts of the app or of the Deployment's template are other ones."""
    checkout = make(directory)
    with (directory / "kind-config.yaml").open("a") as config:
        config.write(NOTICED_SOON)
    files = {"app": directory / "app/app.js", "template": directory / "templates/deployment.yaml.j2"}
    for name, (pattern, text) in broken.items():
        path = files[name.rstrip("_")]
        changed, count = re.subn(pattern, text, path.read_text(), count=1, flags=re.DOTALL)
        assert count == 1, name
        path.write_text(changed)
    return checkout


def kubectl(checkout: Checkout, *argv: str) -> Any:
    """Return what kubectl says of the cluster, as JSON."""
    kubeconfig = checkout.root / f".kubetour/embedded-{NAME}.kubeconfig"
    command = ["kubectl", "--kubeconfig", str(kubeconfig), *argv, "-o", "json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def steps(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """Return the experiments' steps in the record of the last run, by id."""
    return {step["step"]: step for step in checkout.report()["steps"] if step["claim"]}


def assert_as_before(checkout: Checkout) -> None:
    """Assert that nothing is left of an experiment in the Deployment, and that every node is ready."""
    deployment = kubectl(checkout, "get", "deployment", NAME)
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert deployment["spec"]["replicas"] == 3
    assert "no-such-release" not in container["image"]
    assert [each["name"] for each in container["env"]] == ["DRAIN_MS"]
    assert "tolerations" not in spec
    for node in kubectl(checkout, "get", "nodes")["items"]:
        (ready,) = (each for each in node["status"]["conditions"] if each["type"] == "Ready")
        assert ready["status"] == "True", node["metadata"]["name"]


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Return a directory for a checkout; afterwards, nothing of it may run."""
    directory = tmp_path / "project"
    directory.mkdir()
    yield directory
    checkout = Checkout(directory)
    checkout.inv("down", check=None)
    assert checkout.processes() == []


def test_every_claim_holds_again_and_again_and_all_is_as_before(directory: Path) -> None:
    checkout = checkout_in(directory)
    told = checkout.inv("prove", *CLAIMS, *FLAGS)
    proved = steps(checkout)
    assert list(proved) == STEPS
    assert all(step["proof"]["holds"] for step in proved.values())
    for name in STEPS[:5]:
        load = proved[name]["proof"]["data"]["load"]
        assert load["failed"] == 0
        assert load["requests"] == sum(row["ok"] for row in load["seconds"]) > 100
        assert sum(sum(row["by"].values()) for row in load["seconds"]) == load["requests"]
    assert proved["slow-start-unprobed"]["proof"]["data"]["load"]["failed"] > 0
    assert re.search(r"^ +0s  █+ +\d+$", told.stdout, re.MULTILINE)
    assert_as_before(checkout)
    checkout.inv("prove", "nothing-lost", "ready-only", lang="zh")
    assert all(step["proof"]["holds"] for step in steps(checkout).values())
    assert_as_before(checkout)


SLOW_ANSWERS = (r"  response\.end\(body\);", "  setTimeout(() => response.end(body), 500);")
DEAF = (r"const startupMs = number\('STARTUP_MS'", "const startupMs = number('NEVER_SET'")
DROPPING = (
    r"  response\.end\(body\);(.*)  stopping = true;",
    r"  setTimeout(() => response.end(body), 500);\1  process.exit(0);",
)
RECREATE = (r"  selector:", "  strategy:\n    type: Recreate\n  selector:")
UNPROBED = (r"          readinessProbe:.*periodSeconds: 1\n", "")
PINNED = (
    r"      containers:",
    f"      nodeSelector:\n        kubernetes.io/hostname: {NAME}-worker2\n      containers:",
)


@pytest.mark.parametrize(
    ("claim", "broken", "step", "proof"),
    [
        ("nothing-lost", {"app": DROPPING}, "scale-under-load", "proof.requests-lost"),
        ("bad-release", {"template": RECREATE}, "bad-release", "proof.requests-lost"),
        ("ready-only", {"template": UNPROBED}, "slow-start", "proof.requests-lost"),
        ("ready-only", {"app": DEAF}, "slow-start-unprobed", "proof.ready-unprobed-kept"),
    ],
    ids=["the app drops what is under way", "Recreate", "no probe", "the app starts at once"],
)
def test_a_claim_that_is_broken_is_refuted_and_all_is_as_before(
    directory: Path, claim: str, broken: dict[str, tuple[str, str]], step: str, proof: str
) -> None:
    checkout = checkout_in(directory, **broken)
    told = checkout.inv("prove", claim, *FLAGS, check=7)
    last = list(steps(checkout).values())[-1]
    assert (last["step"], last["proof"]["holds"]) == (step, False)
    assert "Refuted: " in told.stderr
    assert_as_before(checkout)


def test_pods_that_can_run_nowhere_else_do_not_move_and_the_node_is_started_again(directory: Path) -> None:
    checkout = checkout_in(directory, template=PINNED)
    told = checkout.inv("prove", "node-failure", *FLAGS, "--timeout", "20", check=None)
    assert told.status == 6, told.told()
    assert "0 of 3 Pods are ready on other nodes" in told.stderr
    checkout.inv("deploy")  # waits until all is as it is to be
    assert_as_before(checkout)


def test_ctrl_c_in_the_middle_of_an_experiment_puts_all_back(directory: Path) -> None:
    checkout = checkout_in(directory)
    with checkout.start("prove", "bad-release", *FLAGS) as prove:
        assert prove.stdout is not None
        for line in prove.stdout:
            if "image updated" in line:
                break
        os.kill(prove.pid, signal.SIGINT)
        rest = prove.stdout.read()
    assert prove.returncode == 130, rest
    assert "replaced" in rest
    assert_as_before(checkout)
