"""The end of a Pod: its containers are asked to stop, then killed; then the API can let it go."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable

from kubetour.embedded.api import StatusError
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.kubelet_hooks import Hooks
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.kubelet_status import PodReporter
from kubetour.embedded.pod_status import is_sidecar
from kubetour.embedded.podutil import is_terminal

_log = logging.getLogger(__name__)
_RETRY = 1.0  # seconds
_LEAST_GRACE = 1.0  # seconds, also for a Pod that was deleted with no grace period at all
# Seconds between the deletion and the stop signal: about what a kubelet's calls to its container runtime
# take. Meanwhile the proxy hears that the Pod is to get no new connections.
_BEFORE_SIGNAL = 0.05


class Termination:
    """Ends one Pod, step by step: `sync` does what can be done now."""

    def __init__(
        self,
        node: NodeContext,
        state: PodState,
        reporter: PodReporter,
        hooks: Hooks,
        wake: Callable[[], None],
    ) -> None:
        self._node, self._state, self._reporter, self._hooks, self._wake = node, state, reporter, hooks, wake
        self._stopping: tuple[float, asyncio.Task[None]] | None = None

    def sync(self) -> bool:
        """Go on; return whether the Pod is gone from this node. StatusError where the API was in the way."""
        state, node = self._state, self._node
        running = [slot for slot in state.slots() if slot.is_running]
        # A preStop hook may outlast its container.
        if running or (self._stopping and not self._stopping[1].done()):
            self._stop_within(self._grace(), running)
            if running and not state.removed:
                self._reporter.write_status()
            return False
        # A kubelet before this one may have given it its address.
        state.ip = state.ip or (state.pod.get("status") or {}).get("podIP", "")
        # One that was over before keeps what it says; one that never began has nothing to say.
        if not state.removed and not is_terminal(state.pod) and state.ip:
            self._reporter.write_status(stopped=True)
        if not state.deleted:
            state.failed = ("", "")  # it has failed for good, and stays until it is deleted
            node.network.release(state.uid)
            return False
        if not state.removed:
            self._delete()
            if state.pod["metadata"].get("finalizers") and not state.removed:
                return False
        self._clean_up()
        return True

    def stop_sidecars(self) -> None:
        """Stop what still runs of a Pod whose own containers have done all that they were to do."""
        running = [slot for slot in self._state.slots() if slot.is_running]
        if running:
            self._stop_within(self._grace(), running)

    def cancel(self) -> None:
        """Stop waiting for containers, and probing them."""
        for slot in self._state.slots():
            slot.end_probes()
            if slot.kill:
                slot.kill.cancel()
        if self._stopping:
            self._stopping[1].cancel()

    def _grace(self) -> float:
        if self._state.removed:
            return _LEAST_GRACE
        pod = self._state.pod
        default = pod["spec"].get("terminationGracePeriodSeconds", 30)
        return max(_LEAST_GRACE, float(pod["metadata"].get("deletionGracePeriodSeconds", default)))

    def _stop_within(self, grace: float, running: list[ContainerSlot]) -> None:
        """Stop containers, until it succeeds; a shorter grace period than before takes over."""
        if self._stopping:
            before, task = self._stopping
            if grace >= before and not task.done():
                return
            task.cancel()
        else:
            for slot in running:
                slot.end_probes()
                if slot.kill:
                    slot.kill.cancel()
                self._reporter.normal(slot, "Killing", f"Stopping container {slot.name}")

        async def stop() -> None:
            if not self._state.removed:
                await self._node.clock.sleep(_BEFORE_SIGNAL)
            try:
                await self._kill_in_order(grace, running)
            except Exception:
                _log.exception("pod %s: its containers could not be stopped", self._state.full_name)
                await self._node.clock.sleep(_RETRY)

        task = asyncio.create_task(stop())
        task.add_done_callback(lambda _: self._wake())
        self._stopping = (grace, task)

    async def _kill_in_order(self, grace: float, running: list[ContainerSlot]) -> None:
        """Kill containers at the same time, but sidecars after them, the one that began last first."""
        sidecars = [slot for slot in running if is_sidecar(slot.spec)]
        kills = [asyncio.create_task(self._hooks.kill(s, grace)) for s in running if s not in sidecars]
        for slot in reversed(sidecars):
            kills.append(asyncio.create_task(self._hooks.kill(slot, grace, tuple(kills))))
        try:
            await asyncio.gather(*kills)
        finally:
            for kill in kills:
                kill.cancel()

    def _delete(self) -> None:
        """Tell the API that nothing runs any more, so that the Pod can go."""
        metadata = self._state.pod["metadata"]
        self._reporter.writing = True
        try:
            self._node.api.delete(
                "pods",
                metadata["name"],
                metadata["namespace"],
                uid=self._state.uid,
                grace_period_seconds=0,
            )
        except StatusError as error:
            if error.code not in (404, 409):
                raise
        finally:
            self._reporter.writing = False

    def _clean_up(self) -> None:
        self._node.network.release(self._state.uid)
        for slot in self._state.slots():
            for container in (slot.current, slot.previous):
                if container:
                    self._node.runtime.remove(container)
        shutil.rmtree(self._state.directory(self._node), ignore_errors=True)
