"""What kubectl printed on a real cluster, typed again on the embedded one."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import differences, normal
from tests.embedded.commands import Commands
from tests.embedded.making import context

RECORDED = Path(__file__).parent / "recorded"
VERSION = "1.33"
TRANSCRIPT: list[dict[str, Any]] = json.loads((RECORDED / f"kubectl-{VERSION}-transcripts.json").read_text())
# As in the recording, it does not handle SIGTERM and listens on its port.
APP = """
const { HOST, PORT, HOSTNAME } = process.env;
process.on("SIGTERM", () => {});
require("http").createServer((_, response) => response.end(HOSTNAME)).listen(PORT, HOST);
"""
DOCKERFILE = 'FROM node:24\nWORKDIR /app\nCOPY app.js ./\nEXPOSE 8080\nENTRYPOINT ["node", "app.js"]\n'


def kubectl() -> Path | None:
    """Return the kubectl of the recording's version, or of one near it, or None."""
    found = shutil.which("kubectl")
    beside = Path(found).resolve().parent if found else Path()
    return next((path for path in [beside / f"kubectl.{VERSION}"] if path.exists()), None)


@dataclass(frozen=True)
class Said:
    """What a command printed, recorded and here."""

    command: str
    recorded: dict[str, Any]
    here: dict[str, Any]

    def differences(self) -> list[str]:
        """Return the lines that only one of both has, with - for the recording and + for here."""
        found = []
        if self.recorded["rc"] != self.here["rc"]:
            found += [f"-exit status {self.recorded['rc']}", f"+exit status {self.here['rc']}"]
        for stream in ("out", "err"):
            sides = [_lines(self.command, said[stream]) for said in (self.recorded, self.here)]
            found += [
                line
                for line in difflib.unified_diff(*sides, lineterm="", n=0)
                if not line.startswith(("---", "+++", "@@"))
            ]
        return found


def _lines(command: str, said: str) -> list[str]:
    if "--raw" in command:
        with contextlib.suppress(ValueError):
            return [normal.line(each) for each in normal.flat(json.loads(said))]
    lines = normal.text(said)
    return normal.in_any_order(lines) if " get " in command and "-o yaml" not in command else lines


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Said]]:
    """Return what each command of the transcript said, typed one after another on one cluster."""
    program = kubectl()
    if program is None or not shutil.which("node"):
        pytest.skip(f"kubectl {VERSION} and Node must be here")
    run = Commands(tmp_path_factory.mktemp("conformance") / "state")
    context(run.root.parent / "app", {"Dockerfile": DOCKERFILE, "app.js": APP})
    run("build", "-t", "node-hostname:1.0", "app")
    kubeconfig = run.root.parent / "kubeconfig"
    run("create", "cluster", "--name", "kind", "--kubeconfig", kubeconfig)
    run("load", "image", "node-hostname:1.0", "--name", "kind")
    tools = run.root.parent / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(program)
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": f"{tools}:{os.environ['PATH']}"}
    said = []
    for recorded in TRANSCRIPT:
        done = subprocess.run(
            ["sh", "-c", recorded["cmd"]],
            input=recorded["stdin"] or "",
            capture_output=True,
            text=True,
            env=environment,
            cwd=run.root.parent,
            timeout=120,
            check=False,
        )
        here = {"rc": done.returncode, "out": done.stdout, "err": done.stderr}
        said.append(Said(recorded["cmd"], recorded, here))
    yield said
    run("delete", "cluster", "--name", "kind", "--kubeconfig", kubeconfig)
    assert run.processes() == []


@pytest.mark.parametrize(
    "number", range(len(TRANSCRIPT)), ids=[f"{i} {each['cmd'][8:48]}" for i, each in enumerate(TRANSCRIPT)]
)
def test_kubectl_says_what_it_said_on_a_real_cluster(typed: list[Said], number: int) -> None:
    said = typed[number]
    if unlisted := differences.unlisted(said.command, said.differences()):
        pytest.fail("\n".join([f"{said.command}: docs/embedded.md does not list", *unlisted]), pytrace=False)


def test_each_difference_that_is_listed_is_there(typed: list[Said]) -> None:
    used = {rule for said in typed for rule in differences.used(said.command, said.differences())}
    assert [rule for rule in differences.rules() if rule not in used and not rule.may] == []
