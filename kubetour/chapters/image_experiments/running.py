"""The experiments on what a container is, what its image's name says, and what process 1 has to do."""

from __future__ import annotations

from dataclasses import replace

from kubetour.buildcontext import BuildContext
from kubetour.chapters.image import build_app, is_own_app
from kubetour.chapters.image_experiments.making import Made, experiment, image, name
from kubetour.proofs.running import (
    GraceUsedUp,
    NameMoved,
    PlainProcess,
    ProcessOfHost,
    PullPolicies,
)
from kubetour.providers import Provider
from kubetour.steps import Lookup, Run, Stage, Step

GRACE = 3  # seconds that a container is given to end: the less, the sooner it is shown that it does not


def not_a_vm(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the experiment that finds a container's process among those of this machine.

    Our own app's Node tells the host name in there; of any other image, no program is known that could, so
    that the engine is asked. On the embedded cluster a container is a process and nothing more, which is all
    that can be shown.
    """
    engine, embedded = provider.engine, provider.name == "embedded"
    made = Made(provider, container=name(provider, "not-a-vm"))

    def told(template: str) -> Run:
        return Run((*engine, "inspect", "--format", template, made.container))

    inside = told("{{.Config.Hostname}}")
    if is_own_app(context) and not embedded:
        inside = Run((*engine, "exec", made.container, "node", "-p", "os.hostname()"))
    begin = (
        Run(("uname", "-n")),
        made.run(provider.settings.image),
        inside,
        told("{{.State.Pid}} {{.State.StartedAt}}"),
    )
    number = Lookup(told("{{.State.Pid}}"))
    if embedded:
        look = Run(("sh", "-c", 'kill -0 "$0" && echo "$0 runs here"', number))
        actions: tuple[Run, ...] = (*begin, look)
        return (experiment("not-a-vm", Stage.RUN, "not-a-vm", made, actions, PlainProcess(), ("build",)),)
    # Where the engine runs in a machine of its own, there is no such process here, nor a failure in that.
    look = Run(("sh", "-c", 'cat /proc/uptime; grep NSpid "/proc/$0/status" || true', number))
    actions = (*begin, Run((*engine, "top", made.container)), look)
    return (experiment("not-a-vm", Stage.RUN, "not-a-vm", made, actions, ProcessOfHost(), ("build",)),)


def latest(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the experiment in which the tag `latest` moves to another image while a container runs."""
    engine = provider.engine
    one, two, moving = (image(provider, "release", tag) for tag in ("1", "2", "latest"))
    made = Made(provider, (one, two, moving), name(provider, "release"))
    now = Run((*engine, "image", "inspect", "--format", "{{.Id}}", moving))

    def release(number: int, fixed: str) -> Run:
        return build_app(provider, context, "--label", f"release={number}", "-t", fixed, "-t", moving)

    actions = (
        release(1, one),
        now,
        made.run(moving),
        release(2, two),
        now,
        Run((*engine, "inspect", "--format", "{{.Config.Image}} {{.Image}}", made.container)),
    )
    step = experiment("latest", Stage.RUN, "latest", made, actions, NameMoved(moving), ("build",))
    return (replace(step, extra=True),)


def pull_policy(provider: Provider) -> tuple[Step, ...]:
    """Return the experiment that asks the API server when a node would pull `latest`, and when a fixed tag.

    The server fills in the defaults and stores nothing.
    """
    pod = name(provider, "release")
    tell = ("--dry-run=server", "-o", "jsonpath={.spec.containers[0].imagePullPolicy}")
    asked = tuple(provider.kubectl("run", pod, "--image", f"{pod}:{tag}", *tell) for tag in ("latest", "1"))
    place = tuple(step.id for step in provider.image() if step.id == "namespace")
    needs = (*(step.id for step in provider.up()), *place)
    return (Step("pull-policy", Stage.LOAD, asked, PullPolicies(), needs=needs, claim="latest", extra=True),)


def process_one(provider: Provider, context: BuildContext) -> tuple[Step, ...]:
    """Return the experiment that stops a container whose process 1 has no handler for SIGTERM.

    Our own image has Node; of any other, `sleep` is the likeliest to be there. The app itself is stopped by
    `stop-container`. On the embedded cluster no process is process 1.
    """
    if provider.name == "embedded":
        return ()
    engine = provider.engine
    made = Made(provider, container=name(provider, "deaf"))
    program, *arguments = ("sleep", "600")
    if is_own_app(context):
        program, *arguments = ("node", "-e", "setInterval(() => {}, 1000)")
    actions = (
        made.run(provider.settings.image, "--entrypoint", program, arguments=tuple(arguments)),
        Run((*engine, "stop", "-t", str(GRACE), made.container)),
        Run((*engine, "inspect", "--format", "{{.State.ExitCode}}", made.container)),
    )
    needs = ("hit-container", "stop-container")
    step = experiment("process-one", Stage.RUN, "process-one", made, actions, GraceUsedUp(GRACE), needs)
    return (replace(step, extra=True),)
