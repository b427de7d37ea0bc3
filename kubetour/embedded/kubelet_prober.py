"""Probing one container as long as it runs: when each probe is due, and what its results change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.kubelet_container import ContainerSlot
from kubetour.embedded.listening import Listeners
from kubetour.embedded.probes import Exec, ProbeCount, Resolve, Result, probe_once

_log = logging.getLogger(__name__)
KINDS = ("startup", "readiness", "liveness")
_LISTENERS = Listeners()
_LOOK = 0.01  # seconds between two looks whether the port is open yet


class Prober:
    """Starts the probes of a container. `changed` is called when one of them changed the slot, `unhealthy`
    with the kind of probe and the message of every failure."""

    def __init__(
        self,
        clock: Clock,
        resolve: Callable[[ContainerSlot], Resolve],
        run: Callable[[ContainerSlot], Exec],
        changed: Callable[[], None],
        unhealthy: Callable[[ContainerSlot, str, str], None],
    ) -> None:
        self._clock, self._resolve, self._run = clock, resolve, run
        self._changed, self._unhealthy = changed, unhealthy

    def start(self, slot: ContainerSlot) -> None:
        """Begin to probe a container that was just started; what is not probed counts as well."""
        slot.end_probes()
        slot.is_probed = True
        if not slot.spec.get("startupProbe"):
            slot.started.set()
        slot.ready = not slot.spec.get("readinessProbe")
        for kind in KINDS:
            probe = slot.spec.get(f"{kind}Probe")
            if probe:
                slot.probes.append(asyncio.create_task(self._loop(slot, kind, probe)))

    async def _loop(self, slot: ContainerSlot, kind: str, probe: Object) -> None:
        container, period = slot.current, float(probe.get("periodSeconds", 10))
        count = ProbeCount(probe, initial=kind == "liveness")
        if kind != "startup":
            await slot.started.wait()
        await self._clock.sleep(float(probe.get("initialDelaySeconds", 0)))
        await self._until_listening(slot, probe, period)
        while True:
            try:
                result = await probe_once(probe, self._resolve(slot), self._run(slot))
                # Before Python 3.12 `wait_for` loses a cancellation that comes together with the result.
                if slot.current is not container or not slot.is_running:
                    return
                if self._took(slot, kind, count, result):
                    return
            except Exception:  # it says nothing of the container, as with kubelet; the next one may
                _log.exception("the %s probe of the container %s could not be made", kind, slot.name)
            await self._clock.sleep(period)

    def _took(self, slot: ContainerSlot, kind: str, count: ProbeCount, result: Result) -> bool:
        """Apply a result; return whether this probe is done."""
        if not result.ok:
            self._unhealthy(slot, kind, result.message)
        if not count.add(result.ok):
            return False
        if kind == "readiness":
            if slot.ready != count.state:
                slot.ready = count.state
                self._changed()
            return False
        if count.state:
            if kind == "startup":
                slot.started.set()
                self._changed()
            return kind == "startup"
        slot.unhealthy = kind
        self._changed()
        return True

    async def _until_listening(self, slot: ContainerSlot, probe: Object, period: float) -> None:
        """Wait for the port to open, a period at most.

        Kubernetes' first probe comes at some moment within the first period. This is the one that neither
        fails for nothing nor waits for nothing.
        """
        action = probe.get("httpGet") or probe.get("tcpSocket")
        if not action:
            return
        host, port = self._resolve(slot)(action["port"])
        waited = 0.0
        while waited < period and _LISTENERS.has(host, port) is False:
            await self._clock.sleep(_LOOK)
            waited += _LOOK
