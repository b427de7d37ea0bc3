"""`inv down --check` on the embedded cluster: what is left is named, and what others made stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

NAME = "slate"
# The student's name gives ports that no other test on this machine looks for, and the same to all here.
SETTINGS = ("--provider", "embedded", "--student", f"s{uuid.uuid4().hex[:8]}", "--cluster-name", NAME)
IMAGE = "slate:1"
MAKE = ("tour", *SETTINGS, "--image", IMAGE, "--name", "slate")
# A user's own kubeconfig, with the very name that the embedded cluster's context has.
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
current-context: embedded-{NAME}
clusters: [{{name: embedded-{NAME}, cluster: {{server: "https://127.0.0.1:9"}}}}]
users: [{{name: embedded-{NAME}, user: {{token: their-own}}}}]
contexts: [{{name: embedded-{NAME}, context: {{cluster: embedded-{NAME}, user: embedded-{NAME}}}}}]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout, of which nothing is left afterwards."""
    (tmp_path / "ours").mkdir()
    made = make(tmp_path / "ours")
    yield made
    made.clean(*SETTINGS)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Checkout]:
    """Return another checkout, with a cluster of the same name that runs an app of the same name."""
    (tmp_path / "theirs").mkdir()
    made = make(tmp_path / "theirs")
    made.inv(*MAKE, "--quiet")
    yield made
    made.clean(*SETTINGS)


def embedded(checkout: Checkout, *argv: str) -> str:
    """Run a command of the embedded cluster in a checkout, as its user may; return what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "kubetour.embedded", *argv],
        cwd=checkout.root, env=checkout.environ("en"), capture_output=True, text=True, check=True, timeout=99,
    ).stdout  # fmt: skip


def digests(*paths: Path) -> dict[str, str]:
    """Return the hash, owner, mode and time of every file."""
    found = [each for path in paths for each in (path.rglob("*") if path.is_dir() else [path])]
    return {
        str(each): f"{hashlib.sha256(each.read_bytes()).hexdigest()} {each.stat().st_mode} "
        f"{each.stat().st_uid} {each.stat().st_mtime_ns} {each.stat().st_ino}"
        for each in found
        if each.is_file()
    }


def processes(checkout: Checkout) -> dict[str, str]:
    """Return what runs in a checkout, by its number, with the time at which it started."""
    found = {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if (each / "cwd").readlink().is_relative_to(checkout.root):
                words = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[each.name] = f"{words} {(each / 'stat').read_text().rpartition(')')[2].split()[19]}"
        except OSError:
            continue
    return found


def objects(checkout: Checkout) -> dict[str, str]:
    """Return the objects of a checkout's cluster that stay as they are, each with its uid."""
    kubeconfig = checkout.root / f".kubetour/embedded-{NAME}.kubeconfig"
    kinds = "nodes,namespaces,deployments,replicasets,pods,services,secrets,serviceaccounts"
    told = subprocess.run(
        ["kubectl", "--kubeconfig", kubeconfig, "get", kinds, "-A", "-o", "json"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    items = json.loads(told)["items"]
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] for each in items}


def all_of(checkout: Checkout) -> tuple[object, ...]:
    """Return all of a checkout that nobody but its own commands may change."""
    state = checkout.root / ".kubetour"
    kept = [
        state / name for name in ("created.json", "last.json", "slate.json", f"embedded-{NAME}.kubeconfig")
    ]
    pki = state / f"embedded/clusters/{NAME}/pki"
    return digests(*kept, pki), processes(checkout), objects(checkout), images(checkout)


def images(checkout: Checkout) -> str:
    """Return the names and IDs of a checkout's images."""
    return embedded(checkout, "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")


@contextmanager
def look_alikes(checkout: Checkout) -> Iterator[list[int]]:
    """Run processes that look like ours: in the checkout, and by their words; yield their numbers."""
    words = f"{sys.executable} -m kubetour.embedded serve --name {NAME}"
    script = f"exec -a '{words}' tail -f /dev/null"
    started = [
        subprocess.Popen(argv, cwd=where, env=checkout.environ("en"))
        for argv in (["bash", "-c", script], ["tail", "-f", "/dev/null"])
        for where in (checkout.root, checkout.root / "kubetour", checkout.root.parent)
    ]
    try:
        yield [process.pid for process in started]
        assert [process.poll() for process in started] == [None] * len(started), "all of them run on"
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.fault("F30")
@pytest.mark.parametrize("ending", ["tour", "interrupted"])
def test_what_others_made_under_the_same_names_stays_as_it_is_bit_for_bit(
    checkout: Checkout, theirs: Checkout, tmp_path: Path, ending: str
) -> None:
    home, temporary = tmp_path / "home/.kube", tmp_path / "tmp"
    home.mkdir(parents=True)
    temporary.mkdir()
    (home / "config").write_text(KUBECONFIG, encoding="utf-8")
    (temporary / "kubetour-notes").write_text("theirs", encoding="utf-8")
    environ: dict[str, Any] = {"KUBECONFIG": str(home / "config"), "TMPDIR": str(temporary)}
    with look_alikes(checkout):
        before = all_of(theirs), digests(home, temporary)
        if ending == "tour":
            checkout.inv(*MAKE, "--quiet", "--down", **environ)
        else:
            with checkout.start(*MAKE, **environ) as tour:
                assert tour.stdout is not None
                for line in tour.stdout:
                    if "· cluster-info ·" in line:
                        break
                os.kill(tour.pid, signal.SIGINT)
                tour.stdout.read()
            assert tour.returncode == 130
        told = checkout.inv("down", "--check", *SETTINGS, **environ)
        assert "Nothing of this project is left" in told.stdout
        assert (all_of(theirs), digests(home, temporary)) == before


def test_a_cluster_and_an_image_that_the_user_made_in_this_checkout_stay(checkout: Checkout) -> None:
    embedded(checkout, "create", "cluster", "--name", NAME, "--kubeconfig", "mine.kubeconfig")
    embedded(checkout, "build", "-t", IMAGE, ".")
    try:
        pki = checkout.root / f".kubetour/embedded/clusters/{NAME}/pki"
        before = digests(checkout.root / "mine.kubeconfig", pki), processes(checkout)
        known = images(checkout)
        assert IMAGE in known
        tried = checkout.inv(*MAKE, "--quiet", check=9)
        assert "Not ours to touch" in tried.stderr
        refused = checkout.inv("down", "--check", *SETTINGS, check=9)
        assert f"{NAME}" in refused.stderr
        other = (*SETTINGS[:-1], f"{NAME}2", "--image", IMAGE)
        checkout.inv("tour", *other, "--quiet", "--until", "load", "--name", "slate")
        told = checkout.inv("down", "--check", *other[:-2])
        assert "Nothing of this project is left" in told.stdout
        checkout.inv("tour", *other, "--quiet", "--down", "--only", "build,create-cluster,nodes")
        checkout.inv("down", "--check", *other[:-2])
        assert (digests(checkout.root / "mine.kubeconfig", pki), processes(checkout)) == before
        assert images(checkout) == known
    finally:
        embedded(checkout, "delete", "cluster", "--name", NAME, "--kubeconfig", "mine.kubeconfig")
        embedded(checkout, "image", "rm", IMAGE)


def commands(told: str) -> list[str]:
    """Return the command behind each thing that is named."""
    return re.findall(r"^  • .*(?:: |：)(\S.*)$", told, re.MULTILINE)


def type_in(checkout: Checkout, *lines: str) -> None:
    """Run command lines, of which there must be some."""
    assert lines
    for line in lines:
        typed = ["sh", "-c", line]
        subprocess.run(typed, cwd=checkout.root, env=checkout.environ("en"), check=True, timeout=60)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_left_is_named_and_goes_with_the_commands_that_are_told(
    checkout: Checkout, lang: str
) -> None:
    checkout.inv(*MAKE, "--quiet", "--until", "nodes")
    # Told of another cluster, `down` removes nothing of this one; the check does not look away.
    told = checkout.inv("down", "--check", *SETTINGS[:-1], "other", lang=lang, check=1)
    kinds = {"en": ("embedded cluster slate", "process ", "file "), "zh": ("embedded 集群", "进程", "文件")}
    for kind in kinds[lang]:
        assert f"• {kind}" in told.stderr
    assert "./inv down --check" in told.stderr
    # A path too long for a socket: then the kubelets' are in the directory for temporary files.
    socket = checkout.root / f".kubetour/embedded/clusters/{NAME}/nodes/{NAME}-control-plane/kubelet.sock"
    assert (f"/kubetour-{os.getuid()}-" in told.stderr) == (len(os.fsencode(socket)) > 100)
    type_in(checkout, *(each for each in commands(told.stderr) if "delete cluster" in each))
    again = checkout.inv("down", "--check", *SETTINGS[:-1], "other", lang=lang, check=1)
    type_in(checkout, *commands(again.stderr))
    checkout.clean(*SETTINGS[:-1], "other")
    assert not (checkout.root / ".kubetour/slate.json").exists()
