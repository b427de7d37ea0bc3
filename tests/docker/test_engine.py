"""Build, layers and run, through the project's own tasks, with a real engine."""

from __future__ import annotations

import contextlib
import json
import re
import socket

import pytest

from tests.docker.conftest import Desk, docker, inv, lines


def names(desk: Desk) -> str:
    """Return the flags that give everything a name of the test's own."""
    return f"--provider kind --image {desk.image}"


def test_build_makes_the_image_once_and_a_changed_app_makes_another(project: Desk) -> None:
    first = project.run(inv(f"build {names(project)}"))
    assert first.returncode == 0, first.stdout + first.stderr
    (tag,) = lines("images", project.image, "--format", "{{.Tag}}")
    (made,) = json.loads(docker("image", "inspect", f"{project.image}:{tag}").stdout)
    assert made["Config"]["Entrypoint"] == ["node", "app.js"]
    assert made["Config"]["User"] == "1000"

    again = project.run(inv(f"build {names(project)}"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert lines("images", project.image, "--format", "{{.Tag}}") == [tag]

    app = project.folder / "app" / "app.js"
    app.write_text(app.read_text() + "// another app\n")
    changed = project.run(inv(f"build {names(project)}"))
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert len(lines("images", project.image, "--format", "{{.Tag}}")) == 2


def test_what_the_dockerignore_leaves_out_changes_no_image(project: Desk) -> None:
    assert project.run(inv(f"build {names(project)}")).returncode == 0
    (project.folder / "notes.txt").write_text("not in the context")
    assert project.run(inv(f"build {names(project)}")).returncode == 0
    assert len(lines("images", project.image, "--format", "{{.Tag}}")) == 1


def test_layers_shows_a_row_for_each_instruction(project: Desk) -> None:
    assert project.run(inv(f"build {names(project)}")).returncode == 0
    shown = project.run(inv(f"layers {names(project)}"))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for instruction in ("WORKDIR /app", "COPY", "USER 1000", "EXPOSE 8080", "ENTRYPOINT"):
        assert instruction in shown.stdout


def test_run_requests_the_container_shows_its_log_and_stops_it(project: Desk) -> None:
    workload = f"w{project.cluster}"
    assert project.run(inv(f"build {names(project)}")).returncode == 0
    with socket.socket() as busy:  # the first port that it would take
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # taken by somebody else: as good
            busy.bind(("127.0.0.1", 8080))
            busy.listen()
        done = project.run(inv(f"run {names(project)} --name {workload}"), KUBETOUR_TIMEOUT="20")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = re.search(r"You've hit ([0-9a-f]{12})", done.stdout)
    assert answer, done.stdout
    assert f"{answer[1]} server starting ..." in done.stdout
    assert lines("ps", "-aq", "--filter", f"name=kubetour-{workload}") == []
    assert not re.search(r"127\.0\.0\.1:8080\b", done.stdout)


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"])
@pytest.mark.fault("F72")
def test_an_engine_that_does_not_answer_is_named(project: Desk, host: str) -> None:
    asked = project.run(inv(f"build {names(project)} --engine docker"), DOCKER_HOST=host)
    assert asked.returncode != 0
    assert "docker" in asked.stderr.lower()
    assert "Traceback" not in asked.stderr
