"""The recorder of Events: one object per thing that happened, counted up when the same happens again."""

from __future__ import annotations

import logging
import socket
from collections import OrderedDict
from datetime import datetime
from typing import Any

from kubetour.embedded.api import API, Object, StatusError
from kubetour.embedded.clock import Clock, rfc3339, rfc3339_micro

_log = logging.getLogger(__name__)
_REMEMBERED = 4096
_KINDS = {
    "pods": ("Pod", "v1"),
    "services": ("Service", "v1"),
    "nodes": ("Node", "v1"),
    "namespaces": ("Namespace", "v1"),
    "deployments": ("Deployment", "apps/v1"),
    "replicasets": ("ReplicaSet", "apps/v1"),
    "poddisruptionbudgets": ("PodDisruptionBudget", "policy/v1"),
}


def reference(resource: str, obj: Object, field_path: str = "") -> Object:
    """Return the ObjectReference of an object, of whose resource the plural name is given."""
    metadata = obj["metadata"]
    kind, api_version = _KINDS[resource]
    found = {
        "kind": kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata.get("uid"),
        "apiVersion": api_version,
        "resourceVersion": metadata.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {field: value for field, value in found.items() if value}


class EventRecorder:
    """Writes Events in the name of `component`, on `host` where it is a node's.

    A failed write is logged and forgotten: an Event is news, never a reason for the work to stop.
    """

    def __init__(self, api: API, clock: Clock, component: str, host: str = "") -> None:
        self._api = api
        self._clock = clock
        self._source = {"component": component, **({"host": host} if host else {})}
        self._host = host
        self._last_name = 0
        # By a hash: the texts themselves, of thousands of Events, are megabytes.
        self._known: OrderedDict[int, tuple[str, int]] = OrderedDict()

    def normal(
        self, resource: str, obj: Object, reason: str, message: str, *, field_path: str = "", action: str = ""
    ) -> None:
        """Record that something happened as it should; for `action` see `record`."""
        self.record(reference(resource, obj, field_path), "Normal", reason, message, action=action)

    def warning(
        self, resource: str, obj: Object, reason: str, message: str, *, field_path: str = "", action: str = ""
    ) -> None:
        """Record that something went wrong; for `action` see `record`."""
        self.record(reference(resource, obj, field_path), "Warning", reason, message, action=action)

    def record(self, regarding: Object, kind: str, reason: str, message: str, *, action: str = "") -> None:
        """Record a "Normal" or "Warning" event. `action` gives it the form of events.k8s.io/v1, in which the
        scheduler writes: eventTime and series in place of firstTimestamp, lastTimestamp and count."""
        message = message[:1024]
        identity = hash((regarding.get("uid"), regarding.get("fieldPath"), kind, reason, message))
        namespace = regarding.get("namespace") or "default"
        try:
            if not self._repeat(identity, namespace, action):
                name = self._create(regarding, namespace, kind, reason, message, action)
                self._known[identity] = (name, 1)
        except StatusError as error:
            _log.debug("event %s not recorded: %s", reason, error.message)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _repeat(self, identity: int, namespace: str, action: str) -> bool:
        if identity not in self._known:
            return False
        name, count = self._known[identity]
        now, count = self._clock.now(), count + 1
        patch: dict[str, Any] = (
            {"series": {"count": count, "lastObservedTime": rfc3339_micro(now)}}
            if action
            else {"count": count, "lastTimestamp": rfc3339(now)}
        )
        try:
            self._api.patch("events", name, patch, namespace)
        except StatusError as error:
            if error.code != 404:
                raise
            # It was deleted meanwhile, so this is news again.
            del self._known[identity]
            return False
        self._known[identity] = (name, count)
        self._known.move_to_end(identity)
        return True

    def _create(
        self, regarding: Object, namespace: str, kind: str, reason: str, message: str, action: str
    ) -> str:
        now = self._clock.now()
        event: Object = {
            "metadata": {"namespace": namespace},
            "involvedObject": regarding,
            "reason": reason,
            "message": message,
            "type": kind,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._host,
        }
        if action:
            component = self._source["component"]
            event |= {
                "source": {},
                "action": action,
                "eventTime": rfc3339_micro(now),
                "reportingInstance": f"{component}-{self._host or socket.gethostname()}",
            }
        else:
            event |= {
                "source": self._source,
                "firstTimestamp": rfc3339(now),
                "lastTimestamp": rfc3339(now),
                "count": 1,
                "eventTime": None,
            }
        while True:
            # Unlike Kubernetes' clock, this one may show the same time twice; names must differ all the same.
            self._last_name = max(_nanoseconds(now), self._last_name + 1)
            name = f"{regarding['name']}.{self._last_name:x}"
            event["metadata"]["name"] = name
            try:
                self._api.create("events", event, namespace)
            except StatusError as error:
                if error.reason != "AlreadyExists":
                    raise
            else:
                return name


def _nanoseconds(moment: datetime) -> int:
    # Not timestamp() * 1e9: a float cannot hold the nanoseconds of this century.
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
