"""The same tour for every pair of a provider and an engine: what it proves, skips, scales and takes back.

Which half of a pair is real is in the table of docs/providers.md. `context` is an embedded cluster that
someone else made, with a real registry on loopback: plain HTTP, which every engine takes there. What a cloud
does is done here: the image is handed to the nodes, which pull nothing, and the Service gets an address.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kubetour.skew import warnings
from tests.docker.clouds import giving_address
from tests.docker.conftest import Desk, inv
from tests.docker.engines import DOCKER, NERDCTL, Engine
from tests.docker.registries import registry
from tests.docker.test_kind_tour import TOUR, report, step, well

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
TOURS = {
    "kind": TOUR,
    "minikube": TOUR,
    "context": [
        each
        for name in TOUR
        if name not in ("create-cluster", "hit-pod", "crash", "hit-inside")
        for each in (("push", "namespace") if name == "load" else (name,))
    ],
}
ALREADY = {
    "kind": ["build", "create-cluster", "load"],
    "minikube": ["build", "create-cluster", "load"],
    "context": ["build", "namespace"],
}
RUNGS = {"kind": "rung.host-port", "minikube": "rung.published-port", "context": "rung.load-balancer"}
PAIRS = [
    *(("kind", engine) for engine in ("docker", "podman", "nerdctl")),
    *(("minikube", engine) for engine in ("docker", "podman")),  # no other engine is a driver of minikube's
    *(("context", engine) for engine in ("docker", "podman", "nerdctl")),
]


@dataclass(frozen=True)
class Pair:
    """A desk at which one provider and one engine are tried: `flags` names both, and all that is made."""

    provider: str
    engine: Engine
    desk: Desk
    flags: str
    kubectl: str
    nodes: tuple[str, ...] = ()  # those that are containers of the engine
    registry: str = ""

    def pods(self) -> set[str]:
        """Return the names of the app's Pods."""
        return set(well(self.desk.run(f"{self.kubectl} get pods -o name")).stdout.split())

    def volumes(self) -> set[str]:
        """Return the volumes of the nodes."""
        shown = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
        return {name for node in self.nodes for name in self.engine.lines("inspect", "-f", shown, node)}


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def pair(request: pytest.FixtureRequest, project: Desk, tmp_path: Path) -> Iterator[Pair]:
    """Return one of the pairs; afterwards nothing of it may be left in the engine."""
    provider, name = request.param
    engine: Engine = {"docker": DOCKER, "nerdctl": NERDCTL}.get(name) or request.getfixturevalue(name)
    desk = replace(project, environment={**project.environment, **engine.environment})
    flags = f"--engine {name} --image {desk.image} --name w{desk.cluster} --timeout 90"
    if provider == "context":
        desk = replace(
            desk, environment={**desk.environment, "KUBECONFIG": str(tmp_path / "theirs.kubeconfig")}
        )
        with foreign(desk, tmp_path, flags) as (more, kubectl, address):
            yield Pair(provider, engine, desk, more, kubectl, registry=address)
            well(desk.run(inv(f"down --check --context embedded-theirs --engine {name}")))
    else:
        own = f"--provider {provider} --cluster-name {desk.cluster}"
        numbers = ("-control-plane", "-worker") if provider == "kind" else ("", "-m02")
        nodes = tuple(f"{desk.cluster}{number}" for number in numbers)
        kubectl = f"kubectl --kubeconfig .kubetour/{provider}-{desk.cluster}.kubeconfig"
        yield Pair(provider, engine, desk, f"{own} {flags} --workers 1", kubectl, nodes)
        well(desk.run(inv(f"down --check {own} --engine {name}")))
    left = engine.left(desk.mark)
    for each in left:
        engine("rm", "-f", each, check=False)
        engine("image", "rm", "-f", each, check=False)
    assert not left


@contextmanager
def foreign(desk: Desk, directory: Path, flags: str) -> Iterator[tuple[str, str, str]]:
    """Run a cluster of someone else's, and a registry; yield all flags, kubectl there, and HOST:PORT."""
    if not shutil.which("docker-registry") and not os.environ.get("CI"):
        pytest.skip("no docker-registry on PATH: apt-get install docker-registry")
    kubeconfig = directory / "theirs.kubeconfig"
    where = f"--name theirs --kubeconfig {kubeconfig}"
    with registry(directory / "registry") as address:
        image = f"{address}/team/{desk.image}:1"
        embedded(desk, f"create cluster {where} --wait 60s")
        try:
            embedded(desk, f"build -t {image} .")
            embedded(desk, f"load image {image} --name theirs")
            kubectl = f"kubectl --kubeconfig {kubeconfig} --context embedded-theirs -n kubetour"
            names = flags.replace(f"--image {desk.image}", f"--image {desk.image}:1")
            with giving_address(kubeconfig, f"w{desk.cluster}"):
                yield f"--context embedded-theirs {names} --registry {address}/team", kubectl, address
        finally:
            embedded(desk, f"delete cluster {where}")


def embedded(desk: Desk, command: str) -> None:
    """Run a command of the embedded cluster."""
    well(desk.run([sys.executable, "-m", "kubetour.embedded", *command.split()]))


def test_the_tour_proves_every_step_a_second_one_skips_and_down_leaves_nothing(pair: Pair) -> None:
    desk, engine = pair.desk, pair.engine
    well(desk.run(inv(f"tour {pair.flags}"), timeout=300))
    record = report(desk)
    assert record["ok"], record
    assert record["provider"] == pair.provider
    assert [each["step"] for each in record["steps"]] == TOURS[pair.provider]
    assert all(each["proof"]["holds"] for each in record["steps"])
    assert step(record, "hit")["proof"]["data"]["rung"] == RUNGS[pair.provider]

    # no other engine was called, and this one has what the tour says
    called = {command["text"].split()[0] for each in record["steps"] for command in each["commands"]}
    assert called & {"docker", "podman", "nerdctl"} == {engine.name}
    local = f"{pair.registry}/team/" if pair.registry else engine.local
    assert {name.rpartition(":")[0] for name in engine.images(desk.mark)} == {f"{local}{desk.image}"}
    assert set(pair.nodes) <= set(engine.lines("ps", "--format", "{{.Names}}"))
    volumes = pair.volumes()
    assert bool(volumes) is bool(pair.nodes)
    if pair.registry:
        assert digest(pair.registry, desk.image) in step(record, "push")["proof"]["text"]

    # the versions are those of the programs, and what is too far apart is noted
    proof = step(record, "cluster-info")["proof"]
    said = json.loads(desk.run("kubectl version --client -o json").stdout)
    assert proof["data"]["kubectl"] == said["clientVersion"]["gitVersion"]
    versions = (proof["data"][name] for name in ("version", "kubectl", "client"))
    assert len(proof["notes"]) == len(warnings(*versions))

    # every Pod that there was then was reached, and no other: under load, one of them is replaced
    answers = "".join(command["stdout"] for command in step(record, "hit-all")["commands"])
    scaled = {each["name"] for each in step(record, "scale")["proof"]["data"]["pods"]}
    assert set(re.findall(r"You've hit (\S+)", answers)) == scaled
    assert len(scaled) == len(pair.pods()) == 3

    # a second run finds everything done; another number of replicas is one more task
    again = well(desk.run(inv(f"tour {pair.flags}"), timeout=300))
    assert "Traceback" not in again.stderr
    assert [each["step"] for each in report(desk)["steps"] if each["already"]] == ALREADY[pair.provider]
    context = "--context embedded-theirs" if pair.registry else ""  # named each time, as it is not ours
    well(desk.run(inv(f"scale --replicas 5 {context}")))
    assert len(pair.pods()) == 5

    # what the tour left is found without naming the engine, and removed
    down = well(desk.run(inv(f"down --check {context}")))
    assert engine.left(desk.mark) == [], down.stdout
    assert not volumes & set((DOCKER if engine is NERDCTL else engine).lines("volume", "ls", "-q"))
    assert not [*desk.folder.glob(".kubetour/*.kubeconfig"), *desk.folder.glob(".kubetour/*.tar")]
    assert desk.mark not in (desk.folder / ".kubetour" / "created.json").read_text()
    assert not (Path(desk.environment["HOME"]) / ".kube" / "config").exists()
    if pair.registry:
        assert "kubetour" not in well(desk.run(f"{pair.kubectl} get namespaces -o name")).stdout


def digest(address: str, image: str) -> str:
    """Return the digest that a registry has for an image."""
    asked = urllib.request.Request(
        f"http://{address}/v2/team/{image}/manifests/1", headers={"Accept": MANIFESTS}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
        found: str = answer.headers["Docker-Content-Digest"]
        return found
