"""The same tour on kind, all of it on another host: a real sshd on loopback, a real engine behind it."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path

import pytest

from tests.docker.conftest import Desk, docker, inv
from tests.docker.test_kind_tour import TOUR, flags, report, well
from tests.remote import sshd


def test_the_tour_on_a_host_proves_every_step_and_down_leaves_nothing_there(
    project: Desk, tmp_path: Path
) -> None:
    if not sshd.find_sshd() and not os.environ.get("CI"):
        pytest.skip("sshd not found: apt-get install openssh-server")
    ssh = Path(project.environment["HOME"]) / ".ssh"
    ssh.mkdir(mode=0o700)
    public = sshd.keygen(ssh / "id_ed25519")
    there = tmp_path / "家 there"
    there.mkdir()
    environment = {"PATH": project.environment["PATH"], "KIND_STANDIN_PYTHON": sys.executable}
    with sshd.serve(public, there, **environment) as server:
        (ssh / "known_hosts").write_text(server.known(), encoding="utf-8")
        host = f"{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{server.port}"
        told = well(project.run(inv(f"tour {flags(project)} --timeout 90 --host {host}"), timeout=300))
        record = report(project)
        assert [each["step"] for each in record["steps"]] == TOUR
        assert all(each["proof"]["holds"] for each in record["steps"])
        assert (
            told.stdout.count("Shipping 7 file(s)") == 1
        )  # Dockerfile, .dockerignore, the app: no Python there
        (directory,) = (there / ".cache/kubetour").iterdir()
        assert list(directory.glob(".kubetour/kind-*.kubeconfig"))
        assert not list((project.folder / ".kubetour").rglob("*.kubeconfig"))
        # Another host, or this machine, has a ledger of its own: nothing is removed by mistake.
        well(project.run(inv(f"down --check --provider kind --cluster-name {project.cluster}x --host ''")))
        assert len(project.nodes()) == 3
        done = well(project.run(inv(f"down --check {flags(project).partition(' --image')[0]} --host {host}")))
        assert f"{directory} is gone" in done.stdout
        assert project.nodes() == []
        assert docker("images", "-q", project.image).stdout == ""
        assert not (there / ".cache/kubetour").exists()
    shutil.rmtree(there)
