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


def image(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the chapter of tools, app, image and layers."""
    settings, engine = provider.settings, provider.engine
    reference = settings.image
    shown = [f"{context.directory}/Dockerfile".removeprefix("./")]
    if "app/app.js" in context.files:
        shown.append(f"{context.directory}/app/app.js".removeprefix("./"))
    arguments = ("--build-arg", f"BASE={settings.base}") if settings.base else ()
    inspect = Run((*engine, "image", "inspect", reference))
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
            AppReadable(len(context.files), context.size, context.tag, _doubts(context, settings)),
        ),
        Step(
            "build",
            Stage.BUILD,
            (
                Run(
                    (
                        *engine,
                        "build",
                        *provider.tools.build_flags,
                        *arguments,
                        "-t",
                        reference,
                        context.directory,
                    )
                ),
            ),
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
            exists=inspect,  # picked alone, it might meet another's
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
