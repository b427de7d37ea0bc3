"""Chapters before there is a cluster: tools, app, image, container."""

from __future__ import annotations

from kubetour.buildcontext import BuildContext, User, user
from kubetour.chapters.requests import get, lateness, mark
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.anyapp import ContainerTells
from kubetour.proofs.image import (
    AppReadable,
    ContainerAnswered,
    ContainerStarted,
    ImageBuilt,
    LayersListed,
    Logged,
    Stopped,
    ToolsFound,
)
from kubetour.providers import Provider
from kubetour.settings import Settings
from kubetour.steps import Run, Stage, Step
from kubetour.text import Text

ENGINE_GRACE = 10.0  # seconds that an engine's `stop` waits before it kills, unless told otherwise


def is_own_app(context: BuildContext) -> bool:
    """Return whether the app is the one that this project brings along."""
    return "app/app.js" in context.files


def build(provider: Provider, directory: str, *options: str) -> Run:
    """Return the command that builds an image from a directory."""
    return Run((*provider.engine, "build", *provider.tools.build_flags, *options, directory))


def build_app(provider: Provider, context: BuildContext, *options: str) -> Run:
    """Return the command that builds the app's image, on the base that was asked for."""
    base = provider.settings.base
    arguments = ("--build-arg", f"BASE={base}") if base else ()
    return build(provider, context.directory, *arguments, *options)


def app(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the chapter of the tools and the app."""
    shown = [f"{context.directory}/Dockerfile".removeprefix("./")]
    if is_own_app(context):
        shown.append(f"{context.directory}/app/app.js".removeprefix("./"))
    return (
        Step(
            "tools",
            Stage.TOOLS,
            (Run((provider.tools.kubectl, "version", "--client", "-o", "json")),),
            ToolsFound(provider.tools.engine_version or provider.name),
        ),
        Step(
            "app",
            Stage.APP,
            tuple(Run(("cat", path)) for path in shown),
            AppReadable(len(context.files), context.size, context.tag, _doubts(context, provider.settings)),
        ),
    )


def image(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the chapter of the image and its layers."""
    reference, engine = provider.settings.image, provider.engine
    inspect = Run((*engine, "image", "inspect", reference))
    return (
        Step(
            "build",
            Stage.BUILD,
            (build_app(provider, context, "-t", reference),),
            ImageBuilt(reference),
            confirm=(inspect,),
            unless=inspect,
            creates=(f"{provider.engine_name}-image/{reference}",),
        ),
        Step(
            "layers",
            Stage.BUILD,
            (Run((*engine, "history", reference)),),
            LayersListed(reference),
            confirm=(Run((*engine, "history", "--no-trunc", "--format", "{{json .}}", reference)),),
            needs=("build",),
        ),
    )


def container(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter in which the image runs as a container, answers, logs and stops."""
    settings, engine = provider.settings, provider.engine
    name = provider.container
    port = provider.ports.container
    ledger = f"{provider.engine_name}-container/{name}"
    inspect, logs = Run((*engine, "inspect", name)), Run((*engine, "logs", name))
    publish = ("-p", f"127.0.0.1:{port}:{settings.port}")
    removes = provider.tools.dialect.removes
    remove = () if removes else (Run((*engine, "rm", name)),)
    run = Run(
        (
            *engine,
            "run",
            "-d",
            *(("--rm",) if removes else ()),
            "--name",
            name,
            "--label",
            f"{OWNED_BY}={OWNER}",
            *publish,
            settings.image,
        )
    )
    return (
        Step(
            "run-container",
            Stage.RUN,
            (run,),
            ContainerStarted(name),
            confirm=(inspect,),
            needs=("build",),
            unless=inspect,
            creates=(ledger,),
        ),
        Step(
            "hit-container",
            Stage.RUN,
            (get(provider, "hit-container", f"http://127.0.0.1:{port}/"),),
            ContainerTells(mark(provider, "hit-container")) if provider.mark else ContainerAnswered(),
            confirm=(inspect, *((logs,) if provider.mark else ())),
            needs=("run-container",),
            again=True,
            patience=lateness(provider),
        ),
        Step(
            "container-logs",
            Stage.RUN,
            (logs,),
            Logged(ours=not provider.mark),
            needs=("run-container",),
        ),
        Step(
            "stop-container",
            Stage.RUN,
            (Run((*engine, "stop", name)), *remove),
            Stopped(ENGINE_GRACE, ours=not provider.mark),
            needs=("run-container",),
            removes=(ledger,),
        ),
    )


def _doubts(context: BuildContext, settings: Settings) -> tuple[Text, ...]:
    """Return what in the Dockerfile may make trouble later: whose user it runs as, which port it names."""
    doubts = []
    kind = user(context.user)
    if kind is User.ROOT:
        doubts.append(Text("proof.user-root"))
    elif kind is User.NAMED:
        doubts.append(Text("proof.user-named", {"user": context.user}))
    if context.ports and settings.port not in context.ports:
        ports = ", ".join(map(str, context.ports))
        doubts.append(Text("proof.port-other", {"ports": ports, "port": settings.port}))
    return tuple(doubts)
