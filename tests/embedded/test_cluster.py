"""A whole cluster through its commands, with the real kubectl."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.network import loopback_range_usable
from tests.embedded.commands import Commands, Done, get, lines, until
from tests.embedded.making import context

needs_range = pytest.mark.skipif(not loopback_range_usable(), reason="only 127.0.0.1 is usable here")
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH")
needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="Linux only: it reads /proc")
NODES = ["t-control-plane", "t-worker", "t-worker2"]


def config(port: int) -> str:
    mapping = {"containerPort": 30080, "hostPort": port, "listenAddress": "127.0.0.1"}
    nodes = [{"role": "control-plane", "labels": {"own": "me"}, "extraPortMappings": [mapping]}]
    nodes += [{"role": "worker"}, {"role": "worker"}]
    return json.dumps({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes})


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# Its name is HTTP's answer. It listens where it is told, and ends when it is told.
APP = """
const http = require("http");
const { HOST, PORT, HOSTNAME } = process.env;
const server = http.createServer((_, response) => response.end(HOSTNAME)).listen(PORT, HOST);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
console.log("started");
"""
DOCKERFILE = 'FROM node:24\nWORKDIR /app\nCOPY app.js ./\nEXPOSE 8080\nENTRYPOINT ["node", "app.js"]\n'


class Cluster:
    """A cluster that runs."""

    def __init__(self, run: Commands) -> None:
        self.run, self.port = run, free_port()
        self.kubeconfig = run.root.parent / "kubeconfig"
        argv = ("create", "cluster", "--name", "t", "--kubeconfig", self.kubeconfig, "--config", "-")
        self.created = run(*argv, stdin=config(self.port))

    def kubectl(self, *argv: str, ok: bool = True) -> Done:
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *argv],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        found = Done(done.returncode, done.stdout, done.stderr)
        assert not ok or found.status == 0, f"{argv}: {found}"
        return found

    def items(self, *argv: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.kubectl("get", *argv, "-o", "json").json["items"]
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not shutil.which("kubectl") or not shutil.which("node"):
        pytest.skip("kubectl and Node must be on PATH")
    run = Commands(tmp_path_factory.mktemp("cluster") / "state")
    context(run.root.parent / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "shop:1", "app")
    cluster = Cluster(run)
    yield cluster
    run("delete", "cluster", "--name", "t", "--kubeconfig", cluster.kubeconfig)
    assert run.processes() == []
    assert run.files() == []
    assert not cluster.kubeconfig.exists()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", cluster.port))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Commands]:
    run = Commands(tmp_path / "state")
    yield run
    for name in run("get", "clusters").out.split():
        run("delete", "cluster", "--name", name)
    until(lambda: run.processes() == [])


def test_progress_is_told_as_kind_tells_it(cluster: Cluster) -> None:
    assert cluster.created.out == ""
    said = list(lines(cluster.created.err))
    assert said[0] == 'Creating cluster "t" ...'
    assert any(line.startswith(" • Ready after ") for line in said)
    assert 'Set kubectl context to "embedded-t"' in said
    context = f"--context embedded-t --kubeconfig {cluster.kubeconfig.name}"
    assert f"kubectl cluster-info {context}" in said
    assert "nothing is isolated" in said[-1]


def test_what_a_cluster_keeps_is_its_owners_alone(cluster: Cluster) -> None:
    files = [path for path in cluster.run.root.glob("clusters/t/*") if path.is_file()]
    assert {"state.db", "state.db-wal", "server.log", "cluster.json"} <= {path.name for path in files}
    locks = cluster.run.root.rglob(".lock")
    for path in (cluster.kubeconfig, *files, *locks):
        assert path.stat().st_mode & 0o777 == 0o600, path
    printed = cluster.run("get", "kubeconfig", "--name", "t").out
    assert printed == cluster.kubeconfig.read_text(encoding="utf-8")
    other = cluster.run.root.parent / "other"
    cluster.run("export", "kubeconfig", "--name", "t", "--kubeconfig", other)
    assert other.read_text(encoding="utf-8") == printed


def test_the_cluster_and_its_nodes_are_listed(cluster: Cluster) -> None:
    assert cluster.run("get", "clusters").out == "t\n"
    assert cluster.run("get", "nodes", "--name", "t").out.split() == NODES
    nodes = {node["metadata"]["name"]: node for node in cluster.items("nodes")}
    assert sorted(nodes) == NODES
    first = nodes["t-control-plane"]
    assert first["metadata"]["labels"]["own"] == "me"
    assert first["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] == ""
    assert [taint["effect"] for taint in first["spec"]["taints"]] == ["NoSchedule"]
    assert "taints" not in nodes["t-worker"]["spec"]


def test_a_name_that_is_taken_is_refused(cluster: Cluster) -> None:
    done = cluster.run("create", "cluster", "--name", "t", ok=False)
    assert done.status == 1
    assert done.err.startswith(
        'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "t"'
    )
    assert cluster.run("get", "clusters").out == "t\n"


def test_an_image_is_loaded_onto_every_node(cluster: Cluster) -> None:
    done = cluster.run("load", "image", "shop:1", "--name", "t")
    identity = cluster.run("image", "inspect", "-f", "{{.Id}}", "shop:1").out.strip()
    told = f'Image: "shop:1" with ID "{identity}"'
    assert done.err.splitlines() in (
        [f'{told} not yet present on node "{node}", loading...' for node in NODES],
        [f"{told} found to be already present on all nodes."],
    )
    assert "already present" in cluster.run("load", "image", "shop:1", "--name", "t").err
    for node in NODES:
        found = cluster.run("exec", node, "--", "crictl", "inspecti", "docker.io/library/shop:1").json
        assert found["status"]["id"] == identity
    table = cluster.run("exec", NODES[0], "--", "crictl", "images").out.splitlines()
    assert table[1].split()[:3] == ["docker.io/library/shop", "1", identity[7:20]]
    listed = cluster.run("exec", NODES[0], "--", "crictl", "images", "-o", "json").json["images"]
    assert [image["id"] for image in listed] == [identity]


def test_what_a_node_does_not_have(cluster: Cluster) -> None:
    done = cluster.run("exec", NODES[0], "--", "crictl", "inspecti", "none:1", ok=False)
    assert (done.status, done.out) == (1, "")
    assert 'no such image "none:1" present' in done.err
    done = cluster.run("load", "image", "none:1", "--name", "t", ok=False)
    assert (done.status, done.err) == (1, 'ERROR: image: "none:1" not present locally\n')
    done = cluster.run("load", "image", "shop:1", "--name", "t", "--nodes", "x", ok=False)
    assert done.err.startswith('ERROR: unknown node: "x"')


def test_a_node_lists_and_stops_the_containers_of_its_own_pods(cluster: Cluster) -> None:
    cluster.run("load", "image", "shop:1", "--name", "t")
    flags = ("--image", "shop:1", "--image-pull-policy", "IfNotPresent")
    cluster.kubectl("run", "killed", *flags, "--overrides", json.dumps({"spec": {"nodeName": NODES[1]}}))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/killed", "--timeout=30s")
    find = ("crictl", "ps", "-q", "--label", "io.kubernetes.pod.name=killed")
    assert cluster.run("exec", NODES[2], "--", *find).out == ""
    before = cluster.run("exec", NODES[1], "--", *find).out.strip()
    (row,) = (
        line
        for line in cluster.run("exec", NODES[1], "--", "crictl", "ps").out.splitlines()
        if "killed" in line
    )
    assert row.split()[0] == before[:13]
    try:
        # A shell there finds crictl, as on any node; without -t the container has no time to end by itself.
        cluster.run("exec", NODES[1], "--", "sh", "-c", f"crictl stop $({' '.join(find)})")
        until(lambda: cluster.run("exec", NODES[1], "--", *find).out.strip() not in ("", before))
        told = ("get", "pod", "killed", "-o", "jsonpath={..restartCount} {..lastState.terminated.exitCode}")
        until(lambda: cluster.kubectl(*told).out == "1 137")
    finally:
        cluster.kubectl("delete", "pod", "killed", "--grace-period", "1")


def test_a_container_that_is_given_time_ends_by_itself(cluster: Cluster) -> None:
    cluster.run("load", "image", "shop:1", "--name", "t")
    flags = ("--image", "shop:1", "--image-pull-policy", "IfNotPresent", "--restart", "Never")
    cluster.kubectl("run", "asked", *flags, "--overrides", json.dumps({"spec": {"nodeName": NODES[1]}}))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/asked", "--timeout=30s")
    try:
        find = "crictl ps -q --label io.kubernetes.pod.name=asked"
        until(lambda: "started" in cluster.kubectl("logs", "asked").out)  # its handler is there
        cluster.run("exec", NODES[1], "--", "sh", "-c", f"crictl stop -t 20 $({find})")
        until(
            lambda: (
                cluster.kubectl("get", "pod", "asked", "-o", "jsonpath={.status.phase}").out == "Succeeded"
            )
        )
    finally:
        cluster.kubectl("delete", "pod", "asked", "--grace-period", "1")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("stop", "nobody"), 'stopping the container "nobody": not found'),
        (("stop", ""), "not found"),
        (("stop",), "the following arguments are required"),
        (("ps", "--all"), "unrecognized arguments: --all"),
        (("rmp", "x"), "crictl knows"),
    ],
)
def test_what_crictl_cannot_do_on_a_node_is_said(cluster: Cluster, argv: tuple[str, ...], said: str) -> None:
    done = cluster.run("exec", NODES[0], "--", "crictl", *argv, ok=False)
    assert done.status == 1
    assert said in done.err


def test_commands_on_a_node_run_on_this_machine(cluster: Cluster) -> None:
    assert cluster.run("exec", NODES[1], "--", "sh", "-c", "echo $1; exit 7", "x", "arg", ok=False) == Done(
        7, "arg\n", ""
    )
    done = cluster.run("exec", NODES[1], "--", "no-such-program", ok=False)
    assert done.status == 127
    assert 'exec: "no-such-program"' in done.err
    done = cluster.run("exec", "nobody", "--", "true", ok=False)
    assert (done.status, done.err.partition(";")[0]) == (1, "ERROR: no such node: nobody")


@needs_range
def test_a_deployment_is_scaled_and_balanced_over_its_pods(cluster: Cluster) -> None:
    cluster.run("load", "image", "shop:1", "--name", "t")
    cluster.kubectl("create", "deployment", "shop", "--image=shop:1", "--port=8080")
    cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    cluster.kubectl("expose", "deployment", "shop", "--type=NodePort", "--port=8080")
    patch = '{"spec":{"ports":[{"port":8080,"nodePort":30080}]}}'
    cluster.kubectl("patch", "service", "shop", "-p", patch)
    cluster.kubectl("scale", "deployment", "shop", "--replicas=3")
    cluster.kubectl("rollout", "status", "deployment/shop", "--timeout=30s")
    pods = cluster.items("pods", "-l", "app=shop")
    names = {pod["metadata"]["name"] for pod in pods}
    assert len(names) == 3
    assert {pod["spec"]["nodeName"] for pod in pods} == {"t-worker", "t-worker2"}
    address = cluster.kubectl("get", "service", "shop", "-o", "jsonpath={.spec.clusterIP}").out
    for url in (f"http://{address}:8080/", f"http://127.0.0.1:{cluster.port}/"):
        seen: set[str] = set()

        def all_answered(url: str = url, seen: set[str] = seen) -> bool:
            seen.add(get(url))
            return names <= seen

        until(all_answered)
        assert seen <= {*names, ""}
    (node,) = {pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["name"] == min(names)}
    curl = ("curl", "-sS", f"http://{address}:8080/")
    assert cluster.run("exec", node, "--", *curl).out in names
    assert cluster.kubectl("logs", "deployment/shop").status == 0
    began = time.monotonic()
    cluster.kubectl("delete", "deployment,service", "shop")
    until(lambda: cluster.items("pods", "-l", "app=shop") == [])
    assert time.monotonic() - began < 25  # the grace period is 30


@needs_proc
def test_no_descriptor_of_create_is_kept_open(cluster: Cluster) -> None:
    (server,) = [line for line in cluster.run.processes() if " serve " in line]
    pid = server.split(":")[0]
    targets = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    assert not [target for target in targets if ".lock" in target and "images" not in target]


# --- without a cluster, or with one that meets a bad end


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ("create", "cluster", "--name", "Bad_Name"),
            "failed to create cluster: 'Bad_Name' is not a valid cluster name, "
            "cluster names must match `^[a-z0-9.-]+$`",
        ),
        (
            ("create", "cluster", "--config", "/nonexistent.yaml"),
            "failed to create cluster: error reading file: open /nonexistent.yaml: no such file or directory",
        ),
        (("create", "cluster", "--wait", "5"), "invalid duration '5'"),
        (
            ("get", "kubeconfig", "--name", "nope"),
            "could not locate any control plane nodes for cluster named 'nope'. "
            "Use the --name option to select a different cluster",
        ),
        (("export", "kubeconfig", "--name", "no", "--kubeconfig", "x"), "could not locate any control plane"),
        (("load", "image", "x", "--name", "nope"), 'image: "x" not present locally'),
        (("load", "image-archive", "/nope.tar", "--name", "nope"), 'no nodes found for cluster "nope"'),
        (("delete", "cluster", "--name", "../x"), "'../x' is not a valid cluster name"),
        (("exec", "n", "--"), "exec needs a command"),
    ],
)
def test_errors_in_kinds_words(bare: Commands, argv: tuple[str, ...], message: str) -> None:
    done = bare(*argv, ok=False)
    assert done.status == 1
    assert done.err.startswith(f"ERROR: {message}")
    assert not (bare.root / "clusters").exists() or bare.files() == []


def test_deleting_what_is_not_there_is_no_error(bare: Commands) -> None:
    done = bare("delete", "cluster", "--name", "nope")
    assert (done.out, done.err) == ("", 'Deleting cluster "nope" ...\n')
    assert bare("get", "clusters").err == "No embedded clusters found.\n"
    assert bare("get", "nodes", "--name", "nope").err == 'No embedded nodes found for cluster "nope".\n'


def test_a_kubeconfig_that_is_somebody_elses_is_left_alone(bare: Commands, tmp_path: Path) -> None:
    theirs = tmp_path / "config"
    theirs.write_text("apiVersion: v1\nkind: Config\n", encoding="utf-8")
    done = bare("create", "cluster", "--name", "t", "--kubeconfig", theirs, ok=False)
    assert "holds another configuration" in done.err
    bare("delete", "cluster", "--name", "t", "--kubeconfig", theirs)
    assert theirs.read_text(encoding="utf-8") == "apiVersion: v1\nkind: Config\n"
    assert bare.files() == []


@needs_proc
def test_a_host_port_that_is_taken_leaves_nothing(bare: Commands) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = bare("create", "cluster", "--name", "t", "--config", "-", stdin=config(port), ok=False)
    assert done.status == 1
    assert f"cannot listen on host port 127.0.0.1:{port}" in done.err
    assert 'Deleted nodes: ["t-control-plane" "t-worker" "t-worker2"]' in done.err
    assert bare.processes() == []
    assert bare.files() == []


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_create_leaves_nothing(bare: Commands, number: signal.Signals) -> None:
    with bare.start("create", "cluster", "--name", "t") as process:
        until((bare.root / "clusters" / "t" / "server.json").exists)
        process.send_signal(number)
        assert process.wait(timeout=20) == 130
    until(lambda: bare.processes() == [])
    assert bare.files() == []


@needs_proc
def test_a_create_that_is_killed_leaves_no_cluster(bare: Commands) -> None:
    with bare.start("create", "cluster", "--name", "t") as process:
        until((bare.root / "clusters" / "t" / "server.json").exists)
        process.kill()
    until(lambda: bare.processes() == [])
    assert bare.files() == []


def pod_of(bare: Commands, script: str) -> Path:
    """Make a cluster of one node, on which a script runs as a Pod; return its kubeconfig."""
    kubeconfig = bare.root.parent / "kubeconfig"
    dockerfile = 'FROM scratch\nCOPY run.sh /run.sh\nENTRYPOINT ["sh", "/run.sh"]\n'
    context(bare.root.parent / "script", {"Dockerfile": dockerfile, "run.sh": script})
    bare("build", "-t", "script:1", "script")
    bare("create", "cluster", "--name", "t", "--kubeconfig", kubeconfig)
    bare("load", "image", "script:1", "--name", "t")
    argv = ["kubectl", "--kubeconfig", str(kubeconfig)]
    subprocess.run([*argv, "run", "p", "--image=script:1"], check=True, capture_output=True)
    wait = ["wait", "--for=condition=Ready", "pod/p", "--timeout=20s"]
    subprocess.run([*argv, *wait], check=True, capture_output=True)
    return kubeconfig


def kill_server(bare: Commands) -> None:
    (server,) = [line for line in bare.processes() if " serve " in line]
    os.kill(int(server.split(":")[0]), signal.SIGKILL)
    until(lambda: not [line for line in bare.processes() if " serve " in line])


# It leaves a child behind that its own death does not end.
STUBBORN = "trap '' TERM HUP; sleep 300 & sleep 300\n"


@needs_proc
@needs_kubectl
def test_delete_ends_what_a_killed_server_left(bare: Commands) -> None:
    kubeconfig = pod_of(bare, STUBBORN)
    kill_server(bare)
    done = bare("get", "kubeconfig", "--name", "t", ok=False)
    assert "is not running any more; `start cluster --name t` starts it again" in done.err
    assert bare("get", "clusters").out == "t\n"
    bare("delete", "cluster", "--name", "t", "--kubeconfig", kubeconfig)
    until(lambda: [line for line in bare.processes() if "sleep" in line] == [])
    assert bare.files() == []


@needs_proc
@needs_kubectl
def test_create_does_not_replace_what_a_killed_server_left(bare: Commands) -> None:
    kubeconfig = pod_of(bare, STUBBORN)
    kill_server(bare)
    done = bare("create", "cluster", "--name", "t", "--kubeconfig", kubeconfig, ok=False)
    assert "which is not running; `start cluster --name t` starts it again" in done.err


@needs_proc
@needs_kubectl
def test_start_goes_on_where_a_killed_server_ended(bare: Commands) -> None:
    kubeconfig = pod_of(bare, STUBBORN)
    before = kubeconfig.read_text()
    kubeconfig.unlink()
    kill_server(bare)
    bare("start", "cluster", "--name", "t", "--kubeconfig", kubeconfig)
    assert kubeconfig.read_text() == before
    argv = ["kubectl", "--kubeconfig", str(kubeconfig), "get", "pod", "p", "-o", "json"]

    def restarted() -> bool:
        pod = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
        (status,) = pod["status"]["containerStatuses"]
        return bool(status["ready"] and status["restartCount"] == 1)

    until(restarted)
    sleeps = [line for line in bare.processes() if "sleep" in line]
    assert len(sleeps) == 2, "the old container's processes are gone, the new one's are there once"


@needs_proc
def test_start_of_a_cluster_that_runs_changes_nothing(bare: Commands) -> None:
    bare("create", "cluster", "--name", "t")
    (server,) = [line for line in bare.processes() if " serve " in line]
    bare("start", "cluster", "--name", "t")
    assert [line for line in bare.processes() if " serve " in line] == [server]


def test_start_of_a_cluster_that_is_not_there_says_so(bare: Commands) -> None:
    done = bare("start", "cluster", "--name", "t", ok=False)
    assert done.status == 1
    assert "there is no embedded cluster 't'" in done.err


@needs_proc
def test_a_damaged_store_is_named_and_nothing_is_removed(bare: Commands) -> None:
    bare("create", "cluster", "--name", "t")
    kill_server(bare)
    store = bare.root / "clusters" / "t" / "state.db"
    store.write_bytes(b"rubbish" * 1000)
    store.with_name("state.db-wal").unlink()  # from which it would be made whole
    done = bare("start", "cluster", "--name", "t", ok=False)
    assert done.status == 1
    assert (
        "state.db cannot be read: file is not a database; delete the cluster, and create it anew" in done.err
    )
    assert store.read_bytes().startswith(b"rubbish")
    assert bare.processes() == []
    bare("delete", "cluster", "--name", "t")
    assert bare.files() == []


@needs_proc
@needs_kubectl
def test_delete_does_not_wait_for_pods_that_do_not_listen(bare: Commands) -> None:
    pod_of(bare, STUBBORN)
    began = time.monotonic()
    bare("delete", "cluster", "--name", "t")
    assert time.monotonic() - began < 25  # the grace period is 30
    assert bare.processes() == []


@needs_kubectl
def test_a_server_that_starts_again_keeps_its_state_and_port(bare: Commands) -> None:
    kubeconfig = pod_of(bare, "trap 'exit 0' TERM; while :; do sleep 0.01; done")
    kill_server(bare)
    with bare.start("serve", "--name", "t") as server:
        argv = ["kubectl", "--kubeconfig", str(kubeconfig), "get", "pod", "p", "-o", "json"]

        def restarted() -> bool:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode:
                return False
            (status,) = json.loads(done.stdout)["status"]["containerStatuses"]
            return bool(status["ready"] and status["restartCount"] == 1)

        until(restarted)
        server.terminate()
        assert server.wait(timeout=20) == 0


@needs_kubectl
@pytest.mark.parametrize("temporary", ["/tmp", "long"])
def test_a_state_directory_with_a_long_path_will_do(
    tmp_path: Path, temporary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if temporary == "long":  # as macOS has it, or a scheduler of jobs
        (tmp_path / ("t" * 80)).mkdir()
        monkeypatch.setenv("TMPDIR", str(tmp_path / ("t" * 80)))
        monkeypatch.setattr("tempfile.tempdir", None)
    run = Commands(tmp_path / ("x" * 100) / "state")
    run.root.parent.mkdir()
    kubeconfig = pod_of(run, "echo printed; trap 'exit 0' TERM; while :; do sleep 0.01; done")
    argv = ["kubectl", "--kubeconfig", str(kubeconfig), "logs", "p"]
    until(lambda: subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "printed\n")
    short = ClusterDirectory("t", run.root).kubelet_socket("t-control-plane").parent
    assert short.stat().st_mode & 0o777 == 0o700
    run("delete", "cluster", "--name", "t")
    assert not short.exists()
    assert run.files() == []


@needs_range
def test_two_clusters_live_side_by_side(bare: Commands) -> None:
    for name in ("one", "two"):
        bare("create", "cluster", "--name", name)
    assert bare("get", "clusters").out == "one\ntwo\n"
    bare("delete", "cluster", "--name", "one")
    assert bare("get", "clusters").out == "two\n"
    assert bare("get", "kubeconfig", "--name", "two").out
