"""The whole tour on a host over a real SSH connection: the embedded cluster there, the proofs from here."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetour.remote.host import MARK, directory_name
from tests.e2e.checkout import ROOT, Checkout, make
from tests.e2e.test_embedded_tour import CHAPTERS, CLEANING
from tests.remote.conftest import Land
from tests.remote.sshd import Account, Sshd

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

EXTRA = ("inv", "requirements.lock", "requirements-dev.lock", "requirements-node.lock", "fabfile.py")
# Of what is installed here, the tour needs none of these.
DEV = ("mypy*", "*mypyc*", "pip*", "setuptools*", "hypothesis*", "ruff*", "grimp*", "_pytest", "pytest*")


def there(checkout: Checkout, account: Account) -> Path:
    """Return the checkout's directory on the host."""
    return account.home / ".cache/kubetour" / directory_name(checkout.root, socket.gethostname())


def python_of(account: Account) -> str:
    """Return a Python as new as ours that the account may run, for the packages to fit."""
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    for program in (sys._base_executable, "/usr/bin/python3"):  # type: ignore[attr-defined]
        try:
            said = subprocess.run(
                [program, "-Ic", tell], capture_output=True, text=True, cwd="/", user=account.uid, check=False
            )
        except OSError:
            continue
        if said.stdout.strip() == ours:
            return str(program)
    message = f"the account {account.name} has no Python {ours} to run"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def seed(checkout: Checkout, account: Account) -> None:
    """Make the environment there, as `inv` would, out of what is installed here: tests download nothing."""
    root = there(checkout, account)
    root.mkdir(parents=True, mode=0o700)
    (root / MARK).touch()
    made = root / ".venv"
    subprocess.run([python_of(account), "-m", "venv", "--without-pip", made], check=True, timeout=60)
    (packages,) = made.glob("lib/python3*/site-packages")
    (ours,) = Path(sys.prefix).glob("lib/python3*/site-packages")
    shutil.copytree(
        ours, packages, copy_function=link, dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__", "kubetour*", *DEV),
    )  # fmt: skip
    locks = b"".join((checkout.root / name).read_bytes() for name in EXTRA[1:4])
    key = subprocess.run(["cksum"], input=locks, capture_output=True, check=True).stdout.decode().strip()
    (made / "inv-made").touch()
    (made / "inv-key").write_text(f"{key} {root}\n\n", encoding="utf-8")
    if account.uid != os.getuid():
        for path in (account.home, *account.home.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                os.chown(path, account.uid, account.uid)


@pytest.fixture
def checkout(tmp_path: Path, known: Path, land: Land) -> Iterator[Checkout]:
    """Return a checkout in an odd place; afterwards, nothing of it may be there, whatever the test did."""
    directory = tmp_path / "ein Projekt 项目"
    directory.mkdir()
    made = make(directory)
    for name in EXTRA:
        shutil.copy2(ROOT / name, directory / name)
    seed(made, land.account)
    yield made
    made.clean()
    shutil.rmtree(there(made, land.account), ignore_errors=True)
    left = land.account.processes()
    assert left == []


EMBEDDED = ("--provider", "embedded")


def test_the_whole_tour_there_leaves_nothing(checkout: Checkout, host: str, land: Land) -> None:
    told = checkout.inv("tour", *EMBEDDED, "--host", host, "--offline")
    report = checkout.report()
    assert [step["step"] for step in report["steps"]] == CHAPTERS
    assert all(step["ok"] and step["proof"]["holds"] for step in report["steps"])
    root = there(checkout, land.account)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert root.owner() == land.account.name
    assert any("kubetour.embedded serve" in words for words in land.account.processes())
    assert checkout.processes() == []  # nothing of it runs here
    assert not (checkout.root / ".kubetour/embedded").exists()
    assert told.stdout.count("Shipping ") == 1

    by_hand = re.search(r"^  (ssh -t .*)$", told.stdout, re.MULTILINE)
    assert by_hand
    assert f"{host.partition('@')[0]}@127.0.0.1" in by_hand[1]

    again = checkout.inv("scale", "--replicas", "4")  # the host is remembered
    assert "Shipping" not in again.stdout  # and nothing has changed
    checkout.inv("prove", "spread", "--replicas", "2", "--quiet")
    last = checkout.report()["steps"][-1]  # kubectl and requests both run there
    assert (last["step"], sorted(last["proof"]["data"]["answers"].values())) == ("port-forward", [0, 40])
    assert [words for words in land.account.processes() if "port-forward" in words] == []
    assert "embedded-cluster/kubetour" in (
        checkout.root / ".kubetour/hosts" / host.replace(":", "%3A") / "created.json"
    ).read_text(encoding="utf-8")

    done = checkout.inv("down", "--check")
    assert f"{root} is gone" in done.stdout
    assert [step["step"] for step in checkout.report()["steps"]] == CLEANING[1:]
    assert not root.exists()
    assert land.account.processes() == []
    assert list((checkout.root / ".kubetour/hosts").rglob("*.kubeconfig")) == []
    assert checkout.inv("down", "--check", "--host", host, *EMBEDDED).stdout.count("nothing to remove") == 1
    assert not root.exists()


def test_fabric_takes_the_same_tour(checkout: Checkout, host: str, land: Land) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fabric", "-H", host, "tour", *EMBEDDED, "--down", "--quiet"],
        cwd=checkout.root,
        env=checkout.environ("en"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line[2:].partition(":")[0] for line in done.stdout.splitlines() if line.startswith("✓ ")]
    assert steps == [*CHAPTERS, *CLEANING]
    assert not there(checkout, land.account).exists()


def test_the_dry_tour_changes_nothing_and_prints_what_would_run_there(
    checkout: Checkout, host: str, land: Land
) -> None:
    root = there(checkout, land.account)
    before = sorted(path.name for path in root.iterdir())
    script = checkout.inv("--dry", "tour", *EMBEDDED, "--host", host, "--down").stdout
    assert f"cd '{root}'" in script
    assert str(checkout.root) not in script
    assert sorted(path.name for path in root.iterdir()) == before
    assert script == checkout.inv("script", *EMBEDDED, "--host", host, "--down").stdout


def test_a_changed_app_ships_that_file_alone(checkout: Checkout, host: str, land: Land) -> None:
    checkout.inv("build", *EMBEDDED, "--host", host)
    app = checkout.root / "app/app.js"
    app.write_text(app.read_text(encoding="utf-8").replace("You've hit", "Hello from"), encoding="utf-8")
    told = checkout.inv("build")
    assert "Shipping 1 file(s)" in told.stdout
    assert "Hello from" in (there(checkout, land.account) / "app/app.js").read_text(encoding="utf-8")


def test_an_app_from_elsewhere_is_shipped_whatever_its_path(
    checkout: Checkout, host: str, land: Land, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "我的 app's"
    shutil.copytree(checkout.root / "app", elsewhere / "app")
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy2(checkout.root / name, elsewhere / name)
    told = checkout.inv("build", *EMBEDDED, "--host", host, "--app-dir", str(elsewhere))
    assert ".kubetour/context" in told.stdout
    assert (there(checkout, land.account) / ".kubetour/context/Dockerfile").is_file()


def until(tour: subprocess.Popen[str], step: str) -> None:
    """Read what a tour prints until a step begins."""
    assert tour.stdout is not None
    lines = []
    for line in tour.stdout:
        lines.append(line)
        if f"· {step} ·" in line:
            return
    pytest.fail(f"{step} did not begin:\n{''.join(lines)}")


@pytest.mark.fault("F77")
def test_a_killed_connection_is_told_and_the_tour_goes_on_from_there(
    checkout: Checkout, host: str, server: Sshd
) -> None:
    with checkout.start("tour", *EMBEDDED, "--host", host) as tour:
        until(tour, "delete-pod")  # which looks for two seconds at what does not come back
        server.signal(signal.SIGKILL)
        assert tour.stdout is not None
        rest = tour.stdout.read()
    assert tour.returncode == 5, rest
    assert f"The connection to {host} is gone" in rest
    (resume,) = re.findall(r"\./inv tour --from (\S+)", rest)
    assert "Traceback" not in rest
    checkout.inv("tour", "--from", resume, "--quiet")
    assert checkout.report()["ok"]


def test_ctrl_c_ends_what_runs_there(checkout: Checkout, host: str, land: Land) -> None:
    with checkout.start("tour", *EMBEDDED, "--host", host) as tour:
        until(tour, "create-cluster")
        os.kill(tour.pid, signal.SIGINT)
        assert tour.stdout is not None
        rest = tour.stdout.read()
    assert tour.returncode == 130, rest
    assert "Interrupted." in rest
    checkout.inv("down", "--check")
    deadline = time.monotonic() + 20
    while land.account.processes():  # the watcher there waits some seconds for what it has interrupted
        assert time.monotonic() < deadline, land.account.processes()
        threading.Event().wait(0.05)


def test_when_we_are_killed_what_runs_there_ends_and_the_cluster_goes_on(
    checkout: Checkout, host: str, land: Land
) -> None:
    with checkout.start("tour", *EMBEDDED, "--host", host) as tour:
        until(tour, "delete-pod")  # whose proof takes two seconds
        tour.kill()
    deadline = time.monotonic() + 20
    while [words for words in land.account.processes() if "watcher" in words or "kubectl" in words]:
        assert time.monotonic() < deadline, land.account.processes()
        threading.Event().wait(0.05)
    assert any("kubetour.embedded serve" in words for words in land.account.processes())
    assert checkout.inv("nodes").status == 0


def test_what_goes_on_there_is_watched_from_here(checkout: Checkout, host: str) -> None:
    checkout.inv("tour", *EMBEDDED, "--host", host, "--until", "expose", "--quiet")
    with checkout.start("watch") as watch:
        assert watch.stdout is not None
        told = []
        for line in watch.stdout:
            told.append(line)
            if re.search(r"requests  [1-9]\d* answered", line):
                break
        os.kill(watch.pid, signal.SIGINT)
        rest = watch.stdout.read()
    assert watch.returncode == 0, rest
    assert re.search(r"pod/node-hostname-\S+  1/1  Running", "".join(told))
    assert re.search(r"requests/node-hostname-\S+  [1-9]", rest)
    checkout.inv("down", "--check")


def test_a_lesson_is_told_without_asking_the_host(checkout: Checkout, host: str, known: Path) -> None:
    checkout.inv("tour", *EMBEDDED, "--host", host, "--until", "app")
    hosts = (known / ".ssh/known_hosts").rename(known / "hosts")
    assert "ReplicaSet" in checkout.inv("lesson", "--step", "deploy").stdout
    assert checkout.inv("nodes", check=9).stderr
    assert "embedded" in checkout.inv("script", "--host", "").stdout  # this machine again
    hosts.rename(known / ".ssh/known_hosts")  # what was begun there is removed there


def test_a_directory_there_that_is_not_ours_is_neither_used_nor_removed(
    checkout: Checkout, host: str, land: Land
) -> None:
    root = there(checkout, land.account)
    (root / MARK).unlink()
    for argv in (("tour", *EMBEDDED), ("down", *EMBEDDED)):
        told = checkout.inv(*argv, "--host", host, check=9)
        assert str(root) in told.stderr
        assert "Traceback" not in told.stderr
    assert (root / ".venv").is_dir()


@pytest.mark.fault("F78")
def test_an_unknown_host_key_stops_it_before_anything(checkout: Checkout, host: str, known: Path) -> None:
    (known / ".ssh/known_hosts").unlink()
    told = checkout.inv("tour", *EMBEDDED, "--host", host, check=9)
    assert "SHA256:" in told.stderr
    assert re.search(r"→ .*ssh -p \d+ \S+@127\.0\.0\.1 true$", told.stderr, re.MULTILINE)
    assert not (known / ".ssh/known_hosts").exists()


def test_doctor_tells_what_is_found_there(checkout: Checkout, host: str, land: Land) -> None:
    told = checkout.inv("doctor", *EMBEDDED, "--host", host)
    assert f"host: {host}, " in told.stdout
    assert str(there(checkout, land.account)) in told.stdout
    assert "python: .venv/bin/python" in told.stdout
    assert re.search(rf"--host +{re.escape(host)} +flag", told.stdout)
