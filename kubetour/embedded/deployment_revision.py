"""Which ReplicaSet is a Deployment's new one, what a fresh one looks like, and how revisions are counted.

Rules of pkg/controller/deployment/util in Kubernetes: the new ReplicaSet is the oldest whose template equals
the Deployment's but for the hash label; its revision is one more than that of all others.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence

from kubetour.embedded import names
from kubetour.embedded.api import Object
from kubetour.embedded.deployment_util import (
    DESIRED_REPLICAS,
    HASH_LABEL,
    MAX_REPLICAS,
    NO_LIMIT,
    REVISION,
    REVISION_HISTORY,
    annotation,
    max_surge,
    oldest_first,
    replicas,
    revision,
    status_of,
)

_HISTORY_LENGTH = 2000
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Annotations that belong to one object alone; all others a Deployment shares with its ReplicaSets.
_OWN = frozenset(
    {
        _LAST_APPLIED,
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)
_FNV_OFFSET, _FNV_PRIME = 2166136261, 16777619


def template_hash(template: Object, collisions: int = 0) -> str:
    """Return the pod-template-hash: FNV-1a (32 bits) of the template and of how many collisions there were,
    its decimal digits spelt in the alphabet of generated names."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":")) + (
        f"#{collisions}" if collisions else ""
    )
    value = _FNV_OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return "".join(names.ALPHABET[ord(digit) % len(names.ALPHABET)] for digit in str(value))


def same_template(left: Object, right: Object) -> bool:
    """Tell whether two templates are equal but for the hash label."""
    return _without_hash(left) == _without_hash(right)


def _without_hash(template: Object) -> Object:
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key != HASH_LABEL}
    metadata.pop("creationTimestamp", None)
    return {**template, "metadata": {**metadata, "labels": labels}}


def find_new(deployment: Object, sets: Sequence[Object]) -> Object | None:
    """Return the ReplicaSet that is what the Deployment wants now, or None."""
    template = deployment["spec"]["template"]
    return next((rs for rs in oldest_first(sets) if same_template(rs["spec"]["template"], template)), None)


def find_old(sets: Sequence[Object], new: Object | None) -> list[Object]:
    """Return all others."""
    return [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]


def next_revision(old: Sequence[Object]) -> int:
    """Return the revision of a new ReplicaSet beside those old ones."""
    return max((revision(rs) for rs in old), default=0) + 1


def build_new(deployment: Object, revision_number: int) -> Object:
    """Return the ReplicaSet, of 0 replicas yet, for a Deployment's template."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    digest = template_hash(spec["template"], status_of(deployment, "collisionCount"))
    template = copy.deepcopy(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    selector = copy.deepcopy(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    annotations = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _OWN
    }
    annotations |= {REVISION: str(revision_number), **replica_annotations(deployment)}
    return {
        "metadata": {
            "name": f"{metadata['name']}-{digest}",
            "namespace": metadata["namespace"],
            "labels": dict(labels),
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "replicas": 0,
            "selector": selector,
            "template": template,
            **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
        },
    }


def replica_annotations(deployment: Object) -> dict[str, str]:
    """Return the annotations by which a later scaling knows in what proportion ReplicaSets stood."""
    count = replicas(deployment)
    return {DESIRED_REPLICAS: str(count), MAX_REPLICAS: str(count + max_surge(deployment))}


def renewed_annotations(deployment: Object, rs: Object, revision_number: int) -> dict[str, str]:
    """Return the annotations of an existing new ReplicaSet: its own, over them the Deployment's, and the
    newest revision; the revision it had before joins the history."""
    before = dict(rs["metadata"].get("annotations") or {})
    after = before | {
        key: value
        for key, value in (deployment["metadata"].get("annotations") or {}).items()
        if key not in _OWN
    }
    earlier = annotation(rs, REVISION)
    if revision(rs) < revision_number:
        after[REVISION] = str(revision_number)
        if earlier:
            after[REVISION_HISTORY] = _history(before.get(REVISION_HISTORY, ""), earlier)
    return after


def _history(so_far: str, earlier: str) -> str:
    entries = [*filter(None, so_far.split(",")), earlier]
    while len(",".join(entries)) > _HISTORY_LENGTH:
        entries.pop(0)
    return ",".join(entries)


def expendable(deployment: Object, old: Sequence[Object]) -> list[Object]:
    """Return the old ReplicaSets beyond revisionHistoryLimit that have no Pods, lowest revision first."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    if limit == NO_LIMIT:
        return []
    alive = [rs for rs in old if "deletionTimestamp" not in rs["metadata"]]
    excess = sorted(alive, key=lambda rs: (revision(rs), rs["metadata"]["creationTimestamp"]))
    return [
        rs
        for rs in excess[: max(len(alive) - limit, 0)]
        if not replicas(rs)
        and not status_of(rs, "replicas")
        and rs["metadata"].get("generation", 0) <= status_of(rs, "observedGeneration")
    ]
