"""The tasks: one thin verb each. `./inv --list` shows them, `./inv --help VERB` their flags."""

from __future__ import annotations

import os
import sys
from typing import Any

from invoke.collection import Collection
from invoke.context import Context

from kubetour import configfile, operands
from kubetour.flags import CLUSTER, EVERYTHING, IMAGE, SPEAK, WORD, WORKLOAD, verb
from kubetour.project import ROOT, caller

configfile.look(ROOT)  # Invoke reads it next

Flags = dict[str, Any]
NAMESPACE = ("namespace", "pull-secret", "service-account")  # what the app's Pods need, where the plan has it


def play(c: Context, flags: Flags, *wanted: str) -> None:
    """Run some steps of the plan: those of these ids that the provider has, in the plan's order."""
    from kubetour import play

    play.play(c, flags, lambda session: tuple(step for step in session.every_step() if step.id in wanted))


@verb(*EVERYTHING)
def doctor(c: Context, flags: Flags) -> None:
    """Show what was found on this machine, what stands in the way, and every setting with its source."""
    from kubetour.doctor import doctor

    doctor(c, flags)


@verb(*IMAGE)
def build(c: Context, flags: Flags) -> None:
    """Build the image."""
    play(c, flags, "build")


@verb(*IMAGE)
def layers(c: Context, flags: Flags) -> None:
    """Show the image's layers."""
    play(c, flags, "layers")


@verb(*IMAGE, "name", "port")
def run(c: Context, flags: Flags) -> None:
    """Run the image as a container: request it, show its log, stop it."""
    play(c, flags, "run-container", "hit-container", "container-logs", "stop-container")


@verb(*IMAGE)
def push(c: Context, flags: Flags) -> None:
    """Push the image to the registry in its name."""
    from kubetour import play
    from kubetour.session import push_step

    play.play(c, flags, push_step)


@verb(*CLUSTER, "workers", "config", "node_image", "engine")
def create_cluster(c: Context, flags: Flags) -> None:
    """Create the cluster."""
    play(c, flags, "create-cluster")


@verb(*CLUSTER)
def cluster_info(c: Context, flags: Flags) -> None:
    """Show where the API server is."""
    play(c, flags, "cluster-info")


@verb(*CLUSTER)
def nodes(c: Context, flags: Flags) -> None:
    """Show the nodes."""
    play(c, flags, "nodes")


@verb(*CLUSTER)
def describe_node(c: Context, flags: Flags) -> None:
    """Describe a node."""
    play(c, flags, "describe-node")


@verb(*IMAGE, "cluster_name", "context")
def load(c: Context, flags: Flags) -> None:
    """Bring the image to every node."""
    play(c, flags, "load", "push")


@verb(*WORKLOAD, "image", "registry", "pull_secret", "app_dir", "port")
def run_pod(c: Context, flags: Flags) -> None:
    """Run a bare Pod and describe it."""
    play(c, flags, *NAMESPACE, "run-pod", "describe-bare-pod")


@verb(*WORKLOAD, "port")
def expose_pod(c: Context, flags: Flags) -> None:
    """Put a Service in front of the bare Pod and request it."""
    play(c, flags, "expose-pod", "hit-pod")


@verb(*WORKLOAD, "image", "registry", "pull_secret", "app_dir", "port", "replicas")
def deploy(c: Context, flags: Flags) -> None:
    """Apply the Deployment and wait until it is rolled out."""
    play(c, flags, *NAMESPACE, "deploy")


@verb(*WORKLOAD, "port", "replicas")
def expose(c: Context, flags: Flags) -> None:
    """Apply the Service."""
    play(c, flags, "expose")


@verb(*WORKLOAD)
def services(c: Context, flags: Flags) -> None:
    """Show the Services and their addresses."""
    play(c, flags, "services")


@verb(*WORKLOAD, "requests", "replicas", "port")
def hit(c: Context, flags: Flags) -> None:
    """Request the Service until every Pod has answered."""
    play(c, flags, "hit-inside", "hit", "hit-all")


@verb(*WORKLOAD, "replicas")
def scale(c: Context, flags: Flags) -> None:
    """Scale the Deployment."""
    play(c, flags, "scale")


@verb(*WORKLOAD, "replicas")
def pods(c: Context, flags: Flags) -> None:
    """Show which node runs what."""
    play(c, flags, "pods")


@verb(*WORKLOAD)
def describe_pod(c: Context, flags: Flags) -> None:
    """Describe one of the Deployment's Pods."""
    play(c, flags, "describe-pod")


@verb(*WORKLOAD)
def logs(c: Context, flags: Flags) -> None:
    """Show the Pods' logs."""
    play(c, flags, "logs")


@verb(*WORKLOAD, "replicas")
def status(c: Context, flags: Flags) -> None:
    """Show the workload as the cluster sees it."""
    play(c, flags, "status")


@verb(*WORKLOAD, "port", requests_per_second="2")
def watch(c: Context, flags: Flags, requests_per_second: str) -> None:
    """Watch nodes, Pods, endpoints and answers live, until Ctrl-C."""
    from kubetour.watch import watch

    watch(c, flags, requests_per_second)


@verb(*EVERYTHING)
def render(c: Context, flags: Flags) -> None:
    """Print the manifests."""
    from kubetour.printing import print_manifests

    print_manifests(c, flags)


@verb(*EVERYTHING, down=False)
def script(c: Context, flags: Flags, down: bool) -> None:
    """Print the tour as a commented POSIX script."""
    from kubetour.dry import print_script, tour_steps

    print_script(c, flags, lambda session: tour_steps(session, down))


@verb("lessons", *SPEAK, "provider", step="")
def lesson(c: Context, flags: Flags, step: str) -> None:
    """Print one lesson, or all."""
    from kubetour.printing import print_lessons

    print_lessons(c, flags, step)


@verb(*SPEAK, operands="runs", runs=None, compare=False)
def report(c: Context, flags: Flags, runs: list[str], compare: bool) -> None:
    """Open the report of the last run, or of the one named; with --compare A B, two side by side."""
    from kubetour.printing import show_report

    show_report(c, flags, runs, compare)


@verb(*WORKLOAD, "engine", check=False)
def down(c: Context, flags: Flags, check: bool) -> None:
    """Remove what this project made; with --check, prove that nothing is left."""
    from kubetour.down import down

    down(c, flags, check)


@verb(
    *EVERYTHING,
    pause=False,
    predict=False,
    quiet=False,
    json=False,
    keep=False,
    down=False,
    from_="",
    until="",
    only="",
)
def tour(c: Context, flags: Flags, **options: Any) -> None:
    """Take the whole tour."""
    from kubetour.whole import tour

    tour(c, flags, **options)


@verb(
    *EVERYTHING,
    operands="claims",
    claims=None,
    all=False,
    pause=False,
    predict=False,
    quiet=False,
    json=False,
    down=False,
)
def prove(c: Context, flags: Flags, claims: list[str], **options: Any) -> None:
    """Try claims as experiments: inv prove CLAIM..., or --all; alone, say which there are."""
    from kubetour.whole import prove

    prove(c, flags, claims, **options)


@verb(
    "provider",
    "engine",
    "node_image",
    "config",
    "base",
    "image",
    "app_dir",
    "lessons",
    "offline",
    *SPEAK,
    output="",
)
def pack(c: Context, flags: Flags, output: str) -> None:
    """Pack what the tour needs, for machines without network."""
    from kubetour.packing import pack

    pack(c, flags, output)


@verb("engine", *SPEAK, file=WORD)
def unpack(c: Context, flags: Flags, file: str) -> None:
    """Put away what is in a pack."""
    from kubetour.unpacking import unpack

    unpack(c, flags, file)


@verb(*SPEAK, operands="reports", reports=None, output="")
def class_(c: Context, flags: Flags, reports: list[str], output: str) -> None:
    """Gather the reports of a class."""
    from kubetour.gathering import classroom

    classroom(c, flags, reports, output)


@verb(*SPEAK, operands="codes", codes=None, markdown=False)
def explain(c: Context, flags: Flags, codes: list[str], markdown: bool) -> None:
    """Explain errors by code or key; alone, list them all."""
    from kubetour.explaining import explain

    explain(flags, codes, markdown)


@verb(long=False, args="")
def test(c: Context, flags: Flags, long: bool, args: str) -> None:
    """Run the tests."""
    import shlex

    os.execv(sys.executable, [sys.executable, "-m", "pytest", *["--long"] * long, *shlex.split(args)])  # noqa: S606


@verb()
def lint(c: Context, flags: Flags) -> None:
    """Run every linter."""
    from kubetour.developing import lint

    lint(c)


@verb(only="", output="", compare="", plots="")
def bench(c: Context, flags: Flags, only: str, **files: str) -> None:
    """Run the benchmarks."""
    given = [f"--{name}={caller() / path}" for name, path in files.items() if path]
    os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *only.split(), *given])  # noqa: S606


operands.allow()
ns = Collection.from_module(sys.modules[__name__])
