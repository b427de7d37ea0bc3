"""What a kubelet knows of one Pod, and what all Pods of its node share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kubetour.embedded.api import API, Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.kubelet_images import NodeImages
from kubetour.embedded.pod_network import PodNetwork, listening_at, port_number
from kubetour.embedded.pod_status import PodView
from kubetour.embedded.probes import Resolve
from kubetour.embedded.runtime import Runtime


@dataclass(frozen=True)
class NodeContext:
    """What all Pods of a node share."""

    name: str
    cluster: str
    address: str
    directory: Path
    api: API
    clock: Clock
    events: EventRecorder
    runtime: Runtime
    images: NodeImages
    network: PodNetwork


@dataclass
class PodState:
    """One Pod: as the API has it, its containers, its address ("" before it has one), and why it failed."""

    pod: Object
    ip: str = ""
    failed: tuple[str, str] = ("", "")  # reason and message of the Pod's own failure
    removed: bool = False  # from the API, so that there is nobody to tell
    init: dict[str, ContainerSlot] = field(init=False)
    containers: dict[str, ContainerSlot] = field(init=False)

    def __post_init__(self) -> None:
        spec = self.pod["spec"]
        self.init = {c["name"]: ContainerSlot(c) for c in spec.get("initContainers") or []}
        self.containers = {c["name"]: ContainerSlot(c) for c in spec["containers"]}
        for slot in self.slots() if self.init else ():
            slot.waiting = ("PodInitializing", "")

    def take(self, pod: Object) -> None:
        """Take the Pod as the API has it now; of its containers, their images may have changed."""
        self.pod = pod
        for spec in (*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]):
            if slot := self.slot(spec["name"]):
                slot.spec = spec

    @property
    def uid(self) -> str:
        """Return the Pod's uid."""
        return str(self.pod["metadata"]["uid"])

    @property
    def full_name(self) -> str:
        """Return namespace and name, as they stand in names on the node."""
        return f"{self.pod['metadata']['namespace']}_{self.pod['metadata']['name']}"

    @property
    def deleted(self) -> bool:
        """Return whether somebody has deleted it."""
        return self.removed or "deletionTimestamp" in self.pod["metadata"]

    @property
    def ending(self) -> bool:
        """Return whether its containers are to stop."""
        return self.deleted or bool(self.failed[0])

    def slots(self) -> Iterator[ContainerSlot]:
        """Yield all containers, init containers first."""
        yield from self.init.values()
        yield from self.containers.values()

    def slot(self, name: str) -> ContainerSlot | None:
        """Return a container by name."""
        return self.init.get(name) or self.containers.get(name)

    def listens(self, port: int) -> tuple[str, int]:
        """Return where a port of the Pod really listens."""
        slots = (slot.listens for slot in self.slots() if port in slot.listens)
        return listening_at(next(slots, {}), self.ip, port)

    def resolver(self, slot: ContainerSlot) -> Resolve:
        """Return what finds where a port of a container, given by number or name, really listens."""

        def resolve(port: int | str) -> tuple[str, int]:
            return listening_at(slot.listens, self.ip, port_number(slot.spec, port))

        return resolve

    def directory(self, node: NodeContext) -> Path:
        """Return where the Pod's logs are, as under a kubelet's /var/log/pods."""
        return node.directory / "pods" / f"{self.full_name}_{self.uid}"

    def view(self, node: NodeContext, *, stopped: bool = False) -> PodView:
        """Return how it is, as its status tells it."""
        reason, message = self.failed
        return PodView(
            init={slot.name: slot.view() for slot in self.init.values()},
            containers={slot.name: slot.view() for slot in self.containers.values()},
            host_ip=node.address,
            pod_ip=self.ip,
            stopped=stopped,
            reason=reason,
            message=message,
        )
