"""What a DELETE does to an object: it goes at once, or is marked and waits for a grace period or finalizers.

The rules of k8s.io/apiserver/pkg/registry/rest.BeforeDelete and of the garbage collector's finalizers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.resources import Resource

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_POLICY_FINALIZERS = {"Orphan": ORPHAN, "Foreground": FOREGROUND}
POLICIES = ("Background", "Foreground", "Orphan")


@dataclass(frozen=True)
class DeleteOptions:
    """metav1.DeleteOptions: a grace period in seconds (None: the object's own), preconditions, a policy."""

    grace_period_seconds: int | None = None
    propagation_policy: str = ""
    uid: str = ""
    resource_version: str = ""


def mark(resource: Resource, obj: Object, options: DeleteOptions, now: datetime) -> Object | None:
    """Return the object marked for deletion, or None where it is to be removed without that.

    A marked object may be one that goes at once (`may_go`): a Pod is marked even then.
    """
    marked = copy.deepcopy(obj)
    metadata = marked["metadata"]
    # The garbage collector does not follow Events, which own nothing: nobody would take its finalizers off.
    policy = "Background" if resource.plural == "events" else options.propagation_policy
    finalizers = _finalizers(metadata.get("finalizers") or [], policy)
    if resource.plural == "namespaces":
        # A Namespace's own finalizer lives in its spec: its content goes first.
        waits = bool((marked.get("spec") or {}).get("finalizers")) or bool(finalizers)
        if waits:
            marked.setdefault("status", {})["phase"] = "Terminating"
    else:
        waits = bool(finalizers)
    graceful = resource.plural == "pods"
    grace = _grace_period(obj, options) if graceful else 0
    if not waits and (not graceful or metadata.get("deletionGracePeriodSeconds") == 0):
        return None
    metadata.pop("finalizers", None)
    if finalizers:
        metadata["finalizers"] = finalizers
    _set_deletion(metadata, grace, now)
    return marked


def _finalizers(present: list[str], policy: str) -> list[str]:
    """Return the finalizers after a policy, which replaces what an earlier delete asked for, was applied."""
    if not policy:
        return present
    kept = [name for name in present if name not in (ORPHAN, FOREGROUND)]
    return kept + ([_POLICY_FINALIZERS[policy]] if policy in _POLICY_FINALIZERS else [])


def _grace_period(pod: Object, options: DeleteOptions) -> int:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    # Nothing runs (any more): nobody needs time to stop.
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    asked = options.grace_period_seconds
    grace = int(spec.get("terminationGracePeriodSeconds", 30)) if asked is None else asked
    return max(grace, 1) if grace < 0 else grace


def _set_deletion(metadata: Object, grace: int, now: datetime) -> None:
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = rfc3339(now + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata:
            metadata["generation"] += 1
        return
    earlier = metadata.get("deletionGracePeriodSeconds", 0)
    if grace < earlier:
        # A later delete may only shorten the time that is left, which begins anew (as recorded of v1.36).
        metadata["deletionTimestamp"] = rfc3339(now + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace


def may_go(resource: Resource, obj: Object) -> bool:
    """Tell whether a marked object has nothing left to wait for, so that the write just made removes it."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if resource.plural == "namespaces":
        return not (obj.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")
