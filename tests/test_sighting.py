"""Reading what is there: real processes and sockets; and an engine's listings, by programs that say them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import local, sighting
from kubetour.errors import KubetourError
from kubetour.inventory import Thing
from kubetour.project import CHECKOUT_VARIABLE
from kubetour.runner import Running, perform
from kubetour.steps import Run
from tests.making import inspected, put

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
EVER = ["tail", "-f", "/dev/null"]


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """Return a stack of processes, which end with the test."""
    with ExitStack() as stack:
        yield stack


def start(stack: ExitStack, directory: Path, **environ: str) -> int:
    """Start a process that stays, and return its number."""
    directory.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(EVER, cwd=directory, env={"PATH": os.environ["PATH"], **environ})
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process.pid


@linux
def test_processes_are_ours_by_the_mark_in_their_environment_or_as_embedded_containers_of_this_checkout(
    c: Context, ending: ExitStack, tmp_path: Path
) -> None:
    root = tmp_path / "ein Projekt [*] 项目"
    state = root / ".kubetour"
    other = Path(f"{root}2")
    ours = {
        start(ending, tmp_path, **{CHECKOUT_VARIABLE: str(root)}),
        start(ending, state / "embedded/containers/c", KUBETOUR_CONTAINER="c"),
    }
    start(ending, root)  # somebody's own shell in our directory
    start(ending, state)
    start(ending, tmp_path, KUBETOUR_CONTAINER="c")
    start(ending, other, KUBETOUR_CONTAINER="c")
    start(ending, tmp_path, **{CHECKOUT_VARIABLE: str(other)})
    start(ending, tmp_path, **{f"NOT_{CHECKOUT_VARIABLE}": str(root)})
    found = sighting.processes(c, str(root))
    assert set(found) == ours
    assert set(found.values()) == {"tail -f /dev/null"}


@linux
def test_what_a_command_of_ours_leaves_running_has_the_mark_and_what_looks_for_it_is_not_seen(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "ROOT", tmp_path)  # other tests run commands in this checkout meanwhile
    root = next(
        line.partition("=")[2]
        for line in perform(c, Run(("env",))).stdout.splitlines()
        if line.startswith(f"{CHECKOUT_VARIABLE}=")
    )
    running = Running(c, Run(("sh", "-c", f"cd {tmp_path}; exec tail -f /dev/null")), lambda _: None)
    try:
        found = sighting.processes(c, root)
        assert found
        assert all("tail -f /dev/null" in words for words in found.values())
    finally:
        running.end()
    assert sighting.processes(c, root) == {}


@linux
def test_a_socket_is_told_from_a_later_one_on_the_same_port(c: Context) -> None:
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        seen = sighting.sockets(c, {port}, ())
        assert {number for number, _ in seen} == {port}
        assert seen <= sighting.sockets(c, (), {os.getpid()})
    assert sighting.sockets(c, {port}, ()) == set()
    with socket.socket() as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        second.bind(("127.0.0.1", port))
        second.listen()
        again = sighting.sockets(c, {port}, ())
        assert {number for number, _ in again} == {port}
        assert not seen & again


def test_only_sockets_that_listen_count() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 123 1 0\n"
        "   1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 124 1 0\n"
        "   2: 0100007F:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 0 1 0\n"
    )
    assert sighting.listening(table) == {(0x1F90, "123")}


NODE = {
    "id": "a1",
    "name": "/k-control-plane",
    "labels": {"io.x-k8s.kind.cluster": "k"},
    "mounts": [{"Type": "volume", "Name": "v1"}, {"Type": "bind", "Source": "/lib/modules"}],
    "ports": {"6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40001"}], "30080/tcp": None},
}
APP = {
    "id": "a2",
    "name": "kubetour-web",
    "labels": {"app.kubernetes.io/managed-by": "kubetour"},
    "mounts": [],
    "ports": {},
}
THEIRS = {"id": "a3", "name": "/kubetour-web2", "labels": None, "mounts": None, "ports": None}
PROFILE = {"id": "a4", "name": "/p", "labels": {"name.minikube.sigs.k8s.io": "p"}, "mounts": [], "ports": {}}


def test_an_engine_tells_what_it_has_and_the_labels_whose_it_is(c: Context, tmp_path: Path) -> None:
    (tmp_path / "told").write_text(inspected(NODE, APP, THEIRS, PROFILE), encoding="utf-8")
    minikube = "created_by.minikube.sigs.k8s.io=true,name.minikube.sigs.k8s.io=p"
    engine = put(
        tmp_path,
        "docker",
        f"""case "$*" in
"ps "*) echo a1; echo a2; echo a3; echo a4;;
"inspect "*) cat {tmp_path}/told;;
"network ls "*) printf 'n1\\tkind\\t\\nn2\\tp\\t{minikube}\\n';;
"volume ls "*) printf 'v1\\t\\nmine\\tx=y\\n';;
"images "*) printf 'web:1\\tsha256:1\\n';;
esac""",
    )
    ours = list(sighting.of_engine(c, (engine,), "docker", {"kind-cluster/k"}))
    assert {(thing.kind, thing.name, thing.id): thing.entry for thing in ours} == {
        ("container", "k-control-plane", "a1"): "kind-cluster/k",
        ("container", "kubetour-web", "a2"): "docker-container/kubetour-web",
        ("container", "kubetour-web2", "a3"): "",
        ("container", "p", "a4"): "minikube-cluster/p",
        ("network", "kind", "n1"): "docker-network/kind",
        ("network", "p", "n2"): "minikube-cluster/p",
        ("volume", "v1", ""): "docker-volume/v1",
        ("volume", "mine", ""): "docker-volume/mine",
        ("image", "web:1", "sha256:1"): "docker-image/web:1",
    }
    assert not any(thing.needed for thing in ours)
    assert ours[0].remove == f"{engine} rm -f -v k-control-plane"
    theirs = sighting.of_engine(c, (engine,), "docker", set())  # then the cluster k is somebody else's
    assert [thing.name for thing in theirs if thing.needed] == ["kind"]


def test_what_a_container_has_is_known_before_it_goes() -> None:
    assert sighting.volumes_of(NODE) == ["v1"]
    assert sighting.ports_of(NODE) == {40001}
    assert sighting.volumes_of(THEIRS) == []
    assert sighting.ports_of(THEIRS) == set()


def test_an_engine_that_does_not_answer_is_an_error_and_no_clean_slate(c: Context, tmp_path: Path) -> None:
    engine = put(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(KubetourError) as error:
        list(sighting.of_engine(c, (engine,), "docker"))
    assert error.value.key == "engine-daemon"


def test_the_users_kubeconfig_is_read_by_kubectl_and_its_names_are_matched(
    c: Context, tmp_path: Path
) -> None:
    kubectl = put(tmp_path, "kubectl", "printf 'context\\tkind-k\\ncontext\\tprod\\nuser\\tkind-k\\n'")
    found = list(sighting.contexts(c, kubectl, {"kind-k": "kind-cluster/k"}))
    assert [(thing.name, thing.entry) for thing in found] == [
        ("context kind-k", "kind-cluster/k"),
        ("context prod", ""),
        ("user kind-k", "kind-cluster/k"),
    ]
    assert found[2].remove == f"{kubectl} config delete-user kind-k"


def test_a_namespace_counts_as_long_as_it_carries_our_label(c: Context, tmp_path: Path) -> None:
    kubectl = put(
        tmp_path, "kubectl", 'case "$*" in *" namespace ours "*) printf kubetour;; *theirs*) printf me;; esac'
    )
    ledger = [f"namespace/arn:aws:eks:x:cluster/y/{name}" for name in ("ours", "theirs", "gone")]
    (found,) = sighting.objects(c, kubectl, ledger)
    assert found.name == "ours"
    assert found.remove == f"{kubectl} --context arn:aws:eks:x:cluster/y delete namespace ours"


def test_files_that_no_command_needs_any_more_are_left_and_what_is_kept_on_purpose_is_not(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, temporary = tmp_path / "p q/.kubetour", tmp_path / "tmp"
    left = ["kind-k.kubeconfig", "image.tar", ".created.json.x1y2", "unpack-7"]
    for directory in (state, temporary):
        directory.mkdir(parents=True)
    for name in (*left, "created.json", "last.json", "lock", "slate.json", "runs", "logs"):
        (state / name).touch()
    for name in ("kubetour-notes", f"kubetour-{os.getuid()}-0123456789abcdef"):
        (temporary / name).touch()  # somebody else's
    monkeypatch.setenv("TMPDIR", str(temporary))
    found = list(sighting.files(c, str(state), {"embedded-cluster/k"}))
    assert {thing.name for thing in found} == {str(state / name) for name in left}
    assert all(isinstance(thing, Thing) and thing.ours for thing in found)
    assert found[0].remove.startswith("rm -r '")
