"""The cluster goes wrong: its API server dies or freezes, watches break, nodes fail, objects stay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, Finished, make
from tests.faults import proxy, theirs
from tests.faults.proxy import Faults, Proxy
from tests.faults.theirs import CONTEXT, Theirs, told

OURS = ("--provider", "embedded", "--cluster-name", "faults", "--replicas", "2")
HERE = OURS[:4]
LOST = "Kubelet stopped posting node status."


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout with an embedded cluster of its own, whose nodes have the image."""
    checkout = make(tmp_path_factory.mktemp("ours"))
    try:
        checkout.inv("tour", *OURS, "--only", "build,create-cluster,load", "--quiet")
        yield checkout
    finally:
        checkout.clean(*HERE)


def server(checkout: Checkout) -> int:
    """Return the process of the checkout's API server."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"serve" in words and (process / "cwd").readlink().is_relative_to(checkout.root):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(checkout.processes())


def during(
    checkout: Checkout, step: str, strike: Callable[[], object], *argv: str, lang: str = "en"
) -> Finished:
    """Take the tour up to a step, let something strike when that one begins, and return how it ended."""
    with subprocess.Popen(
        checkout.command("tour", *OURS, *argv),
        cwd=checkout.root,
        env=checkout.environ(lang),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as tour:
        assert tour.stdout
        assert tour.stderr
        before = []
        for line in tour.stdout:
            before.append(line)
            if f"· {step} ·" in line:
                strike()
                break
        rest, errors = tour.communicate(timeout=90)
    return Finished(tour.returncode, "".join(before) + rest, errors)


@pytest.mark.fault("F40")
@pytest.mark.parametrize(
    ("step", "lang", "words"),
    [
        ("run-pod", "en", ("The API server cannot be reached", "./inv create-cluster")),
        ("deploy", "zh", ("无法连接 API 服务器", "./inv create-cluster")),
        ("scale", "en", ("./inv create-cluster",)),
    ],
)
def test_an_api_server_that_is_killed_is_told_and_started_again_with_all_it_had(
    ours: Checkout, step: str, lang: str, words: tuple[str, ...]
) -> None:
    if step == "scale":
        ours.inv("tour", *OURS, "--only", "deploy,expose,hit", "--quiet")
    dead = server(ours)
    failed = during(
        ours, step, lambda: os.kill(dead, signal.SIGKILL), "--only", step, "--timeout", "5", lang=lang
    )
    assert failed.status == 5, failed.told()
    told(failed, "KT40", *words)
    assert f"./inv tour --from {step}" in failed.stderr
    ours.inv("create-cluster", *HERE)
    assert server(ours) != dead
    ours.inv("tour", *OURS, "--only", step, "--quiet")


@pytest.mark.fault("F41")
def test_an_api_server_that_is_frozen_ends_the_step_and_thawed_it_goes_on(ours: Checkout) -> None:
    pid = server(ours)
    try:
        failed = during(
            ours,
            "deploy",
            lambda: os.kill(pid, signal.SIGSTOP),
            "--only",
            "deploy",
            "--timeout",
            "1",
            lang="zh",
        )
    finally:
        os.kill(pid, signal.SIGCONT)
    assert failed.status == 6, failed.told()
    told(failed, "KT505", "秒内没有结束，已被终止", "kubectl cluster-info")
    ours.inv("tour", *OURS, "--only", "deploy", "--quiet")


@pytest.mark.fault("F45")
def test_a_node_that_is_not_ready_is_named_with_why_and_the_step_holds_once_it_is_back(
    ours: Checkout,
) -> None:
    node = "faults-worker2"
    embedded = [*ours.command()[:2], "kubetour.embedded"]

    def order(verb: str) -> None:
        done = subprocess.run(
            [*embedded, verb, "node", node], cwd=ours.root, env=ours.environ("en"), capture_output=True,
            text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    order("stop")
    try:
        # What the control plane finds out in 40 seconds.
        lost = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": LOST}
        patch = json.dumps({"status": {"conditions": [lost]}})
        kubectl = ("kubectl", "--kubeconfig", ".kubetour/embedded-faults.kubeconfig")
        subprocess.run(
            [*kubectl, "patch", "node", node, "--subresource=status", "-p", patch],
            cwd=ours.root, check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        failed = ours.inv("nodes", *HERE, "--timeout", "10", check=6)
    finally:
        order("start")
    told(failed, "KT501", "  • KT458 ", f"Node {node} is not Ready", LOST)
    ours.inv("nodes", *HERE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theirs]:
    """Return a cluster of someone else's, with our namespace in it."""
    with theirs.cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made
        made.down()


@pytest.fixture(scope="module")
def between(cluster: Theirs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Proxy]]:
    with proxy.before(cluster.kubeconfig, tmp_path_factory.mktemp("proxy")) as (kubeconfig, running):
        yield kubeconfig, running


@pytest.mark.fault("F42")
def test_a_server_that_is_away_while_a_step_is_judged_is_asked_again_until_it_is_back(
    cluster: Theirs, between: tuple[Path, Proxy]
) -> None:
    through, running = between
    running.faults = Faults("status", ("watch=1",), times=3, status=500, message="shutting down")
    cluster.tour("namespace,deploy", "--timeout", "30", through=through)
    assert running.faults.struck.is_set()
    running.faults = Faults()


@pytest.mark.fault("F43")
@pytest.mark.parametrize("way", ["dropped", "gone", "doubled"])
def test_a_watch_that_breaks_off_or_repeats_itself_loses_nothing(
    cluster: Theirs, between: tuple[Path, Proxy], way: str
) -> None:
    through, running = between
    cluster.tour("namespace,deploy,expose")
    running.faults = Faults(way, ("watch=1",))
    cluster.tour("scale", "--timeout", "30", replicas=3, through=through)
    cluster.tour("scale", "--timeout", "30", replicas=1, through=through)
    assert running.faults.struck.is_set()
    watches = [request for request in running.faults.seen if "watch=1" in request]
    assert len(watches) < 200, "asked again and again without a pause"
    running.faults = Faults()


@pytest.mark.fault("F44")
def test_a_watch_that_never_tells_anything_ends_at_the_deadline(
    cluster: Theirs, between: tuple[Path, Proxy]
) -> None:
    through, running = between
    cluster.tour("namespace,deploy,expose")
    running.faults = Faults("nothing", ("watch=",))
    failed = cluster.tour("scale", "--timeout", "10", replicas=3, lang="zh", check=6, through=through)
    running.faults = Faults()
    told(failed, "KT50", "--timeout")
    cluster.tour("scale", replicas=3)


@pytest.mark.fault("F55")
def test_what_others_put_into_our_namespace_is_named_and_stays(cluster: Theirs) -> None:
    cluster.tour("namespace,deploy")
    inside = ("--namespace", "kubetour")
    cluster.kubectl("create", "configmap", "of-theirs", "--from-literal=a=b", *inside)
    before = cluster.kubectl("get", "configmap", "of-theirs", "-o", "json", *inside)
    refused = cluster.inv("down", "--context", CONTEXT, check=9)
    told(refused, "KT720", "namespace kubetour", "ConfigMap/of-theirs", "then ./inv down again")
    assert cluster.kubectl("get", "configmap", "of-theirs", "-o", "json", *inside) == before
    cluster.kubectl("delete", "configmap", "of-theirs", *inside)
    cluster.down()
    cluster.down()  # with nothing left, the second does nothing


@pytest.mark.fault("F54")
def test_an_app_of_the_very_name_that_others_made_is_neither_changed_nor_removed(cluster: Theirs) -> None:
    cluster.kubectl("create", "namespace", "shared")
    cluster.kubectl("label", "namespace", "shared", "app.kubernetes.io/managed-by=kubetour")
    cluster.kubectl("create", "deployment", "node-hostname", "--image", "localhost:5/web:1", "-n", "shared")
    look = ("get", "deployment", "node-hostname", "-n", "shared", "-o", "jsonpath={.metadata.uid} {.spec}")
    before = cluster.kubectl(*look)
    failed = cluster.tour("deploy", "--namespace", "shared", "--timeout", "20", check=9)
    told(failed, "KT717", "Deployment/node-hostname", "--name NAME")
    told(
        cluster.inv("down", "--context", CONTEXT, "--namespace", "shared", lang="zh", check=9),
        "KT717",
        "Deployment/node-hostname",
    )
    assert cluster.kubectl(*look) == before
    cluster.kubectl("delete", "namespace", "shared")
    cluster.inv("down", "--check", "--context", CONTEXT, "--namespace", "shared")


@pytest.mark.fault("F56")
def test_a_namespace_that_hangs_on_a_finalizer_is_told_and_the_finalizer_stays(cluster: Theirs) -> None:
    cluster.tour("namespace,deploy")
    hook = {"metadata": {"finalizers": ["example.com/hook"]}}
    cluster.kubectl("create", "configmap", "held", "-n", "kubetour")
    cluster.kubectl("label", "configmap", "held", "app.kubernetes.io/managed-by=kubetour", "-n", "kubetour")
    cluster.kubectl("patch", "configmap", "held", "-n", "kubetour", "-p", json.dumps(hook))
    failed = cluster.inv("down", "--context", CONTEXT, "--timeout", "3", check=6)
    told(failed, "KT502", "timed out waiting", "--timeout SECONDS")
    assert "SomeFinalizersRemain: " in failed.stdout
    assert "example.com/hook in 1 resource instances" in failed.stdout
    assert "example.com/hook" in cluster.kubectl("get", "configmap", "held", "-n", "kubetour", "-o", "json")
    cluster.kubectl("patch", "configmap", "held", "-n", "kubetour", "-p", '{"metadata":{"finalizers":null}}')
    cluster.down()
