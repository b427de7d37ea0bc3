"""The image pull secret: a Secret of ours, and the ServiceAccount through which every Pod uses it."""

from __future__ import annotations

import json
from collections.abc import Callable

from kubetour.project import OWNED_BY, OWNER, PULL_SECRET
from kubetour.proofs.cluster import Ended
from kubetour.proofs.registry import SecretThere, SecretUsed
from kubetour.steps import Run, Stage, Step

Kubectl = Callable[..., Run]
PATCH = ("patch", "serviceaccount", "default", "--type=strategic")
TYPE = "kubernetes.io/dockerconfigjson"


def make(kubectl: Kubectl, file: str, ledger: str) -> tuple[Step, ...]:
    """Return the steps that bring the file's credentials into the namespace and let its Pods use them.

    Two, as a new namespace may get its ServiceAccount a moment late: only the second is repeated.
    """
    create = ("create", "secret", "generic", PULL_SECRET, f"--type={TYPE}")
    return (
        Step(
            "pull-secret",
            Stage.LOAD,
            (
                kubectl(*create, f"--from-file=.dockerconfigjson={file}"),
                kubectl("label", "secret", PULL_SECRET, f"{OWNED_BY}={OWNER}"),
            ),
            SecretThere(PULL_SECRET, TYPE),
            needs=("namespace",),
            unless=kubectl("get", "secret", PULL_SECRET),
            creates=(ledger,),
        ),
        Step(
            "service-account",
            Stage.LOAD,
            (kubectl(*PATCH, "-p", _list({"name": PULL_SECRET})),),
            SecretUsed(PULL_SECRET),
            needs=("pull-secret",),
            again=True,
        ),
    )


def take_back(kubectl: Kubectl, ledger: str) -> Step:
    """Return the step that takes both back, where the namespace stays."""
    names = '{range .imagePullSecrets[*]}secret/{.name}{"\\n"}{end}'
    return Step(
        "delete-pull-secret",
        Stage.DOWN,
        (
            kubectl(
                *PATCH, "--patch-file", "/dev/stdin", stdin=_list({"$patch": "delete", "name": PULL_SECRET})
            ),
            kubectl("delete", "secret", PULL_SECRET, "--ignore-not-found"),
        ),
        Ended((f"secret/{PULL_SECRET}",)),
        confirm=(
            kubectl("get", "serviceaccount", "default", "-o", f"jsonpath={names}"),
            kubectl("get", "secret", PULL_SECRET, "--ignore-not-found", "-o", "name"),
        ),
        removes=(ledger,),
    )


def _list(entry: dict[str, str]) -> str:
    """Return a strategic merge patch of one entry of the list: those of others stay."""
    return json.dumps({"imagePullSecrets": [entry]})
