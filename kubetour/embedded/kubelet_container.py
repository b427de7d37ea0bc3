"""One container of a Pod over its restarts: how it is now, and what its probes say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from kubetour.embedded import reference
from kubetour.embedded.api import Object
from kubetour.embedded.container import EXITED, RUNNING, START_ERROR, Container
from kubetour.embedded.pod_status import ContainerView, Ended, is_sidecar

# kubelet's own labels on what it makes (k8s.io/kubelet/pkg/types/labels.go).
POD_UID = "io.kubernetes.pod.uid"
POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
CONTAINER_NAME = "io.kubernetes.container.name"
RESTARTS = "io.kubernetes.container.restartCount"
_NEVER = "1970-01-01T00:00:00Z"  # the zero of runtimes: it never ran


@dataclass
class ContainerSlot:
    """A container of the spec, and the attempts to run it: the latest and the one before."""

    spec: Object
    current: Container | None = None
    previous: Container | None = None
    waiting: tuple[str, str] = ("ContainerCreating", "")
    ended_at: float = 0.0  # monotonic
    ready: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)
    unhealthy: str = ""  # the kind of probe that wants it restarted
    kill: asyncio.Task[None] | None = None  # the killing of what does not end by itself
    image: str = ""  # that the latest attempt was made of, as the spec named it
    is_replaced: bool = False  # the latest attempt, by one of another image
    hook_error: str = ""  # why its postStart hook failed, until that is told
    listens: dict[int, str] = field(default_factory=dict)
    probes: list[asyncio.Task[None]] = field(default_factory=list)
    is_probed: bool = False  # the latest attempt; also where it has no probe, or their time is over

    @property
    def name(self) -> str:
        """Return the container's name."""
        return str(self.spec["name"])

    @property
    def backoff_key(self) -> str:
        """Return under what its crashes are counted: with another image, anew."""
        return f"{self.name} {self.spec['image']}"

    @property
    def restarts(self) -> int:
        """Return how often it was started again."""
        return int(self.current.labels.get(RESTARTS, "0")) if self.current else 0

    @property
    def is_running(self) -> bool:
        """Return whether it runs."""
        return self.current is not None and self.current.state == RUNNING

    @property
    def has_ended(self) -> bool:
        """Return whether the latest attempt has ended."""
        return self.current is not None and self.current.state == EXITED

    @property
    def is_killed(self) -> bool:
        """Return whether it is being killed, its preStop hook included."""
        return self.kill is not None and not self.kill.done()

    def restarts_after(self, pod_policy: str) -> bool:
        """Return whether it is to be started again, now that it has ended."""
        if self.current is None:
            return False
        policy = "Always" if self.is_replaced or is_sidecar(self.spec) else pod_policy
        return policy == "Always" or (policy == "OnFailure" and self.current.exit_code != 0)

    def take(self, container: Container) -> Container | None:
        """Note a new attempt; return the one that nobody needs any more."""
        obsolete, self.previous, self.current = self.previous, self.current, container
        self.ready, self.unhealthy, self.waiting = False, "", ("", "")
        self.kill, self.hook_error, self.is_probed = None, "", False
        self.image, self.is_replaced = self.spec["image"], False
        self.started.clear()
        return obsolete

    def end_probes(self) -> None:
        """Stop probing."""
        for task in self.probes:
            task.cancel()
        self.probes.clear()

    def view(self) -> ContainerView:
        """Return how it is, as the Pod's status tells it."""
        container = self.current
        reason, message = self.waiting
        if container is None or container.state not in (RUNNING, EXITED):
            return ContainerView(waiting=reason or "ContainerCreating", message=message)
        before = ended(self.previous)
        waits = container.state == EXITED and bool(reason)
        return ContainerView(
            waiting=reason,
            message=message,
            running_since=_time(container.started_at) if container.state == RUNNING else "",
            ended=ended(container) if container.state == EXITED and not waits else None,
            last=ended(container) if waits else before,
            container_id=container.id,
            image=str(reference.parse(container.image))
            if "sha256:" not in container.image
            else container.image,
            image_id=container.image_id,
            restarts=self.restarts,
            ready=container.state == RUNNING and self.ready and self.started.is_set(),
            started=container.state == RUNNING and self.started.is_set(),
        )


def ended(container: Container | None) -> Ended | None:
    """Return how an attempt ended, or None if it did not."""
    if container is None or container.state != EXITED:
        return None
    never_ran = container.exit_code == START_ERROR and not container.started_at
    return Ended(
        container.id,
        container.exit_code,
        container.reason,
        container.message,
        _NEVER if never_ran else _time(container.started_at),
        _time(container.finished_at),
    )


def _time(nanoseconds: str) -> str:
    """Return a runtime's time as metav1.Time, which has whole seconds."""
    return f"{nanoseconds[:19]}Z" if nanoseconds else ""
