"""The chapter of the bare Pod."""

from __future__ import annotations

from kubetour.chapters.experiments import after_crashes, crashes
from kubetour.chapters.requests import answered, inside, lateness, logs
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.replacement import NothingReturns
from kubetour.proofs.workload import Gone, PodDescribed, PodReady, ReadyEndpoints
from kubetour.providers import Provider
from kubetour.steps import Stage, Step

NOTHING_RETURNS = 2.0  # seconds in which a deleted bare Pod must not come back


def pod(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter of the bare Pod: run, describe, expose, hit, delete; and nothing brings it back."""
    settings = provider.settings
    name = f"{settings.name}-pod"
    labels = (("run", name),)
    options = ("--image", settings.image, "--port", str(settings.port), "--image-pull-policy", "IfNotPresent")
    ready = ("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={settings.timeout}s")
    has_image = tuple(step.id for step in provider.image())
    request = inside(provider, "hit-pod", name)
    return (
        Step(
            "run-pod",
            Stage.POD,
            (provider.kubectl("run", name, *options, "--labels", f"run={name},{OWNED_BY}={OWNER}"),),
            PodReady(name, settings.image),
            confirm=(provider.kubectl(*ready),),
            needs=has_image,
            unless=provider.kubectl("get", "pod", name),
        ),
        Step(
            "describe-bare-pod",
            Stage.POD,
            (provider.kubectl("describe", "pod", name),),
            PodDescribed(labels),
            needs=("run-pod",),
        ),
        Step(
            "expose-pod",
            Stage.POD,
            (provider.kubectl("expose", "pod", name, "--type", "NodePort"),),
            ReadyEndpoints(name, 1),
            needs=("run-pod",),
            unless=provider.kubectl("get", "service", name),
        ),
        *(
            (
                Step(
                    "hit-pod",
                    Stage.POD,
                    (request,),
                    answered(provider, "hit-pod", labels),
                    confirm=logs(provider, f"run={name}"),
                    needs=("expose-pod",),
                    again=True,
                    patience=lateness(provider),
                ),
            )
            if request
            else ()
        ),
        *crashes(provider),
        Step(
            "delete-pod",
            Stage.POD,
            (provider.kubectl("delete", f"pod/{name}", f"service/{name}", "--ignore-not-found"),),
            NothingReturns(Gone((("pods", name), ("services", name)), labels)),
            needs=("run-pod",),
            hold=NOTHING_RETURNS,
            claim="comes-back",
            recorded=True,
        ),
        *after_crashes(provider),
    )
