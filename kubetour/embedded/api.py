"""The API as components see it: the only place where they meet.

`registry.Registry` implements it in process, with the same rules, defaults, validation and errors as
over HTTP. Objects are plain JSON dictionaries. What a call returns belongs to the caller.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

Object = dict[str, Any]


class Event:
    """One watch event: ADDED, MODIFIED, DELETED or BOOKMARK, and the object as it was then, as JSON text."""

    def __init__(self, type_: str, revision: int, text: str) -> None:
        self.type = type_
        self.revision = revision
        self._text = text

    @cached_property
    def object(self) -> Object:
        """Return the object, which is parsed when it is first asked for: to who wrote it, it is no news."""
        found: Object = json.loads(self._text)
        return found


@dataclass(frozen=True)
class ObjectList:
    """The objects of one list, and the resourceVersion from which a watch goes on without a gap."""

    items: list[Object]
    resource_version: str


class StatusError(Exception):
    """A failed call, as Kubernetes' own `Status` object tells it."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        """Return the metav1.Status body that a client is sent."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }
        return {key: value for key, value in body.items() if value is not None}


class API(Protocol):
    """The verbs. `resource` is the plural name: "pods", "deployments", "endpointslices"…

    Every verb raises StatusError: 404 NotFound, 409 AlreadyExists or Conflict, 410 Expired, 422 Invalid.
    """

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """Return one object."""

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> ObjectList:
        """Return the objects of a namespace, or of all with "", that both selectors match."""

    def create(self, resource: str, obj: Object, namespace: str = "") -> Object:
        """Store a new object and return it with uid, resourceVersion and defaults."""

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object:
        """Replace an object; 409 if its resourceVersion is not the stored one. `subresource` "status"
        changes the status only, "" everything but the status."""

    def patch(
        self, resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch (RFC 7386) and return the result."""

    def bind(self, namespace: str, pod: str, node: str) -> Object:
        """Assign a Pod to a node, as POST pods/NAME/binding does, and return the Pod."""

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        grace_period_seconds: int | None = None,
        propagation_policy: str = "",
    ) -> Object:
        """Delete an object: at once, or by setting its deletionTimestamp where a grace period or a
        finalizer stands in the way. A Pod that runs on a node is removed by its kubelet's delete with
        grace_period_seconds=0. A `uid` other than the stored one is a 409."""

    def watch(self, resource: str, namespace: str = "", *, resource_version: str) -> AsyncIterator[Event]:
        """Yield every change after that resourceVersion, in order, none twice; 410 where it was compacted.

        It ends only when the cluster stops. A DELETED event carries the object as it was last, under the
        resourceVersion of its deletion."""
