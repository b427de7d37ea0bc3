"""Whose the namespace on a cluster that is not ours is: how much may be removed there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubetour.causes import command_failed
from kubetour.checks import Observation
from kubetour.errors import RefusedError
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.cluster import Owned
from kubetour.proofs.common import json_object
from kubetour.providers import Provider
from kubetour.runner import LOOK, perform
from kubetour.script import shell
from kubetour.session import Session
from kubetour.steps import Run, Step

if TYPE_CHECKING:
    from invoke.context import Context

_APP = ("run-pod", "expose-pod", "deploy", "expose", "scale", "delete-app")
# What people keep in a namespace; what else is there comes and goes with these, or with the namespace.
_KEEPING = (
    *("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"),
    *("cronjobs.batch", "pods", "services", "configmaps", "secrets", "persistentvolumeclaims"),
    "ingresses.networking.k8s.io",
)
# What clusters put into every namespace by themselves, by the begin of its name.
_COME_ALONG = (
    *("ConfigMap/kube-root-ca.crt", "ConfigMap/openshift-service-ca.crt", "ConfigMap/istio-ca-root-cert"),
    *("Secret/default-token-", "Secret/default-dockercfg-"),
)


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


def refuse_anothers_app(c: Context, session: Session, steps: Iterable[Step]) -> None:
    """Raise RefusedError if these steps work on an app that others made, on a cluster that is not ours."""
    provider, name = session.provider, session.settings.name
    if provider.owns_cluster or not any(step.id in _APP for step in steps):
        return
    objects = (f"deployment/{name}", f"service/{name}", f"pod/{name}-pod", f"service/{name}-pod")
    if theirs := _unmarked(c, provider, *objects):
        raise RefusedError("not-made-here", evidence="\n".join(theirs))


def _refuse_shared(c: Context, provider: Provider) -> None:
    """Raise RefusedError if our namespace holds what others put there: it would go with the namespace."""
    asked = perform(c, provider.kubectl("api-resources", "--namespaced", "-o", "name"), timeout=LOOK)
    kinds = ",".join(kind for kind in asked.stdout.split() if kind in _KEEPING)
    if kinds and (theirs := _unmarked(c, provider, kinds)):
        raise RefusedError("namespace-shared", evidence="\n".join(theirs), namespace=provider.namespace)


def _unmarked(c: Context, provider: Provider, *what: str) -> list[str]:
    """Return KIND/NAME of those that are there, belong to no other object, and do not carry our label.

    What this user may not see is left out; what cannot be asked, the steps themselves will tell.
    """
    marked = '{{with .metadata.labels}}{{index . "' + OWNED_BY + '"}}{{end}}'
    row = "{{.kind}}/{{.metadata.name}} " + marked + '{{"\\n"}}'
    listing = "{{range .items}}{{if not .metadata.ownerReferences}}" + row + "{{end}}{{end}}"
    look = provider.kubectl("get", *what, "--ignore-not-found", "-o", f"go-template={listing}")
    rows = re.findall(r"(?m)^([A-Z]\w*/\S+) (.*)$", perform(c, look, timeout=LOOK).stdout)
    return [name for name, owner in rows if owner != OWNER and not name.startswith(_COME_ALONG)]


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
    chosen = _inside(steps, made)
    refuse_anothers_app(c, session, chosen)
    if any(step.id == "delete-namespace" for step in chosen):
        _refuse_shared(c, session.provider)
    return chosen


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
