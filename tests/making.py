"""Values that tests need: providers and steps with everything fixed, nothing found on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from kubetour.buildcontext import BuildContext, with_tag
from kubetour.checks import Observation, Proof, Result
from kubetour.dialects import DIALECTS
from kubetour.engines import Abilities, Engine
from kubetour.manifests import load_kind_config, render
from kubetour.project import ROOT, TEMPLATES
from kubetour.providers import PROVIDERS, Ports, Provider, Tools
from kubetour.reference import in_registry
from kubetour.settings import Settings
from kubetour.steps import Found, Lookup, Run, Rung, Stage, Step, Variable
from kubetour.text import Text

# An engine that works, and what it is able to.
ENGINE = Engine("docker", version="29.1.0")
ABLE = Abilities(("--provenance=false",), ("--platform", "linux/amd64"), True)
DIGEST = "0123456789abcdef" * 4
CONTEXT = BuildContext(".", ("app/app.js",), 1234, DIGEST, "1000", (8080,))
PYTHON = ".venv/bin/python"
TOOLS = {
    "kind": Tools(
        PYTHON,
        bare_python=PYTHON,
        engine_version="docker 29.0.0",
        build_flags=("--provenance=false", "--sbom=false"),
        save_flags=("--platform", "linux/amd64"),
        containerd_store=True,
    ),
    "minikube": Tools(
        PYTHON, bare_python=PYTHON, engine_version="docker 29.0.0", build_flags=("--provenance=false",)
    ),
    "context": Tools(
        PYTHON, bare_python=PYTHON, engine_version="docker 29.0.0", build_flags=("--provenance=false",)
    ),
    "embedded": Tools(PYTHON, bare_python=PYTHON, curl=(PYTHON, "-m", "kubetour.curl")),
}
# kind's tools with another engine.
OTHERS = {
    "podman": Tools(
        PYTHON,
        bare_python=PYTHON,
        engine="podman",
        dialect=DIALECTS["podman"],
        engine_version="podman 5.4.0",
        kind_provider="podman",
    ),
    "nerdctl": Tools(
        PYTHON,
        bare_python=PYTHON,
        engine="nerdctl",
        dialect=DIALECTS["nerdctl"],
        engine_version="nerdctl 2.1.4",
        kind_provider="nerdctl",
        build_flags=("--provenance=false", "--sbom=false"),
    ),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "kind": {"provider": "kind"},
    "minikube": {"provider": "minikube"},
    "embedded": {"provider": "embedded"},
    "context": {
        "provider": "context",
        "context": "gke_example",
        "image": "registry.example/team/web",
        "pull_secret": "pull.json",
    },
}


def make_provider(
    kind: str, /, tools: Tools | None = None, first_replicas: int = 1, **given: Any
) -> Provider:
    """Return a provider of a kind whose templates are rendered for that many replicas."""
    settings = Settings(**{**SETTINGS[kind], **given})
    tools = tools or TOOLS[kind]
    settings = replace(
        settings, image=in_registry(with_tag(settings.image, CONTEXT.tag), tools.dialect.local)
    )
    config = load_kind_config(ROOT / "kind-config.yaml", "kind-config.yaml")
    bare = PROVIDERS[kind](settings, tools, Ports(18080, 30080, 30080), config, {})
    return replace(bare, templates=templates(bare, first_replicas))


def values(provider: Provider, replicas: int = 1) -> dict[str, Any]:
    """Return what the templates are rendered with."""
    settings = provider.settings
    return {
        "name": settings.name,
        "image": settings.image,
        "port": settings.port,
        "replicas": replicas,
        "digest": DIGEST,
        "namespace": provider.namespace,
        "node_port": provider.node_port,
        "probe": "/healthz",
        "non_root": True,
        "drop_capabilities": True,
        "read_only": True,
    }


def templates(provider: Provider, replicas: int = 1) -> dict[str, str]:
    """Return a provider's manifests by name."""
    given = values(provider, replicas)
    scaled = {**given, "replicas": provider.settings.replicas}
    return {
        **{
            name: render(TEMPLATES, f"{name}.yaml.j2", given)
            for name in ("deployment", "service", "namespace")
        },
        "scaled": render(TEMPLATES, "deployment.yaml.j2", scaled),
    }


def output(text: str, status: int = 0, stderr: str = "", seconds: float = 0.0) -> Result:
    """Return the result of a command that printed that."""
    return Result(status, text, stderr, seconds)


@dataclass(frozen=True)
class Printed:
    """A check that holds once the commands have printed a word."""

    looks: ClassVar[tuple[str, ...]] = ()
    word: str = ""

    def __call__(self, seen: Observation) -> Proof:
        text = "".join(result.stdout for result in (*seen.results, *seen.confirmed))
        return Proof(self.word in text, Text("proof.ended", {"what": self.word}), {"text": text})


@dataclass(frozen=True)
class There:
    """A check that holds while there is a Pod of that name (with `gone`: while there is none)."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    gone: bool = False

    def __call__(self, seen: Observation) -> Proof:
        is_there = seen.named("pods", self.name) is not None
        return Proof(is_there is not self.gone, Text("proof.ended", {"what": self.name}))


def step(name: str, *commands: str, word: str = "", **given: Any) -> Step:
    """Return a step of commands for /bin/sh, proved by a word that they print."""
    given = {"stage": Stage.APP, "check": Printed(word), **given}
    return Step(name, actions=tuple(sh(command) for command in commands), **given)


def climb(*rungs: Rung) -> tuple[Step, Step]:
    """Return a step that finds out which rung holds, and one after it that asks for what was found."""
    ask = Run((Variable(Found.PROGRAM), Variable(Found.URL)))
    then = Run((Variable(Found.PROGRAM), "and", Variable(Found.URL, "?2")))
    first = replace(step("hit", word="http"), actions=(ask,), ladder=rungs, again=True)
    return first, replace(step("hit-all", word="?2"), actions=(then,), needs=("hit",))


# As a ladder has them: one that fails, one that is not there, one that holds, one that is never tried.
NO_ANSWER = Rung(Text("rung.host-port"), ("false",), "http://a/")
NOT_THERE = Rung(Text("rung.load-balancer"), ("echo",), Lookup(Run(("true",))))
ANSWERS = Rung(Text("rung.inside"), ("echo", "-n"), Lookup(Run(("echo", "c")), "http://", ":80/"))
NOT_TRIED = Rung(Text("rung.node"), ("echo",), "http://d/")


def sh(command: str) -> Run:
    """Return a command for a shell of its own."""
    return Run(("sh", "-c", command))


def ctrl_c() -> str:
    """Return a line of shell that is Ctrl-C to this process, and goes on until it is ended."""
    return f"kill -INT {os.getpid()}; exec tail -f /dev/null"


def put(directory: Path, name: str, body: str) -> str:
    """Put a program of some lines of shell into a directory, and return its path."""
    program = directory / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def inspected(*containers: dict[str, Any]) -> str:
    """Return what an engine's `inspect` prints of containers."""
    return json.dumps(
        [
            {
                "Id": each["id"],
                "Name": each["name"],
                "Config": {"Labels": each["labels"]},
                "Mounts": each["mounts"],
                "NetworkSettings": {"Ports": each["ports"]},
            }
            for each in containers
        ],
        indent=4,
    )
