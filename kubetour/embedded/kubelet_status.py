"""What a kubelet tells the API about one Pod: its status, where it listens, and Events."""

from __future__ import annotations

from typing import Any

from kubetour.embedded import pod_network, pod_status
from kubetour.embedded.api import Object
from kubetour.embedded.clock import rfc3339
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.kubelet_state import NodeContext, PodState


class PodReporter:
    """Writes one Pod's status where it changed. `writing` says that a change is of this very making."""

    def __init__(self, node: NodeContext, state: PodState) -> None:
        self._node, self._state = node, state
        self.writing = False

    def write_status(self, *, stopped: bool = False) -> None:
        """Bring the API's status to what is; `stopped`: all containers have ended, and none starts again.

        StatusError 409 where somebody has written since: the watch tells of that, and then is the time.
        """
        state, node = self._state, self._node
        old = state.pod.get("status") or {}
        new = pod_status.status(state.pod, state.view(node, stopped=stopped), rfc3339(node.clock.now()))
        metadata = state.pod["metadata"]
        patch: dict[str, Any] = {"metadata": {}}
        listens = {port: where for slot in state.slots() for port, where in slot.listens.items()}
        annotation = pod_network.listen_annotation(listens)
        if listens and (metadata.get("annotations") or {}).get(pod_network.LISTEN) != annotation:
            patch["metadata"]["annotations"] = {pod_network.LISTEN: annotation}
        if new == old and "annotations" not in patch["metadata"]:
            return
        patch["status"] = {**dict.fromkeys(old.keys() - new.keys()), **new}
        self._write(patch)

    def reject(self, reason: str, message: str) -> None:
        """Say that the node does not take the Pod, which has failed by that."""
        self.pod_warning(reason, message)
        status = {
            "phase": "Failed",
            "reason": reason,
            "message": f"Pod was rejected: {message}",
            "startTime": rfc3339(self._node.clock.now()),
        }
        self._write({"metadata": {}, "status": status})

    def _write(self, patch: Object) -> None:
        """Write over what the patch was made from: else what somebody else has just written, a condition or
        a deletion, would be lost, or come with the answer, of which nobody is woken."""
        metadata = self._state.pod["metadata"]
        patch["metadata"] |= {key: metadata[key] for key in ("uid", "resourceVersion")}
        self.writing = True
        try:
            self._node.api.patch("pods", metadata["name"], patch, metadata["namespace"], subresource="status")
        finally:
            self.writing = False

    def normal(self, slot: ContainerSlot, reason: str, message: str) -> None:
        """Record that something happened to a container as it should."""
        self.record(slot, "Normal", reason, message)

    def warning(self, slot: ContainerSlot, reason: str, message: str) -> None:
        """Record that something went wrong with a container."""
        self.record(slot, "Warning", reason, message)

    def record(self, slot: ContainerSlot, kind: str, reason: str, message: str) -> None:
        """Record an Event about a container."""
        where = "initContainers" if slot.name in self._state.init else "containers"
        record = self._node.events.normal if kind == "Normal" else self._node.events.warning
        record("pods", self._state.pod, reason, message, field_path=f"spec.{where}{{{slot.name}}}")

    def pod_warning(self, reason: str, message: str) -> None:
        """Record that something went wrong with the Pod itself."""
        self._node.events.warning("pods", self._state.pod, reason, message)

    def back_off(self, slot: ContainerSlot, seconds: float) -> None:
        """Have a container wait before it starts again, and tell it once."""
        metadata = self._state.pod["metadata"]
        whole = f"{metadata['name']}_{metadata['namespace']}({self._state.uid})"
        message = f"back-off {go_duration(seconds)} restarting failed container={slot.name} pod={whole}"
        if slot.waiting != ("CrashLoopBackOff", message):
            slot.waiting = ("CrashLoopBackOff", message)
            text = f"Back-off restarting failed container {slot.name} in pod {whole}"
            self.warning(slot, "BackOff", text)


def go_duration(seconds: float) -> str:
    """Return whole seconds as Go prints a duration: "40s", "2m40s", "5m0s"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
