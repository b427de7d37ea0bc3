"""Images through a pack: out of a real engine, gone from it, back from the pack, and a tour with them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import BASE, NODE_IMAGE, ROOT, Desk, docker, inv
from tests.docker.test_kind_tour import report, step, well


@pytest.fixture
def classroom(project: Desk) -> Desk:
    """Return a desk with the lock files, too, and with a base image that is nowhere but in this engine."""
    for name in ("requirements.lock", "requirements-node.lock"):
        shutil.copy(ROOT / name, project.folder)
    (project.folder.parent / "Dockerfile").write_text(f"FROM {BASE}\nCOPY mark /mark\n")
    (project.folder.parent / "mark").write_text(project.mark)
    docker("build", "-q", "-t", f"{project.image}:base", str(project.folder.parent))
    return project


def test_the_images_of_the_tour_come_from_the_pack(classroom: Desk, tmp_path: Path) -> None:
    base = f"{classroom.image}:base"
    file = tmp_path / "class.tar"
    # Mirrors that nobody listens at: no program can be downloaded.
    nowhere: dict[str, Any] = {f"KUBETOUR_{name}_URL": "http://127.0.0.1:9" for name in ("KUBECTL", "KIND")}
    names = f"--image {classroom.image} --base {base}"
    well(classroom.run(inv(f"build --provider kind {names}")))
    (built,) = {name for name in images(classroom) if name != base}
    packed = well(
        classroom.run(inv(f"pack --provider kind --engine docker {names} --output {file}"), **nowhere)
    )
    assert "Not in the pack: kind" in packed.stdout  # the stand-in is a script, and no kind can be downloaded
    ids = {name: identity(name) for name in (base, built)}
    for name in (built, base):
        docker("image", "rm", name)
    assert images(classroom) == set()

    shutil.rmtree(classroom.folder / ".kubetour")  # another machine has none of it
    unpacked = well(classroom.run(inv(f"unpack --engine docker {file}")))
    assert f"Image {NODE_IMAGE}: already here, left as it is" in unpacked.stdout
    assert "2 of them loaded" in unpacked.stdout
    assert {name: identity(name) for name in images(classroom)} == ids

    # The base comes from the pack's settings: nobody names it here.
    flags = f"--provider kind --cluster-name {classroom.cluster} --image {classroom.image} --workers 0"
    well(
        classroom.run(inv(f"tour --offline {flags} --name w{classroom.cluster} --quiet --down"), timeout=300)
    )
    record = report(classroom)
    assert record["ok"]
    assert record["origins"]["base"] == record["origins"]["node_image"] == "pack"
    assert step(record, "build")["already"]
    assert f"--image {NODE_IMAGE}" in step(record, "create-cluster")["commands"][0]["text"]
    again = well(classroom.run(inv(f"unpack --engine docker {file}")))
    assert f"Image {base}: already here" in again.stdout
    docker("image", "rm", built, base, check=False)


def images(desk: Desk) -> set[str]:
    """Return the test's own images."""
    return set(docker("images", "--format", "{{.Repository}}:{{.Tag}}", desk.image).stdout.split())


def identity(name: str) -> str:
    """Return an image's ID."""
    return docker("image", "inspect", "--format", "{{.Id}}", name).stdout.strip()
