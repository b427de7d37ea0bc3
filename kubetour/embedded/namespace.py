"""The namespace controller: empties a namespace that is being deleted, then lets it go.

`NamespaceController(api: Informers, clock: Clock)`. After pkg/controller/namespace/deletion of Kubernetes.
"""

from __future__ import annotations

from collections import Counter

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.controller import Controller, Informers
from kubetour.embedded.podutil import condition
from kubetour.embedded.resources import RESOURCES, Resource

_FINALIZER = "kubernetes"
# Nobody waits for these, and nobody else follows them: they are many and nothing depends on them.
_UNWATCHED = ("events",)


def _namespaced() -> dict[str, Resource]:
    """Return what can be in a namespace, by plural, each stored resource once."""
    return {
        resource.plural: resource
        for resource in reversed(RESOURCES)
        if resource.namespaced and {"list", "delete"} <= set(resource.verbs)
    }


class NamespaceController(Controller[str]):
    """Finishes the deletion of namespaces."""

    def __init__(self, api: Informers, clock: Clock) -> None:
        super().__init__(api, clock)
        self._resources = _namespaced()
        self._namespaces = self.follow("namespaces", self._namespace_changed)
        for plural in self._resources:
            if plural not in _UNWATCHED:
                self.follow(plural, self._content_changed)

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        if new and "deletionTimestamp" in new["metadata"]:
            self.queue.add(new["metadata"]["name"])

    def _content_changed(self, old: Object | None, new: Object | None) -> None:
        """The last object's end lets the namespace go."""
        if old and new is None:
            namespace = self._namespaces.get("", old["metadata"]["namespace"])
            if namespace and "deletionTimestamp" in namespace["metadata"]:
                self.queue.add(namespace["metadata"]["name"])

    def sync(self, key: str) -> None:
        """Delete what is in one terminating namespace; when nothing is, take the finalizer off."""
        namespace = self._namespaces.get("", key)
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        if _FINALIZER not in (namespace["spec"].get("finalizers") or ()):
            return
        left, finalizers = self._delete_content(key)
        namespace = self._report(namespace, left, finalizers)
        if not left:
            kept = [name for name in namespace["spec"]["finalizers"] if name != _FINALIZER]
            self.api.update("namespaces", {**namespace, "spec": {"finalizers": kept}}, subresource="finalize")

    def _delete_content(self, namespace: str) -> tuple[Counter[Resource], Counter[str]]:
        """Delete everything; return how much of what remains, and how often it waits for which finalizer."""
        left: Counter[Resource] = Counter()
        finalizers: Counter[str] = Counter()
        for plural, resource in self._resources.items():
            for obj in self.api.list(plural, namespace).items:
                if "deletionTimestamp" not in obj["metadata"]:
                    self._delete(plural, obj)
            for obj in self.api.list(plural, namespace).items:
                left[resource] += 1
                finalizers.update(obj["metadata"].get("finalizers") or ())
        return left, finalizers

    def _delete(self, plural: str, obj: Object) -> None:
        try:
            self.api.delete(
                plural,
                obj["metadata"]["name"],
                obj["metadata"]["namespace"],
                uid=obj["metadata"]["uid"],
                propagation_policy="Background",
            )
        except StatusError as error:
            if error.code not in (404, 409):
                raise

    def _report(self, namespace: Object, left: Counter[Resource], finalizers: Counter[str]) -> Object:
        conditions = [self._condition(namespace, *verdict) for verdict in _verdicts(left, finalizers)]
        status = {**(namespace.get("status") or {}), "conditions": conditions}
        if status == namespace.get("status"):
            return namespace
        return self.api.update("namespaces", {**namespace, "status": status}, subresource="status")

    def _condition(self, namespace: Object, kind: str, status: str, reason: str, message: str) -> Object:
        before = condition(namespace, kind)
        same = before is not None and before["status"] == status
        since = before["lastTransitionTime"] if before and same else rfc3339(self.clock.now())
        return {
            "type": kind,
            "status": status,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }


def _verdicts(left: Counter[Resource], finalizers: Counter[str]) -> list[tuple[str, str, str, str]]:
    """Return the conditions of a terminating namespace: type, status, reason, message."""
    remaining = ("False", "ContentRemoved", "All content successfully removed")
    if left:
        counts = sorted(
            f"{_group_resource(resource)} has {count} resource instances" for resource, count in left.items()
        )
        remaining = ("True", "SomeResourcesRemain", f"Some resources are remaining: {', '.join(counts)}")
    finalizing = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    if finalizers:
        counts = sorted(f"{name} in {count} resource instances" for name, count in finalizers.items())
        message = f"Some content in the namespace has finalizers remaining: {', '.join(counts)}"
        finalizing = ("True", "SomeFinalizersRemain", message)
    deleted = "All content successfully deleted, may be waiting on finalization"
    return [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        ("NamespaceDeletionContentFailure", "False", "ContentDeleted", deleted),
        ("NamespaceContentRemaining", *remaining),
        ("NamespaceFinalizersRemaining", *finalizing),
    ]


def _group_resource(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"
