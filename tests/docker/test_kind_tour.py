"""What is kind's own: the project's tasks, a real engine, and the stand-in for kind. See test_pairs, too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.docker.conftest import Desk, Done, docker, inv, lines

TOUR = [
    *(
        "tools",
        "app",
        "build-context",
        "build",
        "layers",
        "shared-layers",
        "run-container",
        "hit-container",
        "container-logs",
        "stop-container",
        "not-a-vm",
    ),
    *("create-cluster", "cluster-info", "nodes", "describe-node", "load"),
    *("run-pod", "describe-bare-pod", "expose-pod", "hit-pod", "crash", "delete-pod"),
    *(
        "deploy",
        "replace-pod",
        "expose",
        "services",
        "hit-inside",
        "hit",
        "picture",
        "same-address",
        "hit-again",
        "scale",
        "hit-all",
        "scale-under-load",
        "pods",
        "describe-pod",
    ),
]


def flags(desk: Desk) -> str:
    """Return the flags that give everything a name of the test's own."""
    return f"--provider kind --cluster-name {desk.cluster} --image {desk.image} --name w{desk.cluster}"


def one_node(desk: Desk) -> str:
    """Return the command that makes the smallest cluster."""
    return f"create-cluster --provider kind --cluster-name {desk.cluster} --workers 0"


def report(desk: Desk) -> dict[str, Any]:
    """Return the youngest run's record."""
    newest = max(desk.folder.glob(".kubetour/runs/*/report.json"), key=lambda path: path.stat().st_mtime)
    record: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return record


def step(record: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one step of a record."""
    found: dict[str, Any] = next(each for each in record["steps"] if each["step"] == name)
    return found


def well(done: Done) -> Done:
    """Return a command's outcome, after seeing that it ended well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_changed_app_is_another_image_and_rolls_out(project: Desk) -> None:
    steps = "build,load,deploy,expose,hit"
    well(project.run(inv(f"tour {flags(project)} --workers 0 --timeout 90 --only create-cluster,{steps}")))
    app = project.folder / "app" / "app.js"
    app.write_text(app.read_text().replace("You've hit", "You've now hit"))
    well(project.run(inv(f"tour --only {steps}")))
    assert "You've now hit" in json.dumps(report(project)["steps"])


def test_the_script_of_the_tour_runs_by_itself(project: Desk) -> None:
    script = well(project.run([*inv("")[:3], "--dry", *inv(f"tour {flags(project)} --down")[3:]])).stdout
    (project.folder / "tour.sh").write_text(script)
    ran = well(project.run(["sh", "-eu", "tour.sh"], timeout=300))
    assert "Have a" in ran.stderr or "Thanks" in ran.stderr or "Not sure" in ran.stderr
    assert project.nodes() == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("create", ["kubeadm init"]),
        ("pull", ["failed to pull image", "kindest/node"]),
        ("port", ["already allocated"]),
        ("space", ["no space left on device", "system prune"]),
    ],
    ids=["control plane", "node image", "host port", "disk"],
)
@pytest.mark.fault("F76")
def test_where_no_cluster_comes_up_the_cause_and_the_fix_are_told(
    project: Desk, failure: str, words: list[str]
) -> None:
    done = project.run(inv(one_node(project)), KIND_STANDIN_FAIL=failure)
    assert_told(done, words)
    assert project.nodes() == []
    assert f"kind-cluster/{project.cluster}" not in done.stderr  # nothing of it is left to remove


def test_a_failed_control_planes_logs_are_kept(project: Desk) -> None:
    project.run(inv(one_node(project)), KIND_STANDIN_FAIL="create")
    logs = project.folder / ".kubetour" / "logs" / f"kind-{project.cluster}"
    assert (logs / f"{project.cluster}-control-plane" / "serial.log").exists()
    assert project.nodes() == []


@pytest.mark.fault("F75")
def test_where_an_image_cannot_be_loaded_the_cause_and_the_fix_are_told(project: Desk) -> None:
    well(project.run(inv(f"build --provider kind --image {project.image}")))
    well(project.run(inv(one_node(project))))
    for failure, words in (
        ("digest", ["content digest", "--platform"]),
        ("load", ["no space left on device"]),
    ):
        assert_told(project.run(inv("load"), KIND_STANDIN_FAIL=failure), words)
    well(project.run(inv("load")))


def assert_told(done: Done, words: list[str]) -> None:
    """See that a command failed with a known cause, the evidence, and a fix."""
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    for word in words:
        assert word in done.stderr
    assert "\n→ " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_of_that_name_that_is_not_ours_is_left_alone(project: Desk) -> None:
    well(project.run(f"kind create cluster --name {project.cluster} --kubeconfig ./theirs"))
    try:
        tried = project.run(inv(f"{one_node(project)} --timeout 5"))
        assert tried.returncode != 0
        assert "Traceback" not in tried.stderr
        down = project.run(inv(f"down --check --provider kind --cluster-name {project.cluster}"))
        assert down.returncode == 9
        assert len(project.nodes()) == 1
    finally:
        well(project.run(f"kind delete cluster --name {project.cluster} --kubeconfig ./theirs"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupt_while_the_cluster_is_made_says_how_to_go_on(
    project: Desk, number: signal.Signals
) -> None:
    with subprocess.Popen(
        inv(one_node(project)),
        cwd=project.folder,
        env={**project.environment, "KIND_STANDIN_FAIL": "stall"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not lines("ps", "-q", "--filter", f"label=io.x-k8s.kind.cluster={project.cluster}"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "./inv down" in err
    well(project.run(inv("down --check")))
    assert project.nodes() == []


def test_a_busy_host_port_gives_another(project: Desk, free_port: int) -> None:
    name = f"holder-{project.cluster}"
    docker(
        "run",
        "-d",
        "--rm",
        "--name",
        name,
        "-p",
        "127.0.0.1:30080:1",
        "--entrypoint",
        "node",
        "node:24-alpine",
        "-e",
        "setTimeout(()=>0,1e9)",
    )
    try:
        well(project.run(inv(one_node(project))))
        published = lines("port", f"{project.cluster}-control-plane", "30080")
        assert published
        assert published != ["127.0.0.1:30080"]
    finally:
        docker("rm", "-f", name)
