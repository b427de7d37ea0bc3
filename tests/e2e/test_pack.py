"""A pack, from a machine with network to one without: nothing but a clone, a Python and the pack is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubetour.project import ROOT
from tests.e2e.checkout import Checkout, make

WRAPPED = ("inv", "requirements.lock", "requirements-dev.lock", "requirements-node.lock")
HIDDEN = {
    "kubectl",
    "kind",
    "minikube",
    "node",
    "nodejs",
    "uv",
    "curl",
    "pip",
    "pip3",
    "docker",
    "podman",
    "nerdctl",
}
PYTHON = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
# In a network namespace of its own nothing but loopback can be reached.
ALONE = ("unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pack for the embedded cluster, made as a teacher makes it."""
    place = tmp_path_factory.mktemp("teacher")
    (place / "checkout").mkdir()
    teacher = make(place / "checkout")
    for name in WRAPPED:
        shutil.copy2(ROOT / name, teacher.root)
    # A mirror that nobody listens at: the pinned kubectl cannot be had, and this machine's own is packed.
    nowhere: dict[str, Any] = {
        "KUBETOUR_KUBECTL_URL": "http://127.0.0.1:9",
        "XDG_CACHE_HOME": str(place / "cache"),
    }
    packed = teacher.inv("pack", "--provider", "embedded", "--output", str(place / "class.tar"), **nowhere)
    assert "this machine is packed" in packed.stdout
    return place / "class.tar"


class Student:
    """A fresh clone on a machine with a Python and next to nothing else, and without network."""

    def __init__(self, root: Path) -> None:
        self.clone = root / "clone"
        self.clone.mkdir()
        self.checkout: Checkout = make(self.clone)
        for name in WRAPPED:
            shutil.copy2(ROOT / name, self.clone)
        self.bin = root / "bin"
        self.bin.mkdir()
        for directory in ("/bin", "/usr/bin", "/sbin", "/usr/sbin"):
            for program in Path(directory).iterdir():
                if program.name not in HIDDEN and not (self.bin / program.name).is_symlink():
                    (self.bin / program.name).symlink_to(program)
        self.environ = {
            "PATH": str(self.bin),
            "HOME": str(root),
            "LC_ALL": "C.UTF-8",
            "KUBETOUR_PYTHON": PYTHON,
            "PIP_CONFIG_FILE": os.devnull,  # it may name places with packages
            "https_proxy": "http://127.0.0.1:9",
        }

    def inv(self, *argv: str) -> subprocess.CompletedProcess[str]:
        alone = ALONE if os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip") else ()
        return subprocess.run(
            [*alone, "./inv", *argv],
            cwd=self.clone,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    def files(self) -> set[str]:
        return {str(path.relative_to(self.clone)) for path in self.clone.rglob("*") if not path.is_dir()}


@pytest.mark.skipif(not shutil.which("kubectl") and not os.environ.get("CI"), reason="no kubectl to pack")
def test_the_tour_is_taken_from_a_pack_without_network_and_without_any_program(
    pack: Path, tmp_path: Path
) -> None:
    student = Student(tmp_path)
    unpacked = student.inv("unpack", str(pack))
    assert unpacked.returncode == 0, unpacked.stdout + unpacked.stderr
    assert "downloading" not in unpacked.stderr
    assert "./inv tour --offline" in unpacked.stdout
    kubectl = next((tmp_path / ".cache/kubetour").glob("kubectl-*/kubectl"))
    assert os.access(kubectl, os.X_OK)
    taken = student.inv("tour", "--offline", "--provider", "embedded", "--quiet", "--down")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    report = student.checkout.report()
    assert report["ok"]
    assert str(kubectl).replace(str(tmp_path), "~") in json.dumps(report["steps"][0]["commands"])
    assert (student.clone / ".venv/bin/node").is_file()
    assert student.checkout.processes() == []
    before = {
        path: path.stat().st_mtime_ns for path in (kubectl, *(student.clone / ".kubetour/wheels").iterdir())
    }
    again = student.inv("unpack", str(pack))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 of them new here" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before
    checked = student.inv("down", "--check", "--provider", "embedded", "--offline")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_tampered_pack_leaves_a_fresh_clone_as_it_was(pack: Path, tmp_path: Path) -> None:
    student = Student(tmp_path)
    before = student.files()
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "tampered.tar").write_bytes(content)
    refused = student.inv("unpack", "../tampered.tar")
    assert refused.returncode == 11, refused.stderr
    assert "is not the file it should be" in refused.stderr
    assert student.files() - before <= {".kubetour/inv.lock"}
