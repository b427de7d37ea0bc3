"""Two students with one Docker daemon, at the same moment: nothing of one goes with the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.copying import copy_project
from tests.docker.conftest import Desk, docker, inv
from tests.docker.test_kind_tour import report, well


def seat(desk: Desk, place: Path) -> Desk:
    """Return another desk in the same room, with a copy of the project."""
    place.mkdir()
    copy_project(place)
    return replace(desk, folder=place)


def test_two_students_share_a_daemon_and_one_leaves_first(desk: Desk, tmp_path: Path) -> None:
    ann, bob = (seat(desk, tmp_path / name) for name in ("ann", "bob"))
    students = {"ann": ann, "bob": bob}
    named = {name: f"--provider kind --student {name}-{desk.mark}" for name in students}
    steps = "build,run-container,hit-container,create-cluster,nodes,load"
    try:
        with ThreadPoolExecutor(2) as room:
            tours = room.map(
                lambda name: students[name].run(
                    inv(f"tour {named[name]} --workers 0 --quiet --only {steps}"), timeout=300
                ),
                students,
            )
            for tour in tours:
                well(tour)
        running = docker("ps", "--format", "{{.Names}}").stdout.split()
        for name in students:
            assert f"kubetour-{name}-{desk.mark}-node-hostname" in running
            assert f"kubetour-{name}-{desk.mark}-control-plane" in running
        well(ann.run(inv(f"down --check {named['ann']}")))
        running = docker("ps", "--format", "{{.Names}}").stdout.split()
        assert not [name for name in running if name.startswith(f"kubetour-ann-{desk.mark}")]
        assert f"kubetour-bob-{desk.mark}-node-hostname" in running
        well(bob.run(inv("tour --quiet --only hit-container,nodes")))
        assert report(bob)["ok"]
    finally:
        for name, place in students.items():
            well(place.run(inv(f"down --check {named[name]}")))
