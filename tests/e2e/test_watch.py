"""The live picture on the embedded cluster: in a real terminal, and on a pipe."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker.forbidding import forbidding
from tests.e2e.checkout import Checkout, make
from tests.e2e.window import CTRL_C, terminal

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

CLUSTER = ("--provider", "embedded", "--cluster-name", "watched", "--name", "web")
STEPS = "build,create-cluster,load,deploy,expose"
POD = r"web-[0-9a-z]+-[0-9a-z]{5}"
ROW = rf"● {POD} 1/1 Running +▶ +\d+"
NO_COLOUR: Any = {"NO_COLOR": "1"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout whose workload has one Pod; afterwards, nothing of it runs."""
    checkout = make(tmp_path_factory.mktemp("watched"))
    try:
        checkout.inv("tour", *CLUSTER, "--image", "watched", "--only", STEPS, "--quiet")
        yield checkout
    finally:
        checkout.inv("down", "--check", *CLUSTER)
    assert checkout.processes() == []


@pytest.fixture
def one_pod(checkout: Checkout) -> Checkout:
    """Return the checkout, with one Pod running."""
    checkout.inv("scale", "--replicas", "1")
    return checkout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_scaled_pod_appears_with_its_answers_and_ctrl_c_ends_it(one_pod: Checkout, lang: str) -> None:
    with terminal(one_pod, "watch", lang=lang, **NO_COLOUR) as shown:
        shown.read_until(r"● 1 Running")
        one_pod.inv("scale", "--replicas", "3")  # beside it: it holds no lock
        shown.read_until(r"● 3 Running")
        shown.read_until(rf"▶ +[1-9]\d* │\s+│ {ROW}", len(shown.shown) - 1)
        shown.type(CTRL_C)
        assert shown.end() == 0
    last = shown.shown[shown.shown.rindex("Service web") :]
    assert len(set(re.findall(rf"● {POD}", last))) == 3  # those of the test before may drain yet
    assert all(len(line) <= 80 for line in last.splitlines())
    assert "Traceback" not in shown.shown
    assert not re.search(r"\x1b\[[0-9;]+m", shown.raw)  # moves, and no colour


def test_a_narrow_window_shortens_names_and_each_line_fits(checkout: Checkout) -> None:
    with terminal(checkout, "watch", "--requests-per-second", "0", columns=40) as shown:
        shown.read_until(r"● [0-9a-z]{5} 1/1 Running +▶ │")
        shown.type(CTRL_C)
        assert shown.end() == 0
    last = shown.shown[shown.shown.rindex("Service web") :]
    assert all(len(line) <= 40 for line in last.splitlines())


def test_on_a_pipe_each_change_is_a_line_and_a_pod_that_is_killed_is_seen_to_go(one_pod: Checkout) -> None:
    with one_pod.start("watch", "--requests-per-second", "0") as watch:
        assert watch.stdout
        lines = []
        for line in watch.stdout:
            lines.append(line)
            if re.search(rf"endpoint/{POD}  ready", line):
                break
        ending = re.findall(rf"pod/({POD})  \S+  Terminating", "".join(lines))
        one_pod.inv("scale", "--replicas", "2")
        one_pod.inv("scale", "--replicas", "1")
        for line in watch.stdout:
            lines.append(line)
            gone = re.search(rf"pod/({POD})  gone", line)
            if gone and gone[1] not in ending:  # those of an earlier test drain for a while
                break
        os.kill(watch.pid, signal.SIGINT)
        rest = watch.stdout.read()
    assert watch.returncode == 0, rest
    told = "".join(lines)
    story = r"Pending(?s:.*)ContainerCreating(?s:.*)1/1  Running(?s:.*)1/1  Terminating"
    assert re.search(story, told), told
    assert "\x1b" not in told + rest


def test_a_signal_that_is_no_ctrl_c_has_its_own_exit_status(checkout: Checkout) -> None:
    with checkout.start("watch") as watch:
        assert watch.stdout
        for line in watch.stdout:
            if "pod/" in line:
                break
        os.kill(watch.pid, signal.SIGTERM)
        watch.stdout.read()
    assert watch.returncode == 128 + signal.SIGTERM


def test_scaling_shows_the_picture_while_it_waits_and_leaves_it_once(one_pod: Checkout) -> None:
    with terminal(one_pod, "scale", "--replicas", "3", **NO_COLOUR) as shown:
        assert shown.end() == 0
    assert re.search(r"● 1 Running\s", shown.shown)
    final = shown.shown[shown.shown.rindex("Service web") :]
    assert len(re.findall(rf"● {POD} 1/1 Running +▶ │", final)) == 3
    assert "✓ Declared 3, observed 3" in final


def test_scaling_on_a_pipe_shows_no_picture(checkout: Checkout) -> None:
    told = checkout.inv("scale", "--replicas", "2").stdout
    assert "┌" not in told
    assert "✓ Declared 2, observed 2" in told


def test_who_may_not_list_nodes_sees_those_that_pods_are_on(checkout: Checkout, tmp_path: Path) -> None:
    kubeconfig = checkout.root / ".kubetour/embedded-watched.kubeconfig"
    context = ("--provider", "context", "--context", "embedded-watched", "--requests-per-second", "0")

    def kubectl(*argv: str) -> None:
        subprocess.run(["kubectl", "--kubeconfig", str(kubeconfig), *argv], check=True, capture_output=True)

    kubectl("create", "namespace", "kubetour")
    kubectl("create", "deployment", "web", "--image", "nowhere.invalid/web:1", "--namespace", "kubetour")
    with (
        forbidding(kubeconfig, tmp_path) as (through, proxy),
        terminal(checkout, "watch", *context, KUBECONFIG=str(through)) as shown,
    ):
        shown.read_until(rf"┌─ watched-worker2? ─+┐\s+│ ✗ {POD} 0/1 \w*Image\w* ")
        shown.type(CTRL_C)
        assert shown.end() == 0
    kubectl("delete", "namespace", "kubetour")
    assert "control-plane" not in shown.shown
    assert "GET /api/v1/nodes" in proxy.refused


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        (("--requests-per-second", "many"), 2, "--requests-per-second"),
        (("--requests-per-second", "51"), 2, "from 0 to 50"),
        (("--cluster-name", "elsewhere", "--timeout", "1"), 5, "./inv create-cluster"),
    ],
    ids=["no number", "too many", "no cluster"],
)
def test_what_cannot_be_watched_is_refused(
    checkout: Checkout, argv: tuple[str, ...], status: int, says: str
) -> None:
    told = checkout.inv("watch", *argv, check=status)
    assert says in told.stderr
    assert "Traceback" not in told.stderr
