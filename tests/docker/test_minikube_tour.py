"""What is minikube's own: the project's tasks, a real engine, and its stand-in. See test_pairs, too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.conftest import Desk, inv, lines
from tests.docker.test_kind_tour import assert_told, report, step, well


def where(desk: Desk) -> str:
    """Return the flags that name the provider and the profile."""
    return f"--provider minikube --cluster-name {desk.cluster}"


def flags(desk: Desk) -> str:
    """Return the flags that give everything a name of the test's own."""
    return f"{where(desk)} --image {desk.image} --name w{desk.cluster} --timeout 90"


def one_node(desk: Desk) -> str:
    """Return the command that makes the smallest cluster."""
    return f"create-cluster {where(desk)} --workers 0"


def profiles(desk: Desk) -> list[str]:
    """Return the names of all profiles."""
    listed = json.loads(well(desk.run("minikube profile list -o json")).stdout)
    return [profile["Name"] for kind in ("valid", "invalid") for profile in listed[kind]]


@pytest.fixture
def checkout(project: Desk) -> Iterator[Desk]:
    """Return the desk with a copy of the project on it; afterwards `inv down` must leave no profile."""
    yield project
    well(project.run(inv(f"down --check {where(project)}")))
    assert profiles(project) == []


def test_a_profile_of_ours_is_started_again_and_gets_the_nodes_that_it_lacks(checkout: Desk) -> None:
    well(checkout.run(inv(one_node(checkout))))
    well(checkout.run(f"minikube -p {checkout.cluster} stop"))
    well(checkout.run(inv(one_node(checkout))))
    assert not step(report(checkout), "create-cluster")["already"]
    well(checkout.run(inv(f"tour {flags(checkout)} --workers 2 --until load"), timeout=300))
    record = report(checkout)
    assert step(record, "create-cluster")["already"]
    assert len(step(record, "add-nodes")["commands"]) == 3
    names = [checkout.cluster, f"{checkout.cluster}-m02", f"{checkout.cluster}-m03"]
    assert checkout.machines() == names
    assert step(record, "load")["proof"]["data"]["nodes"] == names


def test_the_script_of_the_tour_runs_by_itself(checkout: Desk) -> None:
    script = well(checkout.run([*inv("")[:3], "--dry", *inv(f"tour {flags(checkout)} --down")[3:]])).stdout
    (checkout.folder / "tour.sh").write_text(script)
    ran = well(checkout.run(["sh", "-eu", "tour.sh"], timeout=300))
    assert "Done! kubectl is now configured" in ran.stdout
    assert checkout.machines() == []


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_profile_of_that_name_that_is_not_ours_is_left_alone(checkout: Desk, state: str) -> None:
    name = checkout.cluster
    well(checkout.run(f"KUBECONFIG=./theirs minikube -p {name} start --force"))
    try:
        if state == "stopped":
            well(checkout.run(f"minikube -p {name} stop"))
        tried = checkout.run(inv(f"{one_node(checkout)} --timeout 20"))
        assert tried.returncode == 9, tried.stdout + tried.stderr
        down = checkout.run(inv(f"down --check {where(checkout)}"))
        assert down.returncode == 9
        assert checkout.machines() == [name]
        running = lines("inspect", "-f", "{{.State.Running}}", name) == ["true"]
        assert running is (state == "running")
        if running:
            labels = checkout.run("kubectl --kubeconfig ./theirs get nodes --show-labels").stdout
            assert "managed-by=kubetour" not in labels
    finally:
        well(checkout.run(f"KUBECONFIG=./theirs minikube -p {name} delete"))


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        ("memory", 10, ["RSRC_INSUFFICIENT_CONTAINER_MEMORY", "--workers 0"]),
        ("engine", 4, ["PROVIDER_DOCKER_NOT_RUNNING", "doctor"]),
        ("provision", 4, ["GUEST_PROVISION"]),
        ("space", 10, ["no space left on device", "system prune"]),
    ],
    ids=["memory", "driver", "container", "disk"],
)
def test_where_no_cluster_comes_up_the_cause_and_the_fix_are_told(
    checkout: Desk, failure: str, status: int, words: list[str]
) -> None:
    done = checkout.run(inv(one_node(checkout)), MINIKUBE_STANDIN_FAIL=failure)
    assert_told(done, words)
    assert done.returncode == status
    assert (checkout.folder / ".kubetour" / "logs" / f"minikube-{checkout.cluster}.txt").exists()
    # What such a start leaves behind is known to be ours, and only that.
    left = profiles(checkout)
    ledger = json.loads((checkout.folder / ".kubetour" / "created.json").read_text())
    assert (f"minikube-cluster/{checkout.cluster}" in json.dumps(ledger)) is (left == [checkout.cluster])


def test_where_an_image_cannot_be_loaded_the_cause_and_the_fix_are_told(checkout: Desk) -> None:
    well(checkout.run(inv(f"build --provider minikube --image {checkout.image}")))
    well(checkout.run(inv(f"create-cluster {where(checkout)} --workers 1")))
    for failure in ("load", "digest"):  # minikube says neither
        done = checkout.run(inv("load"), MINIKUBE_STANDIN_FAIL=failure)
        assert_told(done, ["no such image", "minikube image load"])
    well(checkout.run(inv("load")))
    home = Path(checkout.environment["HOME"])
    assert not list(home.glob(".minikube/cache/**/*")), "the image was kept in minikube's cache"


def test_where_the_profile_cannot_be_deleted_it_stays_in_the_ledger(checkout: Desk) -> None:
    well(checkout.run(inv(one_node(checkout))))
    assert_told(checkout.run(inv("down --check"), MINIKUBE_STANDIN_FAIL="delete"), ["Failed to delete"])
    assert checkout.machines() == [checkout.cluster]
    well(checkout.run(inv("down --check")))
    assert checkout.machines() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupt_while_the_cluster_is_made_says_how_to_go_on(
    checkout: Desk, number: signal.Signals
) -> None:
    with subprocess.Popen(
        inv(one_node(checkout)),
        cwd=checkout.folder,
        env={**checkout.environment, "MINIKUBE_STANDIN_FAIL": "stall"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not checkout.machines():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "./inv down" in err
    well(checkout.run(inv("down --check")))
    assert checkout.machines() == []
