"""A container's lifecycle hooks in their places: postStart after its start, preStop before its stop signal.

k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go: startContainer, killContainer
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from kubetour.embedded.api import Object
from kubetour.embedded.container import Container
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.kubelet_status import PodReporter
from kubetour.embedded.lifecycle import HookError, run_hook

_LEAST_GRACE = 2.0  # seconds that a container has after its stop signal, however long its hook took


class Hooks:
    """Runs the hooks of one Pod's containers, and kills containers as their hooks want it."""

    def __init__(self, node: NodeContext, state: PodState, reporter: PodReporter) -> None:
        self._node, self._state, self._reporter = node, state, reporter

    async def post_start(self, slot: ContainerSlot, changed: asyncio.Event) -> str:
        """Run what is to follow a container's start; return why it failed, or "".

        It is given up when the Pod is to end, at a change that `changed` tells of.
        """
        hook, container = _hook(slot, "postStart"), slot.current
        if not hook or not container:
            return ""
        running = asyncio.ensure_future(self._run(slot, container, hook))
        try:
            while not running.done() and not self._state.ending:
                changed.clear()
                news = asyncio.ensure_future(changed.wait())
                await asyncio.wait({running, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
            if not running.done():
                return ""
            await running
        except HookError as error:
            self._reporter.warning(slot, "FailedPostStartHook", "PostStartHook failed")
            return str(error)
        finally:
            changed.set()  # it may have told of something else, which is still to be looked at
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return ""

    async def kill(
        self, slot: ContainerSlot, grace: float, before: Sequence[asyncio.Task[None]] = ()
    ) -> None:
        """End a container: preStop first, then its stop signal, SIGKILL after what is left of the grace.

        The signal waits for the containers that are to have ended `before`, as long as there is grace.
        """
        hook, container = _hook(slot, "preStop"), slot.current
        if not container:
            return
        if not hook or grace <= 0 or not slot.is_running:
            waited = await self._turn(before, grace)
            await self._node.runtime.stop(container, grace_left(grace, waited))
            return
        clock = self._node.clock
        began = clock.monotonic()
        running = asyncio.ensure_future(self._pre_stop(slot, container, hook))
        timer = asyncio.ensure_future(clock.sleep(grace))
        try:
            await asyncio.wait({running, timer}, return_when=asyncio.FIRST_COMPLETED)
            took = clock.monotonic() - began
            took += await self._turn(before, grace - took)
            await self._node.runtime.stop(container, grace_left(grace, took))
            if "exec" in hook:
                await running  # it ends with its container
        finally:
            for task in (running, timer):
                task.cancel()
            await asyncio.gather(running, timer, return_exceptions=True)

    async def _turn(self, before: Sequence[asyncio.Task[None]], grace: float) -> float:
        """Wait until others have ended, as long as there is grace; return for how long that was."""
        if not before:
            return 0.0
        clock = self._node.clock
        began = clock.monotonic()
        others = asyncio.ensure_future(asyncio.wait(before))
        timer = asyncio.ensure_future(clock.sleep(max(grace, 0)))
        try:
            await asyncio.wait({others, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            others.cancel()
            timer.cancel()
        return clock.monotonic() - began

    async def _pre_stop(self, slot: ContainerSlot, container: Container, hook: Object) -> None:
        try:
            await self._run(slot, container, hook)
        except HookError:
            self._reporter.warning(slot, "FailedPreStopHook", "PreStopHook failed")

    async def _run(self, slot: ContainerSlot, container: Container, hook: Object) -> None:
        metadata = self._state.pod["metadata"]
        pod = f"{metadata['name']}_{metadata['namespace']}({self._state.uid})"
        run = partial(self._node.runtime.run, container)
        await run_hook(hook, slot.name, pod, self._state.resolver(slot), run, self._node.clock)


def grace_left(grace: float, took: float) -> float:
    """Return for how many seconds a container may go on after its stop signal; its hook took `took`."""
    return max(grace - int(took), _LEAST_GRACE)


def _hook(slot: ContainerSlot, name: str) -> Object | None:
    hook: Object | None = (slot.spec.get("lifecycle") or {}).get(name)
    return hook
