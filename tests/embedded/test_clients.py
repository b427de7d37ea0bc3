"""Other clients than kubectl: each does the same small flow on a cluster whose Pods are real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.embedded.test_streams import Cluster, cluster

__all__ = ["cluster"]
CLIENTS = Path(__file__).parent / "clients"
SAID = "available\nscaled to 2\n{log}applied {{'a': '2'}}\n404 Not Found\n"


@pytest.mark.parametrize("name", ["asyncio", "kr8s", "lightkube"])
def test_a_client_does_the_whole_flow(cluster: Cluster, name: str) -> None:
    if name != "asyncio" and not find_spec(name) and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed: it is of the extra `dev`")
    # Apart, as they leave sockets to the garbage collector.
    done = subprocess.run(
        [sys.executable, CLIENTS / f"with_{name}.py", cluster.kubeconfig, "shop:1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    cluster.kubectl("delete", "deployment/shop", "configmap/settings", "--ignore-not-found")
    assert done.returncode == 0, done.stderr
    assert done.stdout == SAID.format(log="listening\nasked /ready\n")
