"""`inv down --check` on a real engine: what is left is named, and what others made stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.docker.conftest import BASE, Desk, Done, docker, inv, lines
from tests.docker.test_kind_tour import one_node, well

FOREVER = ("--entrypoint", "node", BASE, "-e", "setTimeout(()=>0,1e9)")
CLEAN = "Nothing of this project is left"


@pytest.fixture
def bench(project: Desk) -> Desk:
    """Return the desk with the project, and an environment that gives everything a name of the test's own."""
    names = {
        "KUBETOUR_PROVIDER": "kind",
        "KUBETOUR_STUDENT": project.mark,  # so that the ports are no other test's
        "KUBETOUR_CLUSTER_NAME": project.cluster,
        "KUBETOUR_IMAGE": f"{project.image}:1",
        "KUBETOUR_NAME": f"w{project.cluster}",
        "KUBETOUR_WORKERS": "0",
        "KUBETOUR_TIMEOUT": "90",
    }
    return replace(project, environment={**project.environment, **names})


@dataclass(frozen=True)
class LookAlikes:
    """What a user has that is called nearly, or exactly, as what kubetour makes."""

    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    networks: tuple[str, ...]
    images: tuple[str, ...]
    kubeconfig: Path

    def state(self) -> str:
        """Return all that the engine tells of them, and the kubeconfig's bytes, number and time."""
        told: list[Any] = [json.loads(docker("inspect", each).stdout) for each in self.containers]
        for (each,) in told:
            each["Mounts"].sort(key=json.dumps)  # Docker keeps them in no order
        told += [json.loads(docker("volume", "inspect", each).stdout) for each in self.volumes]
        # But for which containers use it: other tests' come and go.
        shown = "{{.Id}} {{.Created}} {{json .IPAM}} {{json .Options}} {{json .Labels}}"
        told += [docker("network", "inspect", "-f", shown, each).stdout for each in self.networks]
        told += [json.loads(docker("image", "inspect", each).stdout) for each in self.images]
        found = self.kubeconfig.stat()
        told.append(hashlib.sha256(self.kubeconfig.read_bytes()).hexdigest())
        told.append((found.st_ino, found.st_mtime_ns, found.st_mode, found.st_uid))
        return json.dumps(told, sort_keys=True, indent=1)


@pytest.fixture
def theirs(bench: Desk) -> Iterator[LookAlikes]:
    """Return a user's things: similar names, the same image name and tag, the network `kind`, a context."""
    cluster, mark = bench.cluster, bench.mark
    other = f"t{uuid.uuid4().hex[:8]}"
    containers = (
        f"{app(bench)}x",
        f"{cluster}-control-plane2",
        f"kubetour-{mark}",
        f"{other}-control-plane",
    )
    volumes, image, tag = (f"kubetour-{mark}",), f"{bench.image}:1", f"{bench.image}:10"
    well(bench.run(f"kind create cluster --name {other} --kubeconfig ./{other}"))  # and with it the network
    for name in containers[:3]:
        docker("run", "-d", "--name", name, "-v", f"{volumes[0]}:/kept", *FOREVER)
    well(bench.run(f"docker build --label theirs=1 -t {image} ."))
    docker("tag", BASE, tag)
    kubeconfig = Path(bench.environment["HOME"]) / ".kube/config"
    kubeconfig.parent.mkdir()
    name = f"kind-{cluster}"
    kubeconfig.write_text(
        f"""apiVersion: v1
kind: Config
current-context: {name}
clusters: [{{name: {name}, cluster: {{server: "https://127.0.0.1:9"}}}}]
users: [{{name: {name}, user: {{token: their-own}}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: {name}}}}}]
""",
        encoding="utf-8",
    )
    try:
        yield LookAlikes(containers, volumes, ("kind",), (image, tag), kubeconfig)
    finally:
        docker("rm", "-f", *containers[:3], check=False)
        docker("volume", "rm", *volumes, check=False)
        docker("image", "rm", image, tag, check=False)
        well(bench.run(f"kind delete cluster --name {other} --kubeconfig ./{other}"))


def app(desk: Desk) -> str:
    """Return the name of the container in which the tour runs the image."""
    return f"kubetour-{desk.mark}-w{desk.cluster}"


def stopped_at(desk: Desk, argv: list[str], word: str, **environ: str) -> int:
    """Interrupt a command once it prints a word, as Ctrl-C does; return its exit status."""
    with subprocess.Popen(
        argv,
        cwd=desk.folder,
        env={**desk.environment, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if word in line:
                break
        os.kill(process.pid, signal.SIGINT)
        process.stdout.read()
    return process.returncode


@pytest.mark.parametrize("ending", ["tour", "interrupted", "failed"])
def test_what_others_made_stays_as_it_is_bit_for_bit(bench: Desk, theirs: LookAlikes, ending: str) -> None:
    before = theirs.state()
    command = inv("tour --only build,run-container,create-cluster,nodes,load")
    if ending == "tour":
        well(bench.run([*command, "--down"], timeout=300))
    elif ending == "interrupted":
        assert stopped_at(bench, command, "· create-cluster ·", KIND_STANDIN_FAIL="stall") == 130
    else:
        assert bench.run(command, KIND_STANDIN_FAIL="create").returncode not in (0, 1)
    assert CLEAN in well(bench.run(inv("down --check"))).stdout
    assert theirs.state() == before
    assert bench.nodes() == []


def test_a_foreign_cluster_of_the_very_name_is_refused_and_stays_as_it_is(
    bench: Desk, theirs: LookAlikes
) -> None:
    well(bench.run(f"kind create cluster --name {bench.cluster} --kubeconfig ./mine"))
    node = f"{bench.cluster}-control-plane"
    both = replace(theirs, containers=(*theirs.containers, node))
    try:
        before, volumes = both.state(), lines("volume", "ls", "-q")
        refusals: list[Done] = [
            bench.run(inv(command))
            for command in (
                "create-cluster --timeout 5",
                "tour --from create-cluster",
                "down --check",
                "down",
            )
        ]
        assert [done.returncode for done in refusals[2:]] == [9, 9]
        assert all(done.returncode for done in refusals)
        assert not any("Traceback" in done.stderr for done in refusals)
        assert set(lines("inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", node)) <= set(volumes)
        assert both.state() == before
        assert list((bench.folder / ".kubetour").glob("*.kubeconfig")) == []  # nor a copy of its credentials
    finally:
        well(bench.run(f"kind delete cluster --name {bench.cluster} --kubeconfig ./mine"))


@pytest.mark.parametrize("step", ["stop-container", "run-container"])
def test_a_users_container_of_the_very_name_is_left_alone(bench: Desk, step: str) -> None:
    well(bench.run(inv("build")))
    name = app(bench)
    docker("run", "-d", "--name", name, *FOREVER)
    try:
        before = docker("inspect", name).stdout
        assert bench.run(inv(f"tour --only {step}")).returncode == 9
        assert CLEAN in well(bench.run(inv("down --check"))).stdout
        assert docker("inspect", name).stdout == before
    finally:
        docker("rm", "-f", name)


def test_what_is_left_is_named_with_the_command_that_removes_it(bench: Desk) -> None:
    well(bench.run(inv("tour --only build,run-container,create-cluster,nodes"), timeout=300))
    node, ours = f"{bench.cluster}-control-plane", app(bench)
    (volume,) = lines("inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", node)
    docker("run", "-d", "--name", f"holder-{bench.mark}", "-v", f"{volume}:/held", *FOREVER)
    ledger = bench.folder / ".kubetour/created.json"
    try:
        # With another's hand on the volume, it cannot go; and a ledger that forgets leaves the rest.
        whole = json.loads(ledger.read_text())["created"]
        kept = [each for each in whole if "container" not in each and "image" not in each]
        assert len(kept) == len(whole) - 2
        ledger.write_text(json.dumps({"created": kept}), encoding="utf-8")
        done = bench.run(inv("down"))
        assert done.returncode == 7, done.stdout + done.stderr
        checked = bench.run(inv("down --check"))
        assert checked.returncode == 1, checked.stdout + checked.stderr
        for told in (
            f"container {ours}: docker rm -f -v {ours}",
            f"volume {volume}: docker volume rm {volume}",
            f"image {bench.image}:1: docker image rm {bench.image}:1",
        ):
            assert f"• {told}" in checked.stderr
        assert f"{node}:" not in checked.stderr
        docker("rm", "-f", f"holder-{bench.mark}")
        removed = f"docker rm -f -v {ours} && docker volume rm {volume} && docker image rm {bench.image}:1"
        well(bench.run(removed))
        assert CLEAN in well(bench.run(inv("down --check"))).stdout
    finally:
        docker("rm", "-f", f"holder-{bench.mark}", ours, check=False)


def test_one_node_that_is_made_again_after_a_check_is_checked_again(bench: Desk) -> None:
    for _ in range(2):
        well(bench.run(inv(one_node(bench))))
        assert CLEAN in well(bench.run(inv("down --check"))).stdout
