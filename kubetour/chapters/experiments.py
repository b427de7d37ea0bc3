"""Experiments on Pods, Deployment and Service: a step breaks something, or counts, and sees what follows."""

from __future__ import annotations

from dataclasses import replace

from kubetour.chapters.requests import answered, forwarded, lateness, logs, over_one_connection, reach
from kubetour.proofs.replacement import Replaced, SameAddress
from kubetour.proofs.restarts import LongerPause, Restarted
from kubetour.proofs.selecting import FindsNobody
from kubetour.proofs.spreading import AtRandom, ForwardedToOne, OneConnection
from kubetour.proofs.workload import Gone, ReadyEndpoints
from kubetour.providers import Provider
from kubetour.steps import Stage, Step

FOR_EACH = 20  # requests for each Pod: enough to tell chance from turns, and few enough to wait for
KEPT = 10  # requests over one connection


def crashes(provider: Provider) -> tuple[Step, ...]:
    """Return the steps that kill the bare Pod's process again and again, where a node can be asked to."""
    name = f"{provider.settings.name}-pod"
    stop = provider.stop_container(name)
    if stop is None:
        return ()
    crash = Step(
        "crash",
        Stage.POD,
        (stop,),
        Restarted(name),
        needs=("run-pod",),
        claim="self-healing",
        recorded=True,
    )
    delete = (provider.kubectl("delete", f"pod/{name}", "--ignore-not-found"),)
    again = replace(
        crash, id="crash-again", check=LongerPause(name), needs=("crash",), restore=delete, extra=True
    )
    longer = LongerPause(name, started=False)
    return crash, again, replace(again, id="crash-longer", check=longer, needs=("crash-again",))


def after_crashes(provider: Provider) -> tuple[Step, ...]:
    """Return the step that deletes the Pod that has been killed so often: its pauses would stay long."""
    name = f"{provider.settings.name}-pod"
    if provider.stop_container(name) is None:
        return ()
    return (
        Step(
            "delete-crashed",
            Stage.POD,
            (provider.kubectl("delete", f"pod/{name}", "--ignore-not-found"),),
            Gone((("pods", name),), (("run", name),)),
            claim="self-healing",
            extra=True,
        ),
    )


def replaced(provider: Provider, replicas: int) -> tuple[Step, ...]:
    """Return the step that deletes the Deployment's Pods, and sees others come."""
    name = provider.settings.name
    return (
        Step(
            "replace-pod",
            Stage.DEPLOY,
            (provider.kubectl("delete", "pods", "-l", f"app={name}", "--wait=false"),),
            Replaced(name, replicas),
            needs=("deploy",),
            claim="comes-back",
            recorded=True,
        ),
    )


def same_address(provider: Provider, replicas: int) -> tuple[Step, ...]:
    """Return the steps that replace the Pods behind the Service, and ask it again at the same address."""
    name = provider.settings.name
    return (
        Step(
            "same-address",
            Stage.SERVICE,
            (provider.kubectl("delete", "pods", "-l", f"app={name}", "--wait=false"),),
            SameAddress(name, replicas),
            needs=("expose",),
            claim="stable-address",
            recorded=True,
        ),
        Step(
            "hit-again",
            Stage.SERVICE,
            (reach(provider, "hit-again"),),
            answered(provider, "hit-again", (("app", name),)),
            confirm=logs(provider, f"app={name}"),
            needs=("same-address", "hit"),
            again=True,
            patience=lateness(provider),
            claim="stable-address",
        ),
    )


def selectors(provider: Provider, replicas: int) -> tuple[Step, ...]:
    """Return the steps that break the Service's selector, and mend it."""
    name = provider.settings.name
    wrong = f"{name}-typo"
    apply = provider.kubectl("apply", "-f", "-", stdin=provider.templates["service"])
    return (
        Step(
            "break-selector",
            Stage.SERVICE,
            (provider.kubectl("set", "selector", "service", name, f"app={wrong}"),),
            FindsNobody(name, "app", wrong),
            confirm=(provider.kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}"),),
            needs=("expose",),
            restore=(apply,),
            claim="selectors",
            extra=True,
        ),
        Step(
            "mend-selector",
            Stage.SERVICE,
            (apply,),
            ReadyEndpoints(name, replicas),
            needs=("break-selector",),
            restore=(apply,),
            claim="selectors",
            extra=True,
        ),
    )


def spreading(provider: Provider) -> tuple[Step, ...]:
    """Return the steps that count who answers: a connection each, one for all, a forwarded port."""
    name, replicas = provider.settings.name, provider.settings.replicas
    requests = FOR_EACH * replicas
    by_forwarding = forwarded(provider, "port-forward", requests)
    counted = AtRandom(name, requests)
    steps = [
        Step("spread", Stage.SCALE, (reach(provider, "spread", requests),), counted),
        Step(
            "keep-alive",
            Stage.SCALE,
            (over_one_connection(provider, "keep-alive", KEPT),),
            OneConnection(name, KEPT),
        ),
    ]
    if by_forwarding:
        to_one = ForwardedToOne(name, requests)
        steps.append(Step("port-forward", Stage.SCALE, (by_forwarding,), to_one))
    return tuple(replace(step, needs=("hit-all",), claim="spread", extra=True) for step in steps)
