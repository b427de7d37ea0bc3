"""The tour of apps that are not our own, with a real Docker Engine and the stand-in for kind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.apps import APPS, HITS, App
from tests.docker.conftest import STANDINS, Desk, docker, inv
from tests.docker.test_kind_tour import report, step, well


@pytest.fixture(params=APPS, ids=lambda app: app.name)
def app(request: pytest.FixtureRequest, project: Desk) -> Iterator[App]:
    """Return an app that lies beside the project, its base image in the engine."""
    app: App = request.param
    is_there = docker("image", "inspect", app.base, check=False).returncode == 0
    subprocess.run([STANDINS / "base-image", app.base], check=True, capture_output=True, timeout=120)
    app.copy(project.folder.parent)
    yield app
    well(project.run(inv(f"down --check --provider kind --cluster-name {project.cluster}")))
    if not is_there:
        docker("image", "rm", app.base, check=False)


def test_the_tour_proves_every_step_and_says_how_it_knew_who_answered(project: Desk, app: App) -> None:
    names = f"--cluster-name {project.cluster} --image {project.image} --name w{project.cluster}"
    which = f"--app-dir ../{app.name} --port {app.port} --replicas 2 --workers 0"
    well(project.run(inv(f"tour --provider kind --engine docker {names} {which} --timeout 90"), timeout=300))
    record = report(project)
    assert record["ok"]
    for name in ("hit-container", *HITS):
        assert step(record, name)["proof"]["data"]["way"] == app.way, name
    assert len(step(record, "hit-all")["proof"]["data"]["answers"]) == (2 if app.way else 0)
    # Only here is the app process 1 of its container, and those without a handler have to be killed.
    noted = {each["step"] for each in record["steps"] if each["proof"]["notes"]}
    late = set() if app.name == "python" else {"stop-container"}
    assert noted - {"cluster-info"} == {*app.noted, *late}
