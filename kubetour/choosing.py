"""Which provider the cluster comes from, with which tools, and why."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from kubetour import engines
from kubetour.causes import command_failed
from kubetour.engines import Engine
from kubetour.errors import EngineError, KubetourError
from kubetour.host import HERE, Host
from kubetour.providers import Tools
from kubetour.runner import perform, perform_all
from kubetour.script import shell
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import Text
from kubetour.tools import Say, Tool

if TYPE_CHECKING:
    from invoke.context import Context

PATIENCE = 10.0  # seconds for minikube to list a profile's nodes


def choose(c: Context, settings: Settings, say: Say, host: Host = HERE) -> tuple[str, Tools, Text]:
    """Return the provider's name, the tools it needs, and the reason: one line for people.

    Raises KubetourError if what was asked for is not to be had; `auto` takes the embedded cluster then.
    """
    asked = settings.provider
    basic = _basic(settings, say, host)
    if asked == "embedded":
        return _chosen(asked, basic)
    if asked == "context":
        say(server(c, basic.kubectl, settings.context))  # before anything else is asked or done
    engine = engines.find(c, settings.engine)
    if asked == "auto" and engine.trouble:
        return _embedded(basic, Text(f"tour.why.{engine.trouble}", {"engine": engine.name}))
    full = with_engine(c, basic, engine.require())
    if asked == "context":
        return _chosen(asked, full)
    if asked == "minikube":
        return _chosen(asked, _minikube(c, settings, full, host.minikube(settings.offline, say), host))
    try:
        full = with_kind(c, full, host.kind(settings.offline, say))
    except KubetourError:
        if asked == "kind":
            raise
        return _without_kind(c, settings, full, basic, host)
    if asked == "kind":
        return _chosen(asked, full)
    why = Text("tour.why.engine", {"engine": full.engine_version})
    return "kind", full, Text("tour.auto", {"provider": "kind", "why": why})


def server(c: Context, kubectl: str, context: str) -> Text:
    """Return the line that says which cluster this is; ClusterError if the kubeconfig has no such context."""
    template = "jsonpath={.clusters[0].cluster.server}"
    look = Run((kubectl, "--context", context, "config", "view", "--minify", "-o", template))
    result = perform(c, look, timeout=engines.PATIENCE)
    if result.status != 0:
        raise command_failed(shell(look), "kubectl", result)
    return Text("tour.cluster", {"context": context, "server": result.stdout.strip()})


def with_engine(c: Context, basic: Tools, engine: Engine) -> Tools:
    """Return the tools with a container engine that works, its own ways, and the flags it knows."""
    able = engines.abilities(c, engine)
    known = engine.name if engine.name == engine.speaks.name else f"{engine.name} ({engine.speaks.name})"
    return replace(
        basic,
        engine=engine.name,
        engine_version=f"{known} {engine.version}",
        dialect=engine.speaks,
        # What the environment tells kind must not be another engine than the one that is used here.
        kind_provider=engine.speaks.kind or ("docker" if os.environ.get(engines.KIND_PROVIDER) else ""),
        build_flags=able.build_flags,
        save_flags=able.save_flags,
        containerd_store=able.containerd_store,
        cgroup=able.cgroup,
    )


def _minikube(c: Context, settings: Settings, full: Tools, program: str, host: Host) -> Tools:
    """Return the tools with minikube, whose driver the engine is, and the nodes that its profile has.

    Raises EngineError if the engine is no driver of it.
    """
    if full.engine not in engines.DRIVERS:
        raise EngineError("minikube-driver", engine=full.engine)
    # On Linux minikube calls podman by sudo unless told otherwise, and sudo may ask for a password:
    # https://minikube.sigs.k8s.io/docs/drivers/podman/#rootless-podman
    rootless = full.engine == "podman" and host.system.startswith("linux/") and not host.is_root
    flags = ("--rootless",) if rootless else ()
    listing = perform(
        c, Run((program, *flags, "-p", settings.cluster_name, "node", "list")), timeout=PATIENCE
    )
    machines = listing.stdout.splitlines() if listing.status == 0 else []
    names = tuple(line.partition("\t")[0] for line in machines)
    return replace(full, minikube=program, minikube_flags=flags, machines=names, root=host.is_root)


def _without_kind(
    c: Context, settings: Settings, full: Tools, basic: Tools, host: Host
) -> tuple[str, Tools, Text]:
    """Return minikube where it is here, else the embedded cluster: what comes after kind."""
    try:
        program = host.minikube(True, lambda text: None)  # nobody asked for a download of it
        found = _minikube(c, settings, full, program, host)
    except KubetourError:
        return _embedded(basic, Text("tour.why.no-kind", {"engine": full.engine}))
    why = Text("tour.why.minikube", {"engine": full.engine_version})
    return "minikube", found, Text("tour.auto", {"provider": "minikube", "why": why})


def with_kind(c: Context, full: Tools, found: Tool) -> Tools:
    """Return the tools with kind, and whether cloud-provider-kind runs beside it."""
    gives = gives_addresses(c, full.engine)
    return replace(full, kind=found.path, kind_version=found.version, gives_addresses=gives)


def gives_addresses(c: Context, engine: str) -> bool:
    """Return whether cloud-provider-kind runs, as a program of this machine or in a container.

    It is never started: it serves all kind clusters, not only ours, and may ask for a password.
    https://github.com/kubernetes-sigs/cloud-provider-kind
    """
    # A process' name has 15 characters on Linux, 16 on macOS.
    looks = Run(("pgrep", "-x", "cloud-provider-.*")), Run((engine, "ps", "--format", "{{.Image}}"))
    process, images = perform_all(c, looks, timeout=engines.PATIENCE)
    return process.status == 0 or "cloud-provider-kind/" in images.stdout


def _basic(settings: Settings, say: Say, host: Host) -> Tools:
    """Return the tools that every provider needs."""
    python = host.python()
    curl = ("curl",) if host.curl() else (python, "-m", "kubetour.curl")
    return Tools(python, host.kubectl(settings.offline, say), curl, host.bare_python())


def _chosen(name: str, found: Tools) -> tuple[str, Tools, Text]:
    return name, found, Text("tour.chosen", {"provider": name})


def _embedded(basic: Tools, why: Text) -> tuple[str, Tools, Text]:
    return "embedded", basic, Text("tour.auto", {"provider": "embedded", "why": why})
