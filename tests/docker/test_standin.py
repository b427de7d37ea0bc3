"""kind's stand-in with a real engine, held to the recording, in its order: one cluster from first to last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.docker.conftest import STANDINS, Desk, Done, docker, lines
from tests.standins.archives import multi_platform

RECORDED: list[dict[str, Any]] = json.loads((STANDINS / "golden" / "kind.json").read_text(encoding="utf-8"))
DOCKERFILE = 'ARG BASE=node:24-alpine\nFROM ${BASE}\nCOPY app.js /\nENTRYPOINT ["node", "/app.js"]\n'
APP = """const os = require('os'), http = require('http');
const server = http.createServer((q, s) => s.end(`You've hit <${process.env.HOSTNAME}>\\n`));
server.listen(process.env.PORT, process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
"""


def recorded(start: str, nth: int = 0) -> dict[str, Any]:
    """Return the nth recorded command that begins so."""
    return [each for each in RECORDED if each["cmd"].startswith(start)][nth]


def normal(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, name in (
        (r"(?<=docker run )--name \S+ .*?(?=\" failed)|--name \S+ \.\.\. (?=\" failed)", "…"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"127\.0\.0\.1:\d{2,5}", "127.0.0.1:PORT"),
        (r"Ready after \d+s", "Ready after Ns"),
        (r"(Have a nice|Thanks for|Not sure|Have a question).*", "GREETING"),
        (r"(?s)Command Output: .*?docker: Error", "Command Output: docker: Error"),
        (r"\nSee 'docker run --help'\.", "\n\nRun 'docker run --help' for more information"),
    ):
        text = re.sub(pattern, name, text)
    return text


def same(done: Done, expected: dict[str, Any], **names: str) -> None:
    """Compare a command's outcome with a recorded one, its names and what differs each time replaced."""
    out, err = expected["out"], expected["err"]
    for old, new in names.items():
        out, err = (re.sub(rf"\b{re.escape(old)}\b", new, text) for text in (out, err))
    assert normal(done.stderr) == normal(err)
    assert normal(done.stdout) == normal(out)
    assert done.returncode == expected["rc"]


@pytest.fixture
def image(desk: Desk) -> Iterator[str]:
    """Return an image that answers with its host's name."""
    source = desk.folder / "image"
    source.mkdir()
    (source / "Dockerfile").write_text(DOCKERFILE)
    (source / "app.js").write_text(APP)
    name = f"{desk.image}:1.0"
    docker("build", "-q", "-t", name, str(source))
    yield name
    docker("image", "rm", name)


def config(port: int) -> str:
    """Return the recorded config, with another host port."""
    return str(recorded("kind create cluster --name tour --kubeconfig")["stdin"]).replace("18080", str(port))


def test_a_clusters_life_is_as_recorded(desk: Desk, image: str, free_port: int) -> None:
    cluster, port = desk.cluster, free_port
    made = desk.run(
        f"kind create cluster --name {cluster} --kubeconfig ./kc --wait 120s --config -", stdin=config(port)
    )
    same(made, recorded("kind create cluster --name tour --kubeconfig"), tour=cluster)
    volumes = desk.volumes()
    assert volumes

    # what others can see of it
    assert cluster in lines("ps", "--format", '{{.Label "io.x-k8s.kind.cluster"}}')
    same(desk.run(f"kind get nodes --name {cluster}"), recorded("kind get nodes --name tour"), tour=cluster)
    assert cluster in desk.run("kind get clusters").stdout.split()
    for start in ("docker ps --filter", "docker inspect tour", "docker port tour", "docker network inspect"):
        command = recorded(start)["cmd"].replace("tour", cluster)
        same(desk.run(command), recorded(start), tour=cluster)
    view = yaml.safe_load(desk.run("kubectl --kubeconfig ./kc config view").stdout)
    assert view["current-context"] == f"kind-{cluster}"
    api = lines("port", f"{cluster}-control-plane", "6443")[0]
    assert view["clusters"][0]["cluster"]["server"] == f"https://{api}"
    ready = desk.run("kubectl --kubeconfig ./kc wait --for=condition=Ready nodes --all --timeout=60s")
    assert ready.returncode == 0, ready.stderr
    assert sorted(line.split("/")[1].split()[0] for line in ready.stdout.splitlines()) == sorted(desk.nodes())

    # a second one cannot have its name, nor its port
    same(
        desk.run(f"kind create cluster --name {cluster}"),
        recorded("kind create cluster --name tour", 5),
        tour=cluster,
    )
    other = f"{cluster}-2"
    taken = desk.run(f"kind create cluster --name {other} --kubeconfig ./kc2 --config -", stdin=config(port))
    expected = recorded("kind create cluster --name tour2")
    assert f"Bind for 127.0.0.1:{port} failed: port is already allocated" in taken.stderr
    assert taken.stderr.splitlines()[:5] == [
        line.replace("tour2", other) for line in expected["err"].splitlines()[:5]
    ]
    assert "exit status 125" in taken.stderr
    assert taken.returncode == 1
    assert lines("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={other}") == []

    # images
    identity = lines("image", "inspect", "-f", "{{.Id}}", image)[0]
    load = recorded("kind load docker-image node-hostname:1.0")
    names = {"tour": cluster, "node-hostname:1.0": image, load["err"].split('"')[3]: identity}
    same(desk.run(f"kind load docker-image {image} --name {cluster}"), load, **names)
    same(
        desk.run(f"kind load docker-image {image} --name {cluster}"),
        recorded("kind load docker-image node-hostname:1.0", 1),
        **names,
    )
    for node in desk.nodes():
        found = json.loads(desk.run(f"docker exec {node} crictl inspecti docker.io/library/{image}").stdout)
        assert found["status"]["id"] == identity
        assert found["status"]["repoTags"] == [f"docker.io/library/{image}"]
    assert (
        identity.removeprefix("sha256:")[:13]
        in desk.run(f"docker exec {desk.nodes()[0]} crictl images").stdout
    )
    docker("tag", image, f"{desk.image}:2.0")
    retagged = desk.run(f"kind load docker-image {desk.image}:2.0 --name {cluster}")
    assert "re-tagging..." in retagged.stderr
    assert desk.run(f"docker exec {cluster}-worker crictl inspecti {desk.image}:2.0").returncode == 0
    docker("image", "rm", f"{desk.image}:2.0")
    same(
        desk.run(f"kind load docker-image absent:9 --name {cluster}"),
        recorded("kind load docker-image absent:9"),
    )
    assert desk.run(f"docker save {image} -o ./i.tar").returncode == 0
    same(
        desk.run(f"kind load image-archive ./i.tar --name {cluster}"),
        recorded("kind load image-archive ./i.tar"),
    )
    unknown = desk.run(f"kind load docker-image {image} --name {cluster} --nodes nobody")
    assert unknown.stderr == 'ERROR: unknown node: "nobody"\n'

    # a Service is reached from every node, and from this machine at the mapped port
    kubectl = "kubectl --kubeconfig ./kc"
    for command in (
        f"create deployment web --image={image} --port=8080 --replicas=3",
        "rollout status deploy/web --timeout=60s",
        "expose deployment web --port=80 --target-port=8080 --type=LoadBalancer --name web "
        """--overrides '{"spec":{"ports":[{"port":80,"targetPort":8080,"nodePort":30080}]}}'""",
    ):
        done = desk.run(f"{kubectl} {command}")
        assert done.returncode == 0, done.stderr
    address = desk.run(f"{kubectl} get svc web -o jsonpath={{.spec.clusterIP}}").stdout
    urls = [
        f"docker exec {node} curl -sS --retry 5 --retry-all-errors http://{address}" for node in desk.nodes()
    ]
    for command in (*urls, f"curl -sS --retry 5 --retry-all-errors http://127.0.0.1:{port}/"):
        assert re.fullmatch(r"You've hit <web-\w+-\w+>\n", desk.run(command).stdout)

    # the end
    logs = desk.run(f"kind export logs ./kindlogs --name {cluster}")
    same(logs, recorded("kind export logs ./kindlogs"), tour=cluster)
    assert (desk.folder / "kindlogs" / f"{cluster}-worker" / "inspect.json").exists()
    exported = desk.run(f"kind export kubeconfig --name {cluster} --kubeconfig ./kc3")
    same(exported, recorded("kind export kubeconfig --name"), tour=cluster)
    assert (desk.folder / "kc3").read_text() == (desk.folder / "kc").read_text()
    deleted = desk.run(f"kind delete cluster --name {cluster} --kubeconfig ./kc")
    same(deleted, recorded("kind delete cluster --name tour --kubeconfig"), tour=cluster)
    assert not set(volumes) & set(lines("volume", "ls", "-q"))
    assert yaml.safe_load((desk.folder / "kc").read_text())["contexts"] == []


FAILURES = {
    "create": 'to init node with kubeadm: command "docker exec --privileged {}-control-plane kubeadm init',
    "port": "Bind for 127.0.0.1:{port} failed: port is already allocated",
    "pull": 'failed to pull image "kindest/node:v1.36.2"',
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_cluster_that_fails_on_demand_leaves_no_node(desk: Desk, free_port: int, failure: str) -> None:
    done = desk.run(
        f"kind create cluster --name {desk.cluster} --kubeconfig ./kc --config -",
        stdin=config(free_port),
        KIND_STANDIN_FAIL=failure,
    )
    assert done.returncode == 1
    assert FAILURES[failure].replace("{}", desk.cluster).replace("{port}", str(free_port)) in done.stderr
    assert desk.nodes() == []
    assert not (desk.folder / "kc").exists()


def test_what_is_retained_is_there_until_it_is_deleted(desk: Desk, free_port: int) -> None:
    create = f"kind create cluster --name {desk.cluster} --kubeconfig ./kc --config -"
    assert desk.run(f"{create} --retain", stdin=config(free_port), KIND_STANDIN_FAIL="create").returncode == 1
    assert desk.nodes() == [f"{desk.cluster}-worker", f"{desk.cluster}-control-plane"]
    assert desk.run(f"kind delete clusters {desk.cluster}").stderr.endswith(
        f'Deleted clusters: ["{desk.cluster}"]\n'
    )
    assert desk.nodes() == []


@pytest.fixture
def cluster(desk: Desk, free_port: int) -> Iterator[str]:
    """Return a cluster of two nodes; it was late at first, and at the end resists once, on demand."""
    kubeconfig = f"--name {desk.cluster} --kubeconfig ./kc"
    create = f"kind create cluster {kubeconfig} --config - --wait 5s"
    made = desk.run(create, stdin=config(free_port), KIND_STANDIN_FAIL="wait")
    assert " • WARNING: Timed out waiting for Ready ⚠️" in made.stderr
    assert made.returncode == 0  # as in kind's source: a late node is no error
    yield desk.cluster
    resisted = desk.run(f"kind delete cluster {kubeconfig}", KIND_STANDIN_FAIL="delete")
    assert f'ERROR: failed to delete cluster "{desk.cluster}": failed to delete nodes: ' in resisted.stderr
    assert resisted.returncode == 1
    assert desk.run(f"kind delete cluster {kubeconfig}").returncode == 0


def test_a_load_that_fails_says_what_ctr_says(desk: Desk, image: str, cluster: str) -> None:
    """What is missing in such an archive is real: https://github.com/kubernetes-sigs/kind/issues/3795"""
    (desk.folder / "multi.tar").write_bytes(multi_platform(with_other=False))
    missing = r"ctr: content digest sha256:[0-9a-f]{64}: not found"
    for load, failure, why in (
        (f"docker-image {image}", "digest", missing),
        (f"docker-image {image}", "load", "ctr: .* no space left on device"),
        ("image-archive multi.tar", "", missing),
    ):
        done = desk.run(f"kind load {load} --name {cluster}", KIND_STANDIN_FAIL=failure)
        assert 'ERROR: failed to load image: command "docker exec --privileged -i' in done.stderr
        assert re.search(f"\nCommand Output: {why}", done.stderr), done.stderr
        assert done.returncode == 1
