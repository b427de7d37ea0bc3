"""The experiments on images and containers with real engines, and what they say where a claim is broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.conftest import Desk, docker, inv, lines
from tests.docker.engines import DOCKER, NERDCTL, Engine
from tests.docker.test_kind_tour import assert_told, report, step, well

IMAGE_CLAIMS = ["build-context", "layers", "not-a-vm", "process-one", "latest"]
DIRECTORIES = ("build-context", "layers")
STEPS = ["build-context", "shared-layers", "not-a-vm", "process-one", "latest", "pull-policy"]


def flags(engine: str = "docker") -> str:
    """Return the flags of every task; the rest is in the environment."""
    return f"--provider kind --engine {engine}"


@pytest.fixture
def bench(project: Desk) -> Desk:
    """Return the desk with the names of all that is made in the environment, which `down` knows, too."""
    names = {
        "KUBETOUR_CLUSTER_NAME": project.cluster,
        "KUBETOUR_IMAGE": project.image,
        "KUBETOUR_NAME": f"w{project.cluster}",
        "KUBETOUR_WORKERS": "0",
        "KUBETOUR_TIMEOUT": "90",
    }
    return replace(project, environment={**project.environment, **names})


def left(desk: Desk) -> list[str]:
    """Return all that experiments have left: containers and images of their names, and directories."""
    stays = re.compile(rf"{desk.image}:\w+|{desk.cluster}-control-plane")  # the app's image, the cluster
    made = [name for name in DOCKER.left(desk.mark) if not stays.fullmatch(name)]
    return [*made, *(path.name for path in desk.folder.glob(".kubetour/*") if path.name in DIRECTORIES)]


def ledger(desk: Desk) -> list[str]:
    """Return what is in the ledger beside the app's image and the cluster."""
    entries = json.loads((desk.folder / ".kubetour" / "created.json").read_text())["created"]
    kept = (f"/{desk.image}:", "kind-cluster/", "-network/")
    return [entry for entry in entries if not any(word in entry for word in kept)]


@pytest.fixture(params=["docker", "podman", "nerdctl"])
def made_with(request: pytest.FixtureRequest) -> Engine:
    """Return each of the engines."""
    found: Engine = {"docker": DOCKER, "nerdctl": NERDCTL}.get(request.param) or request.getfixturevalue(
        request.param
    )
    return found


def test_every_claim_holds_and_nothing_is_left(bench: Desk, made_with: Engine) -> None:
    desk = replace(bench, environment={**bench.environment, **made_with.environment})
    try:
        well(desk.run(inv(f"prove {' '.join(IMAGE_CLAIMS)} {flags(made_with.name)}"), timeout=300))
        record = report(desk)
        assert [each["step"] for each in record["steps"] if each["claim"]] == STEPS
        assert all(each["proof"]["holds"] and not each["proof"]["notes"] for each in record["steps"])
        assert ledger(desk) == []
        containers = made_with.lines("ps", "-a", "--format", "{{.Names}}")
        assert [name for name in containers if desk.mark in name] == [f"{desk.cluster}-control-plane"]
        images = {name.rpartition(":")[0] for name in made_with.images(desk.mark)}
        assert images == {f"{made_with.local}{desk.image}"}
        data = step(record, "not-a-vm")["proof"]["data"]
        assert data["numbers"][-1] == "1"
        assert data["processes"] == 1
    finally:
        well(desk.run(inv(f"down --check {flags(made_with.name)}")))
    assert made_with.left(desk.mark) == []


# A docker that breaks a claim: what a command of shell makes of its arguments before the real one is called.
LAST = "for last; do :; done; "
HANDLER = """\
for word; do shift; case "$word" in
    setInterval*) word="process.on('SIGTERM', () => process.exit(0)); console.log('ready'); $word";;
esac; set -- "$@" "$word"; done
id=$(DOCKER "$@"); until DOCKER logs "$id" | grep -q ready; do :; done; echo "$id"; exit
"""
WITHOUT_LABEL = """\
for word; do shift; case "$word" in --label|release=*) ;; *) set -- "$@" "$word";; esac; done
"""
BROKEN = [
    pytest.param(
        "build-context",
        "build",
        LAST + 'rm -f "$last/.dockerignore"',
        "were not left out",
        id="ignores nothing",
    ),
    pytest.param(
        "build-context", "build", LAST + 'rm -f "$last/big.log"', "only 22B arrived", id="file not sent"
    ),
    pytest.param("layers", "build", 'shift; set -- build --no-cache "$@"', "", id="no cache"),
    pytest.param(
        "layers",
        "build",
        LAST + 'if [ -f "$last/libraries.bin" ]; then echo x >>"$last/libraries.bin"; fi',
        "only 0 of 2 layers",
        id="libraries that change",
    ),
    pytest.param("not-a-vm", "run", 'shift; set -- run --uts host "$@"', "no host name of its own", id="uts"),
    pytest.param("not-a-vm", "run", 'shift; set -- run --pid host "$@"', "no process numbers of", id="pid"),
    pytest.param("process-one", "run", HANDLER, "with exit status 0", id="a handler"),
    pytest.param(
        "process-one", "run", 'shift; set -- run --stop-signal KILL "$@"', "exit status 137: it", id="killed"
    ),
    pytest.param("latest", "build", WITHOUT_LABEL, "there is only one image", id="one image"),
]


@pytest.fixture
def breaking(bench: Desk, tmp_path: Path) -> Iterator[tuple[Desk, Path]]:
    """Return a desk whose `docker` is a program to be written, and that program's path."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "docker"
    path = f"{program.parent}{os.pathsep}{bench.environment['PATH']}"
    yield replace(bench, environment={**bench.environment, "PATH": path}), program
    assert left(bench) == []


def write(program: Path, command: str, change: str) -> None:
    """Write a docker that changes its arguments where a word is the command."""
    real = str(shutil.which("docker"))
    body = f'if [ "$1" = {command} ]; then\n{change}\nfi\n'.replace("DOCKER", real)
    # The tour's own container is not the experiment's.
    program.write_text(f'#!/bin/sh\ncase "$*" in *"-p 127.0.0.1"*) ;; *) {body};; esac\nexec {real} "$@"\n')
    program.chmod(0o755)


@pytest.mark.parametrize(("claim", "command", "change", "words"), BROKEN)
def test_a_broken_claim_is_refuted(
    breaking: tuple[Desk, Path], claim: str, command: str, change: str, words: str
) -> None:
    desk, program = breaking
    well(desk.run(inv(f"build {flags()}")))
    write(program, command, change)
    done = desk.run(inv(f"prove {claim} {flags()}"))
    assert_told(done, [words])
    last = report(desk)["steps"][-1]
    assert last["claim"] == claim
    assert last["proof"]["holds"] is False
    assert last["error"]["key"] == "not-proved"
    assert ledger(desk) == []
    assert left(desk) == []


def test_an_experiment_that_fails_half_way_takes_back_what_it_made(breaking: tuple[Desk, Path]) -> None:
    desk, program = breaking
    write(program, "build", 'case "$*" in *context:rest*) echo "no space left on device" >&2; exit 1;; esac')
    done = desk.run(inv(f"prove build-context {flags()}"))
    assert_told(done, ["no space left"])
    assert ledger(desk) == []
    assert left(desk) == []


def test_what_an_interrupted_experiment_has_left_is_removed_by_down(bench: Desk) -> None:
    well(bench.run(inv(f"tour {flags()} --only build,run-container,hit-container,stop-container")))
    with subprocess.Popen(
        inv(f"prove process-one {flags()}"),
        cwd=bench.folder,
        env=bench.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "docker stop -t 3" in line:
                break
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    container = f"kubetour-w{bench.cluster}-deaf"
    assert ledger(bench) == [f"docker-container/{container}"]
    assert container in lines("ps", "-a", "--format", "{{.Names}}")
    well(bench.run(inv(f"down --check {flags()}")))
    assert ledger(bench) == []
    assert left(bench) == []


def test_what_someone_else_has_made_under_that_name_is_left_alone(bench: Desk) -> None:
    well(bench.run(inv(f"build {flags()}")))
    name = f"kubetour-w{bench.cluster}-not-a-vm"
    docker("create", "--name", name, "node:24-alpine")
    try:
        done = bench.run(inv(f"prove not-a-vm {flags()}"))
        assert_told(done, ["did not make it"])
        assert name in lines("ps", "-a", "--format", "{{.Names}}")
        assert ledger(bench) == []
    finally:
        docker("rm", "-f", name)


FOREIGN = """\
FROM node:24-alpine
COPY server.js /
ENTRYPOINT ["node", "/server.js"]
"""


def test_an_app_of_ones_own_is_tried_too_but_for_what_its_image_lacks(bench: Desk, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text(FOREIGN)
    server = "process.on('SIGTERM', () => process.exit(0));"
    answer = "(request, answer) => answer.end(require('os').hostname())"
    (shop / "server.js").write_text(f"{server}\nrequire('http').createServer({answer}).listen(8080);\n")
    own = f"{flags()} --app-dir {shop}"
    well(bench.run(inv(f"prove build-context layers not-a-vm {own}")))
    done = bench.run(inv(f"prove process-one {own}"))
    assert_told(done, ["not in the image", "--app-dir"])
    assert ledger(bench) == []
    assert left(bench) == []
