"""The chapters of Deployment, Service and scaling."""

from __future__ import annotations

from kubetour.chapters.experiments import replaced, same_address, selectors, spreading
from kubetour.chapters.requests import answered, inside, lateness, logs, mark, reach
from kubetour.proofs.anyapp import PodsTell
from kubetour.proofs.image import Logged
from kubetour.proofs.scaling import Scaled
from kubetour.proofs.traffic import AllAnswered, Chain, requests_for
from kubetour.proofs.workload import (
    DeploymentEndpoints,
    DeploymentReady,
    Placed,
    PodDescribed,
    ReadyEndpoints,
    ServiceAddress,
)
from kubetour.providers import Provider
from kubetour.steps import Lookup, Stage, Step


def deployment(provider: Provider, replicas: int) -> tuple[Step, ...]:
    """Return the step that applies the Deployment, with that many replicas."""
    settings = provider.settings
    rollout = ("rollout", "status", f"deployment/{settings.name}", f"--timeout={settings.timeout}s")
    return (
        Step(
            "deploy",
            Stage.DEPLOY,
            (provider.kubectl("apply", "-f", "-", stdin=provider.templates["deployment"]),),
            DeploymentReady(settings.name, replicas, settings.image),
            confirm=(provider.kubectl(*rollout),),
            needs=tuple(step.id for step in provider.image()),
        ),
        *replaced(provider, replicas),
    )


def service(provider: Provider, replicas: int) -> tuple[Step, ...]:
    """Return the chapter of the Service: apply it, see its addresses, hit it from inside and outside."""
    settings = provider.settings
    name = settings.name
    labels = (("app", name),)
    request = inside(provider, "hit-inside", name)
    parts = "deployment,replicaset,pod,service,endpointslice"
    return (
        Step(
            "expose",
            Stage.SERVICE,
            (provider.kubectl("apply", "-f", "-", stdin=provider.templates["service"]),),
            ReadyEndpoints(name, replicas),
            needs=("deploy",),
        ),
        Step(
            "services",
            Stage.SERVICE,
            (provider.kubectl("get", "services"),),
            ServiceAddress(name),
            needs=("expose",),
            patience=provider.address_patience,
        ),
        *(
            (
                Step(
                    "hit-inside",
                    Stage.SERVICE,
                    (request,),
                    answered(provider, "hit-inside", labels),
                    confirm=logs(provider, f"app={name}"),
                    needs=("expose",),
                    again=True,
                    patience=lateness(provider),
                ),
            )
            if request
            else ()
        ),
        Step(
            "hit",
            Stage.SERVICE,
            (reach(provider, "hit"),),
            answered(provider, "hit", labels),
            confirm=logs(provider, f"app={name}"),
            needs=("expose",),
            again=True,
            patience=lateness(provider),
            ladder=provider.rungs(),
        ),
        Step(
            "picture",
            Stage.SERVICE,
            (provider.kubectl("get", parts, "-l", f"app={name}"),),
            Chain(name),
            needs=("expose",),
        ),
        *same_address(provider, replicas),
        *selectors(provider, replicas),
    )


def scale(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter of scaling, and of hitting every Pod."""
    settings = provider.settings
    name, replicas = settings.name, settings.replicas
    requests = settings.requests or requests_for(replicas)
    rollout = ("rollout", "status", f"deployment/{name}", f"--timeout={settings.timeout}s")
    return (
        Step(
            "scale",
            Stage.SCALE,
            (provider.kubectl("scale", f"deployment/{name}", f"--replicas={replicas}"),),
            Scaled(
                DeploymentEndpoints(
                    DeploymentReady(name, replicas, settings.image), ReadyEndpoints(name, replicas)
                )
            ),
            confirm=(provider.kubectl(*rollout), provider.kubectl("get", "deployment", name)),
            needs=("expose",),
            claim="scaling",
            recorded=True,
        ),
        Step(
            "hit-all",
            Stage.SCALE,
            (reach(provider, "hit-all", requests),),
            PodsTell(name, replicas, requests, mark(provider, "hit-all"))
            if provider.mark
            else AllAnswered(name, replicas, requests),
            confirm=logs(provider, f"app={name}"),
            needs=("scale", "hit"),
            again=True,
            patience=lateness(provider),
            claim="spread",
        ),
        *spreading(provider),
    )


def inspection(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter of which node runs what."""
    name, replicas = provider.settings.name, provider.settings.replicas
    # Not one that is ending: it may be gone before it is described, even if it is the youngest.
    staying = (
        '{{$name := ""}}{{range .items}}{{if not .metadata.deletionTimestamp}}'
        "{{$name = .metadata.name}}{{end}}{{end}}{{$name}}"
    )
    pod = Lookup(provider.kubectl("get", "pods", "-l", f"app={name}", "-o", f"go-template={staying}"))
    return (
        Step(
            "pods",
            Stage.INSPECT,
            (provider.kubectl("get", "pods", "-o", "wide", "-l", f"app={name}"),),
            Placed(name, replicas),
            needs=("scale",),
        ),
        Step(
            "describe-pod",
            Stage.INSPECT,
            (provider.kubectl("describe", "pod", pod),),
            PodDescribed((("app", name),)),
            needs=("scale",),
        ),
    )


def singles(provider: Provider) -> tuple[Step, ...]:
    """Return the steps for looking at a running workload: its logs, its objects."""
    name = provider.settings.name
    selector = ("-l", f"app={name}")
    kinds = "deployment,replicaset,pod,service"
    return (
        Step(
            "logs",
            Stage.INSPECT,
            (provider.kubectl("logs", *selector, "--prefix", "--tail", "20", "--ignore-errors"),),
            Logged(ours=not provider.mark),
        ),
        Step(
            "status", Stage.INSPECT, (provider.kubectl("get", kinds, *selector, "-o", "wide"),), Chain(name)
        ),
    )
