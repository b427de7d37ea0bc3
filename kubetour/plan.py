"""The one list of steps, in order. Everything else reads it: tour, tasks, script, lessons, report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kubetour.buildcontext import BuildContext
from kubetour.chapters import cluster, image, pod, underload, workload
from kubetour.chapters.image_experiments import building, running
from kubetour.errors import UsageError
from kubetour.providers import Provider
from kubetour.steps import Stage, Step, Variable

# Where one of these steps fails, what the cluster has to say is kept.
IN_CLUSTER = (Stage.LOAD, Stage.POD, Stage.DEPLOY, Stage.SERVICE, Stage.SCALE, Stage.INSPECT)


def plan(provider: Provider, context: BuildContext, first_replicas: int = 1) -> tuple[Step, ...]:
    """Return the tour, from the tools to the description of a Pod. `first_replicas` is what is deployed."""
    return tuple(step for step in whole(provider, context, first_replicas) if not step.extra)


def whole(provider: Provider, context: BuildContext, first_replicas: int = 1) -> tuple[Step, ...]:
    """Return the tour with the experiments that are no part of it in their places."""
    steps = (
        *image.app(provider, context),
        *building.build_context(provider),
        *image.image(provider, context),
        *building.shared_layers(provider),
        *image.container(provider),
        *running.not_a_vm(provider, context),
        *running.process_one(provider, context),
        *running.latest(provider, context),
        *cluster.cluster(provider),
        *provider.image(),
        *running.pull_policy(provider),
        *pod.pod(provider),
        *workload.deployment(provider, first_replicas),
        *workload.service(provider, first_replicas),
        *workload.scale(provider),
        *underload.under_load(provider),
        *workload.inspection(provider),
    )
    rescue = provider.rescue()
    return tuple(
        replace(step, rescue=(*rescue, *step.rescue)) if step.stage in IN_CLUSTER else step for step in steps
    )


def singles(provider: Provider) -> tuple[Step, ...]:
    """Return the steps that are tasks of their own and no part of the tour."""
    return workload.singles(provider)


def clean_up(provider: Provider, images: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps that remove what the tour made, these images included."""
    return cluster.clean_up(provider, images)


def select(
    steps: tuple[Step, ...], *, first: str = "", last: str = "", only: Iterable[str] = ()
) -> tuple[Step, ...]:
    """Return the steps from `first` to `last`, or those named; UsageError for an unknown or empty choice.

    The step that finds out how the Service is reached comes along with those that ask for it.
    """
    only = tuple(only)
    ids = [step.id for step in steps]
    for wanted in (first, last, *only):
        if wanted and wanted not in ids:
            raise UsageError("step-unknown", step=wanted, known=", ".join(ids))
    start = ids.index(first) if first else 0
    end = ids.index(last) + 1 if last else len(ids)
    if start >= end:
        raise UsageError("steps-empty", first=first, last=last)
    chosen = tuple(step for step in steps[start:end] if not only or step.id in only)
    if any(_asks(step) for step in chosen):
        return tuple(step for step in steps if step.ladder or step in chosen)
    return chosen


def _asks(step: Step) -> bool:
    """Return whether a step needs what the ladder of another has found out."""
    words = (word for run in step.actions for word in run.argv)
    return not step.ladder and any(isinstance(word, Variable) for word in words)
