"""Whose the namespace on a cluster that is not ours is: how much may be removed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetour.causes import command_failed
from kubetour.checks import Observation
from kubetour.errors import RefusedError
from kubetour.proofs.cluster import Owned
from kubetour.proofs.common import json_object
from kubetour.runner import LOOK, perform
from kubetour.script import shell
from kubetour.session import Session
from kubetour.steps import Run, Step

if TYPE_CHECKING:
    from invoke.context import Context


def is_there(c: Context, session: Session) -> bool:
    """Return whether there is the namespace to work in; RefusedError if it does not carry our label."""
    provider = session.provider
    look = provider.kubectl("get", "namespace", provider.namespace, "-o", "json")
    asked = perform(c, look, timeout=LOOK)
    if asked.status != 0:
        if "(NotFound)" in asked.stderr:
            return False
        raise command_failed(shell(look), "kubectl", asked)
    objects = {"namespaces": (json_object(asked.stdout),)}
    proof = Owned(provider.namespace, provider.context)(Observation(objects=objects))
    if not proof.holds:
        raise RefusedError("not-ours", proof=proof.text)
    return True


def clean_up(c: Context, session: Session, images: tuple[str, ...] | None = None) -> tuple[Step, ...]:
    """Return the steps that remove what was made here, and of a cluster that is not ours nothing else."""
    steps = session.clean_up(images)
    if session.provider.owns_cluster:
        return steps
    made = session.state.created()
    if not is_there(c, session):
        gone = {"delete-app", "delete-pull-secret", "delete-namespace"}
        session.state.strike(*(entry for step in steps if step.id in gone for entry in step.removes))
        return tuple(step for step in steps if step.id not in gone)
    return _inside(steps, made)


def clean_up_after(c: Context, session: Session) -> tuple[Step, ...]:
    """Return the steps that will remove what a tour makes: namespace and image only if there is none yet."""
    steps = session.clean_up(() if _has_image_of_theirs(c, session) else None)
    if session.provider.owns_cluster:
        return steps
    going_to = {entry for step in session.plan() for entry in step.creates}
    if is_there(c, session):
        going_to -= {entry for entry in going_to if entry.startswith("namespace/")}
    return _inside(steps, (*session.state.created(), *going_to))


def _has_image_of_theirs(c: Context, session: Session) -> bool:
    """Return whether an image of that name is there which was not made here: the tour takes it as it is."""
    provider, image = session.provider, session.settings.image
    if f"{provider.engine_name}-image/{image}" in session.state.created():
        return False
    return perform(c, Run((*provider.engine, "image", "inspect", image))).status == 0


def _inside(steps: tuple[Step, ...], made: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps without those for what was not made here, and for what goes with its namespace."""
    namespace = next(step for step in steps if step.id == "delete-namespace")
    secret = next(step for step in steps if step.id == "delete-pull-secret")
    if namespace.removes[0] in made:
        return tuple(step for step in steps if step is not secret)
    left_out = (namespace,) if secret.removes[0] in made else (namespace, secret)
    return tuple(step for step in steps if step not in left_out)
