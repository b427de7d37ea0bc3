"""Experiments on a real embedded cluster: they hold, twice in a row, and each says so if its claim is broken.

A claim is broken by what could break it for anybody: somebody else's hand in the cluster, another manifest.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, Finished, make
from tests.making import put

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

KUBECTL = shutil.which("kubectl") or "kubectl"
FLAGS = ("--provider", "embedded", "--cluster-name", "lab", "--image", "shop:1", "--name", "shop")
CLAIMS = ("comes-back", "stable-address", "spread", "scaling", "self-healing", "selectors")
RUN = "run shop-pod --image shop:1 --image-pull-policy IfNotPresent --labels run=shop-pod"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout whose cluster, with the app and its Service, all experiments here share."""
    checkout = make(tmp_path_factory.mktemp("lab"))
    try:
        checkout.inv("tour", *FLAGS, "--until", "services", "--quiet")
        yield checkout
    finally:
        checkout.inv("down", "--provider", "embedded", "--cluster-name", "lab")
    assert checkout.processes() == []


def prove(lab: Checkout, *argv: str, check: int | None = 0, **environ: str) -> Finished:
    return lab.inv("prove", *argv, *FLAGS, "--timeout", "60", check=check, **environ)


def kubectl(lab: Checkout, *argv: str) -> str:
    where = (KUBECTL, "--kubeconfig", str(lab.root / ".kubetour/embedded-lab.kubeconfig"))
    return subprocess.run((*where, *argv), capture_output=True, text=True, check=True, timeout=60).stdout


def meddling(directory: Path, pattern: str, before: str = "", after: str = "") -> dict[str, str]:
    """Return an environment whose kubectl does more with a command that matches: "$K" is kubectl there."""
    body = f"""
K="{KUBECTL} $1 $2 $3 $4"
case "$*" in
*"{pattern}"*) {before or ":"}; {KUBECTL} "$@"; status=$?; {after or ":"}; exit $status ;;
esac
exec {KUBECTL} "$@"
"""
    put(directory, "kubectl", body)
    return {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def last(lab: Checkout) -> dict[str, Any]:
    step: dict[str, Any] = lab.report()["steps"][-1]
    return step


def test_every_claim_holds_and_again_and_the_tour_goes_on_after_it(lab: Checkout) -> None:
    for _ in range(2):
        prove(lab, *CLAIMS, "--quiet")
        report = lab.report()
        assert report["ok"]
        assert {step["claim"] for step in report["steps"]} == {"", *CLAIMS}
    steps = {step["step"]: step for step in report["steps"]}
    timeline = steps["scale"]["proof"]["data"]["timeline"]
    assert len(timeline["pods"]) == 2
    for pod in timeline["pods"]:
        times = [pod[stage] for stage in ("created", "scheduled", "ready")]
        assert None not in times
        assert times == sorted(times)
        assert pod["endpoint"] is not None
    assert steps["crash"]["proof"]["data"]["before"] == 0  # of a new Pod: the last one was deleted
    assert steps["crash-longer"]["proof"]["data"]["pause"] == 20
    lab.inv("tour", *FLAGS, "--from", "scale", "--quiet")
    assert lab.report()["ok"]


def test_a_bare_pod_that_somebody_makes_again_refutes_that_nothing_returns(
    lab: Checkout, tmp_path: Path
) -> None:
    environ = meddling(tmp_path, "delete pod/shop-pod", after=f"$K {RUN}")
    told = prove(lab, "comes-back", check=7, **environ)
    assert "a Pod shop-pod was made again" in told.stderr
    assert "Try it again with ./inv prove comes-back" in told.stderr
    assert last(lab)["step"] == "delete-pod"
    kubectl(lab, "delete", "pod", "shop-pod")


def test_a_service_that_is_made_anew_refutes_that_its_address_stays(lab: Checkout, tmp_path: Path) -> None:
    again = "$K delete service shop; $K expose deployment shop --name shop --port 8080"
    told = prove(lab, "stable-address", check=7, **meddling(tmp_path, "delete pods -l", before=again))
    assert "the Service shop is another one now" in told.stderr
    kubectl(lab, "delete", "service", "shop")


@pytest.mark.fault("F58")
def test_a_service_that_ties_clients_to_pods_does_not_spread(lab: Checkout) -> None:
    template = lab.root / "templates/service.yaml.j2"
    before = template.read_text(encoding="utf-8")
    template.write_text(before.replace("spec:\n", "spec:\n  sessionAffinity: ClientIP\n"), encoding="utf-8")
    try:
        told = lab.inv("prove", "spread", *FLAGS, "--timeout", "8", check=6)
        assert "1 of 3 Pods have answered" in told.stderr
    finally:
        template.write_text(before, encoding="utf-8")


# Forwards as a balancer would: each connection goes to the Service, not to the Pod that was picked first.
SPREADS = """
import socket, sys, threading
def carry(source, to):
    while data := source.recv(65536):
        to.sendall(data)
    to.shutdown(socket.SHUT_WR)
with socket.create_server(("127.0.0.1", 0)) as listener:
    port = listener.getsockname()[1]
    print(f"Forwarding from 127.0.0.1:{port} -> 8080", flush=True)
    while True:
        here, _ = listener.accept()
        print("Handling connection for", port, flush=True)
        there = socket.create_connection((sys.argv[1], 8080))
        for pair in ((here, there), (there, here)):
            threading.Thread(target=carry, args=pair, daemon=True).start()
"""


def test_forwarding_that_spreads_refutes_that_it_leads_to_one_pod(lab: Checkout, tmp_path: Path) -> None:
    forwarder = tmp_path / "spreads.py"
    forwarder.write_text(SPREADS, encoding="utf-8")
    address = "$K get service shop -o jsonpath={.spec.clusterIP}"
    spread = f'exec {sys.executable} {forwarder} "$({address})"'
    told = prove(lab, "spread", check=7, **meddling(tmp_path, "port-forward", before=spread))
    assert "60 connections through one forwarded port were answered by" in told.stderr
    assert last(lab)["step"] == "port-forward"


def test_a_kubectl_that_forwards_as_old_ones_do_is_told_why_nothing_was_tried(lab: Checkout) -> None:
    told = prove(lab, "spread", KUBECTL_PORT_FORWARD_WEBSOCKETS="false")
    assert "Not tried: kubectl could open no stream to a Pod" in told.stdout
    (note,) = last(lab)["proof"]["notes"]
    assert "WebSockets only, which kubectl does since 1.30, and 1.31 for" in note


def test_ctrl_c_while_a_port_is_forwarded_leaves_nothing_running(lab: Checkout, tmp_path: Path) -> None:
    waits = f"""
case "$(tr '\\0' ' ' </proc/$PPID/cmdline)" in *kubetour.forwarded*) echo reached; exec sleep 600 ;; esac
exec {shutil.which("curl") or f"{sys.executable} -m kubetour.curl"} "$@"
"""
    put(tmp_path, "curl", waits)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    before = lab.processes()
    with lab.start("prove", "spread", *FLAGS, PATH=path) as proving:
        assert proving.stdout is not None
        told = "".join(iter(proving.stdout.readline, "reached\n"))
        assert "Forwarding from 127.0.0.1:" in told
        forwards = [words for words in lab.processes() if "port-forward" in words]
        assert len(forwards) >= 2  # kubectl, and the program that has started it
        os.kill(proving.pid, signal.SIGINT)
        rest = proving.stdout.read()
    assert proving.returncode == 130, rest
    assert sorted(lab.processes()) == sorted(before)


def test_where_no_node_takes_pods_declaring_a_number_is_not_enough(lab: Checkout) -> None:
    nodes = kubectl(lab, "get", "nodes", "-o", "name").split()
    prove(lab, "stable-address", "--quiet")  # one replica is there
    kubectl(lab, "cordon", *(name.removeprefix("node/") for name in nodes))
    try:
        told = lab.inv("prove", "scaling", *FLAGS, "--timeout", "8", check=6)
    finally:
        kubectl(lab, "uncordon", *(name.removeprefix("node/") for name in nodes))
    assert last(lab)["step"] == "scale"
    assert "unschedulable" in told.stderr


def test_a_pod_that_is_never_restarted_refutes_that_its_container_is(lab: Checkout) -> None:
    kubectl(lab, *RUN.split(), "--restart", "Never")
    kubectl(lab, "wait", "--for=condition=Ready", "pod/shop-pod", "--timeout=30s")
    told = prove(lab, "self-healing", check=7)
    assert "has ended for good (Failed), as its restartPolicy is Never" in told.stderr
    kubectl(lab, "delete", "pod", "shop-pod")


def test_a_pod_with_the_wrong_label_refutes_that_a_typing_error_finds_nobody(lab: Checkout) -> None:
    kubectl(lab, *RUN.replace("run=shop-pod", "app=shop-typo").split())
    try:
        told = prove(lab, "selectors", check=7)
        assert "the Service shop finds Pods even by app=shop-typo: shop-pod" in told.stderr
        # What was broken on purpose is put back all the same.
        assert kubectl(lab, "get", "service", "shop", "-o", "jsonpath={.spec.selector.app}") == "shop"
    finally:
        kubectl(lab, "delete", "pod", "shop-pod")
    prove(lab, "selectors", "--quiet")


def test_a_service_that_finds_nobody_is_diagnosed_by_the_key_that_differs(
    lab: Checkout, tmp_path: Path
) -> None:
    typo = '$K patch service shop --type merge -p "{\\"spec\\":{\\"selector\\":{\\"app\\":\\"shp\\"}}}"'
    environ = meddling(tmp_path, "scale deployment/shop", before=typo)
    told = lab.inv("prove", "scaling", *FLAGS, "--timeout", "8", check=6, **environ)
    assert "it looks for app=shp, but" in told.stderr
    assert "have app=shop (key: app)" in told.stderr
