"""The chapter of the app under steady load: scaled, updated, broken, slow to start, and its node stopped."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from kubetour.proofs.load import BadRelease, NothingLost, SlowStart
from kubetour.proofs.nodefailure import NodeBack, PodsMoved
from kubetour.proofs.workload import DeploymentReady
from kubetour.providers import Provider
from kubetour.steps import Found, Lookup, Run, Stage, Step, Variable, Word

RATE = 50  # requests per second
# The load goes on until the last Pod that was told to end has ended: see DRAIN_MS in templates/.
AFTER = 1.5  # seconds, where that was the first of several commands
AFTER_A_PODS_END = 3.0
NO_SUCH_TAG = "no-such-release"
TRIAL = 5  # seconds that a release which cannot start is given
STARTUP = 2000  # milliseconds that a slow app takes to start
TOLERATED = 5  # seconds that a Pod stays on a node that does not answer; by default it is 300


def under_load(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter; none where no load can be sent. Only our own app knows how to start slowly."""
    if not provider.tools.steady:
        return ()
    ours = not provider.mark
    return (
        *_nothing_lost(provider, in_tour=ours),  # other apps may lose some: then that is told, if asked
        *_bad_release(provider),
        *(_ready_only(provider) if ours else ()),
        *_node_failure(provider),
    )


def _load(provider: Provider, after: float, *commands: Run) -> Run:
    """Return the steady load on the Service, as the ladder found it, while the commands run."""
    words: list[Word] = [Variable(Found.URL)]
    for command in commands:
        words += ["--", *command.argv]
    options = ("--rate", str(RATE), "--before", "0.5", "--after", str(after))
    return Run((*provider.tools.steady, *options, *words))


def _rolled_out(provider: Provider, seconds: float | None = None) -> Run:
    """Return the command that waits until the Deployment is rolled out."""
    timeout = provider.settings.timeout if seconds is None else seconds
    return provider.kubectl("rollout", "status", _deployment(provider), f"--timeout={timeout}s")


def _deployment(provider: Provider) -> str:
    return f"deployment/{provider.settings.name}"


def _as_it_was(provider: Provider) -> Run:
    """Return the command that makes the Deployment what it was, whatever was changed: nothing is merged."""
    return provider.kubectl("replace", "--save-config", "-f", "-", stdin=provider.templates["scaled"])


def _tried(claim: str, *steps: Step, needs: tuple[str, ...] = ("scale", "hit")) -> tuple[Step, ...]:
    """Return the steps of an experiment, each after the one before it."""
    told = []
    for step in steps:
        told.append(replace(step, claim=claim, recorded=True, needs=needs))
        needs = (*needs, step.id)
    return tuple(told)


def _nothing_lost(provider: Provider, *, in_tour: bool) -> tuple[Step, ...]:
    settings, deployment = provider.settings, _deployment(provider)
    name, replicas = settings.name, settings.replicas
    check = NothingLost(name, replicas, settings.image)
    rollout = _rolled_out(provider)
    back = provider.kubectl("scale", deployment, f"--replicas={replicas}")
    # One fewer and back: while the last one ends, the next one starts. Of one alone, none would be left.
    other = provider.kubectl("scale", deployment, f"--replicas={replicas - 1 or 2}")
    restart = provider.kubectl("rollout", "restart", deployment)
    undo = provider.kubectl("rollout", "undo", deployment)
    pod = Lookup(
        provider.kubectl("get", "pods", "-l", f"app={name}", "-o", "jsonpath={.items[0].metadata.name}")
    )
    steps = [
        Step(
            "scale-under-load",
            Stage.SCALE,
            (_load(provider, AFTER, other, rollout, back, rollout),),
            check,
            restore=(back,),
            extra=not in_tour,
        ),
        Step(
            "update-under-load",
            Stage.SCALE,
            (_load(provider, AFTER_A_PODS_END, restart, rollout, undo, rollout),),
            check,
            restore=(_as_it_was(provider),),
            extra=True,
        ),
    ]
    if replicas > 1:  # of one alone, none would be left to answer
        delete = provider.kubectl("delete", "pod", pod)
        steps.append(
            Step(
                "delete-under-load",
                Stage.SCALE,
                (_load(provider, AFTER, delete, rollout),),
                check,
                extra=True,
            )
        )
    return tuple(one for step in steps for one in _tried("nothing-lost", step))


def _bad_release(provider: Provider) -> tuple[Step, ...]:
    settings, deployment = provider.settings, _deployment(provider)
    # The same name with another tag; a port of the registry is no tag.
    name = re.sub(r"(:[^/:@]*)?(@.*)?$", "", settings.image)
    image = f"{name}:{NO_SUCH_TAG}"
    release = provider.kubectl("set", "image", deployment, f"{settings.name}={image}")
    undo = provider.kubectl("rollout", "undo", deployment)
    step = Step(
        "bad-release",
        Stage.SCALE,
        (_load(provider, AFTER, release, _rolled_out(provider, TRIAL), undo, _rolled_out(provider)),),
        BadRelease(settings.name, settings.replicas, settings.image),
        restore=(_as_it_was(provider),),
        extra=True,
    )
    return _tried("bad-release", step)


def _ready_only(provider: Provider) -> tuple[Step, ...]:
    settings, deployment = provider.settings, _deployment(provider)
    name, replicas, image = settings.name, settings.replicas, settings.image
    slow = provider.kubectl("set", "env", deployment, f"STARTUP_MS={STARTUP}")
    path = "/spec/template/spec/containers/0/readinessProbe"
    unprobed = provider.kubectl(
        "patch", deployment, "--type=json", "-p", json.dumps([{"op": "remove", "path": path}])
    )
    rollout, back = _rolled_out(provider), _as_it_was(provider)
    steps = (
        Step(
            "slow-start",
            Stage.SCALE,
            (_load(provider, AFTER, slow, rollout),),
            SlowStart(name, replicas, image, probed=True),
            restore=(back,),
            extra=True,
        ),
        Step(
            "slow-start-unprobed",
            Stage.SCALE,
            (_load(provider, AFTER_A_PODS_END, unprobed, rollout), back, rollout),
            SlowStart(name, replicas, image, probed=False),
            restore=(back,),
            extra=True,
        ),
    )
    return _tried("ready-only", *steps)


def _node_failure(provider: Provider) -> tuple[Step, ...]:
    """Return the steps that stop the last node and start it again, where there are nodes enough."""
    settings, deployment, nodes = provider.settings, _deployment(provider), provider.nodes()
    stop, start = (
        verb(nodes[-1]) if len(nodes) > 2 else None for verb in (provider.stop_node, provider.start_node)
    )
    if stop is None or start is None:
        return ()
    node, rollout = nodes[-1], _rolled_out(provider)
    leave = [
        {
            "key": f"node.kubernetes.io/{why}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": TOLERATED,
        }
        for why in ("not-ready", "unreachable")
    ]
    patience, default = (
        provider.kubectl(
            "patch", deployment, "-p", json.dumps({"spec": {"template": {"spec": {"tolerations": value}}}})
        )
        for value in (leave, None)
    )
    ready = provider.kubectl(
        "wait", "--for=condition=Ready", f"node/{node}", f"--timeout={settings.timeout}s"
    )
    steps = (
        Step(
            "stop-node",
            Stage.SCALE,
            (patience, rollout, stop),
            PodsMoved(settings.name, settings.replicas, node),
            restore=(start, default),
            extra=True,
        ),
        Step(
            "start-node",
            Stage.SCALE,
            (start, ready, default, rollout),
            NodeBack(DeploymentReady(settings.name, settings.replicas, settings.image), node),
            restore=(start, default),
            extra=True,
        ),
    )
    return _tried("node-failure", *steps)
