"""One Pod on a node, from its binding to its end: a loop that compares what is wanted with what runs.

k8s.io/kubernetes/pkg/kubelet/{pod_workers,kuberuntime/kuberuntime_manager}.go
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from kubetour.embedded import kubelet_admission
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.backoff import Backoff
from kubetour.embedded.container import Container
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubelet_container import CONTAINER_NAME, ContainerSlot
from kubetour.embedded.kubelet_hooks import Hooks
from kubetour.embedded.kubelet_images import ImageManager, ImageProblemError
from kubetour.embedded.kubelet_prober import Prober
from kubetour.embedded.kubelet_spec import container_spec
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.kubelet_status import PodReporter
from kubetour.embedded.kubelet_termination import Termination
from kubetour.embedded.kubelet_volumes import PodVolumes
from kubetour.embedded.pod_environment import ConfigError
from kubetour.embedded.pod_network import NoAddressError
from kubetour.embedded.pod_status import is_sidecar
from kubetour.embedded.podutil import is_terminal, parse_time
from kubetour.embedded.probes import Exec
from kubetour.embedded.runtime import StartError

_log = logging.getLogger(__name__)
_CONFIG_RETRY = 10.0  # seconds
_ERROR_RETRY = 1.0


class PodWorker:
    """Runs one Pod. `update` tells it what the API has; it ends by itself once the Pod is gone for good."""

    def __init__(self, node: NodeContext, pod: Object) -> None:
        self.node = node
        self.state = PodState(pod)
        self._wake = asyncio.Event()
        self._backoff = Backoff()
        self._initialized = False
        self._images = ImageManager(node.images, node.clock.monotonic, node.cluster)
        self._reporter = PodReporter(node, self.state)
        self._hooks = Hooks(node, self.state, self._reporter)
        self._volumes = PodVolumes(node, self.state, self._reporter)
        resolver = self.state.resolver
        self._prober = Prober(node.clock, resolver, self._exec, self._wake.set, self._probe_failed)
        self._termination = Termination(node, self.state, self._reporter, self._hooks, self._wake.set)

    # --- what others tell it

    def update(self, pod: Object | None) -> None:
        """Take the Pod as the API has it now, or None when it is there no more."""
        if pod is None:
            self.state.removed = True
        else:
            self.state.take(pod)
        if not self._reporter.writing:
            self._wake.set()

    def container_ended(self, container: Container) -> None:
        """Take note of the end of one of its containers."""
        for slot in self.state.slots():
            if slot.current is container:
                slot.end_probes()
                slot.ended_at = self.node.clock.monotonic()
        self._wake.set()

    def recover(self, attempts: list[Container]) -> None:
        """Take over the attempts, oldest first, that an earlier kubelet of this node made."""
        for container in attempts:
            slot = self.state.slot(container.labels[CONTAINER_NAME])
            obsolete = slot.take(container) if slot else container
            if obsolete:
                self.node.runtime.remove(obsolete)

    # --- the loop

    async def run(self) -> None:
        """Work until the Pod is gone."""
        try:
            while True:
                self._wake.clear()
                delay: float | None = _ERROR_RETRY
                try:
                    if not self.state.ending:
                        delay = await self._sync()
                    elif self._termination.sync():
                        return
                    else:
                        delay = None
                except StatusError as error:
                    # 404: deleted meanwhile, which `update` will tell. 409: somebody wrote; look again.
                    if error.code not in (404, 409):
                        _log.warning("pod %s: %s", self.state.full_name, error.message)
                except Exception:
                    _log.exception("pod %s: unexpected error", self.state.full_name)
                await self._sleep(delay)
        finally:
            self._termination.cancel()

    async def _sleep(self, seconds: float | None) -> None:
        """Wait until something happens, that many seconds at most."""
        if seconds is None:
            await self._wake.wait()
            return
        waits = [
            asyncio.ensure_future(self._wake.wait()),
            asyncio.ensure_future(self.node.clock.sleep(seconds)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _sync(self) -> float | None:
        """Start what is to run; return after how many seconds to look again, None: when something happens."""
        state = self.state
        if is_terminal(state.pod):
            self.node.network.release(state.uid)
            return None
        if not state.ip:
            if refused := kubelet_admission.refused(state.pod, self.node.name, self.node.api):
                self._reporter.reject(*refused)
                return None
            self._reporter.write_status()  # the Pod is accepted here: ContainerCreating
            try:
                state.ip = self._assign_address()
            except NoAddressError as error:
                self._reporter.pod_warning("FailedCreatePodSandBox", str(error))
                return _CONFIG_RETRY
        left = self._seconds_left()
        if left is not None and left <= 0:
            why = "Pod was active on the node longer than the specified deadline"
            state.failed = ("DeadlineExceeded", why)
            self.node.events.normal("pods", state.pod, *state.failed)
            return 0.0
        delays = [left, self._volumes.set_up()]
        if not self._volumes.ready:
            self._reporter.write_status()
            return min(delay for delay in delays if delay is not None)
        if self._is_done():
            self._termination.stop_sidecars()
        else:
            await self._ensure_all(delays)
        # Nobody sees a container between its end and its replacement: in a kubelet, both are one sync.
        if not (state.ending or any(slot.is_killed and slot.is_replaced for slot in state.slots())):
            self._reporter.write_status()
        return min((delay for delay in delays if delay is not None), default=None)

    def _is_done(self) -> bool:
        """Return whether the Pod's own containers, or one before them that failed, have ended for good, so
        that its sidecars may."""
        own = self.state.containers.values()
        failed = (slot for slot in self.state.init.values() if slot.has_ended and not self._init_done(slot))
        return all(map(self._is_over, own)) or any(map(self._is_over, failed))

    def _is_over(self, slot: ContainerSlot) -> bool:
        return slot.has_ended and not slot.restarts_after(self._restart_policy(slot))

    async def _ensure_all(self, delays: list[float | None]) -> None:
        for slot in self.state.init.values():
            delays.append(await self._ensure(slot))
            if not (self._initialized or self._init_done(slot)):
                return
        self._initialized = True  # a sidecar that ends from now on is started again beside the others
        for slot in self.state.containers.values():
            delays.append(await self._ensure(slot))

    @staticmethod
    def _init_done(slot: ContainerSlot) -> bool:
        if is_sidecar(slot.spec):
            return slot.is_running and slot.started.is_set()
        return slot.current is not None and slot.has_ended and slot.current.exit_code == 0

    async def _ensure(self, slot: ContainerSlot) -> float | None:
        """Have a container run if it should; return when to look again."""
        if slot.is_killed:
            return None
        if slot.is_running:
            self._look_after(slot)
            return None
        if slot.has_ended:
            if not slot.restarts_after(self._restart_policy(slot)):
                return None
            if slot.hook_error:
                slot.waiting, slot.hook_error = ("PostStartHookError", slot.hook_error), ""
                return 0.0
            left = self._backoff.left(slot.backoff_key, slot.ended_at, self.node.clock.monotonic())
            if left > 0:
                self._reporter.back_off(slot, self._backoff.delay(slot.backoff_key))
                return left
        try:
            await self._start(slot)
        except ImageProblemError as problem:
            slot.waiting = (problem.reason, problem.message)
            return problem.retry_after
        except ConfigError as error:
            slot.waiting = ("CreateContainerConfigError", str(error))
        except StartError as error:
            slot.ended_at = self.node.clock.monotonic()
            self._reporter.warning(slot, "Failed", f"Error: {error}")
            return 0.0
        except (EmbeddedError, OSError) as error:
            slot.waiting = ("CreateContainerError", str(error))
        else:
            return None
        self._reporter.warning(slot, "Failed", f"Error: {slot.waiting[1]}")
        return _CONFIG_RETRY

    def _restart_policy(self, slot: ContainerSlot) -> str:
        policy = str(self.state.pod["spec"].get("restartPolicy", "Always"))
        # An init container has done its work with status 0, whatever the Pod's policy.
        return "OnFailure" if slot.name in self.state.init and policy == "Always" else policy

    async def _start(self, slot: ContainerSlot) -> None:
        node = self.node
        image = self._images.ensure(slot.spec, lambda *event: self._reporter.record(slot, *event))
        spec = container_spec(node, self.state, slot, image, self._volumes)
        # The files are copied in a thread; the process is made in this one, with which it is to die.
        container = await asyncio.to_thread(node.runtime.create, spec, image)
        if slot.has_ended:
            self._backoff.next(slot.backoff_key, node.clock.monotonic())
        obsolete = slot.take(container)
        if obsolete:
            node.runtime.remove(obsolete)
            Path(obsolete.log).unlink(missing_ok=True)
        self._reporter.normal(slot, "Created", "Container created")
        if self.state.ending:
            return
        node.runtime.start(container)
        self._reporter.normal(slot, "Started", "Container started")
        slot.hook_error = await self._hooks.post_start(slot, self._wake)
        if slot.hook_error:
            self._kill(slot, "FailedPostStartHook", self._grace())
        elif slot.is_running and not self.state.ending:
            self._prober.start(slot)

    # --- probes

    def _probe_failed(self, slot: ContainerSlot, kind: str, message: str) -> None:
        self._reporter.warning(slot, "Unhealthy", f"{kind.capitalize()} probe failed: {message}")

    def _look_after(self, slot: ContainerSlot) -> None:
        if slot.unhealthy:
            self._kill_unhealthy(slot)
        elif slot.image != slot.spec["image"] and slot.name in self.state.containers:
            slot.is_replaced = True
            self._kill(slot, f"Container {slot.name} definition changed, will be restarted", self._grace())
        elif not slot.is_probed:  # something went wrong just after its start
            self._prober.start(slot)

    def _kill_unhealthy(self, slot: ContainerSlot) -> None:
        probe = slot.spec.get(f"{slot.unhealthy}Probe") or {}
        grace = float(probe.get("terminationGracePeriodSeconds") or self._grace())
        text = f"Container {slot.name} failed {slot.unhealthy} probe, will be restarted"
        self._kill(slot, text, grace)

    def _kill(self, slot: ContainerSlot, why: str, grace: float) -> None:
        self._reporter.normal(slot, "Killing", why)
        slot.end_probes()
        slot.kill = asyncio.create_task(self._hooks.kill(slot, grace))
        slot.kill.add_done_callback(lambda _: self._wake.set())

    def _grace(self) -> float:
        return float(self.state.pod["spec"].get("terminationGracePeriodSeconds", 30))

    def _exec(self, slot: ContainerSlot) -> Exec:
        async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
            if slot.current is None:
                raise OSError("the container is not running")
            ran = self.node.runtime.run(slot.current, argv)
            code, out, err = await asyncio.wait_for(ran, timeout)
            return code, out + err

        return run

    # --- small things

    def _assign_address(self) -> str:
        if self.state.pod["spec"].get("hostNetwork"):
            return self.node.address
        before = (self.state.pod.get("status") or {}).get("podIP", "")
        return self.node.network.assign(self.state.uid, before)

    def _seconds_left(self) -> float | None:
        """Return what is left of activeDeadlineSeconds, or None if the Pod has none."""
        limit = self.state.pod["spec"].get("activeDeadlineSeconds")
        began = (self.state.pod.get("status") or {}).get("startTime")
        if limit is None or not began:
            return None
        return float(limit - (self.node.clock.now() - parse_time(began)).total_seconds())
