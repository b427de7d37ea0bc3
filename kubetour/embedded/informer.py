"""A local copy of what the API holds, kept by list and watch and shared by all controllers of the process.

Objects in it are shared: nobody may change one. Whoever wants another state copies, writes through
`Informers` and finds the result in the copy at once. That is why no controller here needs Kubernetes'
"expectations": it never acts on a state older than its own last write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from kubetour.embedded.api import API, Event, Object, ObjectList, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.indexer import Informer, Key, controller_of, key_of

__all__ = ["Informer", "Informers", "Key", "controller_of", "key_of"]
_log = logging.getLogger(__name__)
_RELIST_DELAY = 1.0


class Informers:
    """An `api.API` that keeps a copy of the resources it was asked to follow, and applies its writes to it.

    Made once per process, `Informers(api, clock)`; every controller gets it as its `api`. `run()` must run.
    """

    def __init__(self, api: API, clock: Clock) -> None:
        self.api = api
        self._clock = clock
        self._informers: dict[str, Informer] = {}
        self._unstarted: asyncio.Queue[Informer] = asyncio.Queue()

    def of(self, resource: str) -> Informer:
        """Return the informer of a resource, beginning to follow it if nobody did."""
        informer = self._informers.get(resource)
        if informer is None:
            informer = self._informers[resource] = Informer(resource)
            self._unstarted.put_nowait(informer)
        return informer

    async def synced(self, *informers: Informer) -> None:
        """Wait until those (by default all) have had their first list."""
        for informer in informers or tuple(self._informers.values()):
            await informer.synced.wait()

    async def run(self) -> None:
        """Follow the resources until cancelled; what a handler raises ends it, for all to see."""
        loop = asyncio.get_running_loop()
        asked: asyncio.Task[Informer] = loop.create_task(self._unstarted.get())
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                done, _ = await asyncio.wait({asked, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                for task in done & tasks:
                    task.result()
                if asked in done:
                    tasks.add(loop.create_task(self._follow(asked.result())))
                    asked = loop.create_task(self._unstarted.get())
        finally:
            for one in (asked, *tasks):
                one.cancel()
            await asyncio.gather(asked, *tasks, return_exceptions=True)

    async def _follow(self, informer: Informer) -> None:
        while True:
            try:
                found = self.api.list(informer.resource)
                informer.replace(found)
                informer.synced.set()
                async for event in self.api.watch(informer.resource, resource_version=found.resource_version):
                    if informer.is_known(event.revision):
                        continue
                    if event.type == "DELETED":
                        informer.removed(event.object)
                    elif event.type != "BOOKMARK":
                        informer.applied(event.object)
            except StatusError as error:
                # 410: the history was compacted away under us, so begin again with a list.
                if error.code != 410:
                    _log.warning("following %s failed: %s", informer.resource, error.message)
                    await self._clock.sleep(_RELIST_DELAY)
            else:
                # The watch ended by itself: the server is on its way out, or cut it off.
                await self._clock.sleep(_RELIST_DELAY)

    # --- api.API: reads pass through, writes land in the copy too

    def get(self, resource: str, name: str, namespace: str = "") -> Object:
        """Return one object from the API itself."""
        return self.api.get(resource, name, namespace)

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> ObjectList:
        """List objects from the API itself."""
        return self.api.list(resource, namespace, labels=labels, fields=fields)

    def watch(self, resource: str, namespace: str = "", *, resource_version: str) -> AsyncIterator[Event]:
        """Watch the API itself."""
        return self.api.watch(resource, namespace, resource_version=resource_version)

    def create(self, resource: str, obj: Object, namespace: str = "") -> Object:
        """Create an object; the one returned is shared with the copy."""
        return self._written(resource, self.api.create(resource, obj, namespace))

    def update(self, resource: str, obj: Object, *, subresource: str = "") -> Object:
        """Replace an object; the one returned is shared with the copy."""
        return self._written(resource, self.api.update(resource, obj, subresource=subresource))

    def patch(
        self, resource: str, name: str, patch: Object, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """Merge a patch into an object; the one returned is shared with the copy."""
        return self._written(
            resource, self.api.patch(resource, name, patch, namespace, subresource=subresource)
        )

    def bind(self, namespace: str, pod: str, node: str) -> Object:
        """Assign a Pod to a node; the Pod returned is shared with the copy."""
        return self._written("pods", self.api.bind(namespace, pod, node))

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
        """Delete an object; the one returned is shared with the copy."""
        left = self.api.delete(
            resource,
            name,
            namespace,
            uid=uid,
            grace_period_seconds=grace_period_seconds,
            propagation_policy=propagation_policy,
        )
        return self._written(resource, left, deleted=True)

    def _written(self, resource: str, obj: Object, *, deleted: bool = False) -> Object:
        informer = self._informers.get(resource)
        if informer is None or not informer.synced.is_set():
            return obj
        # The answer to the last write that a deletion waited for looks like any other, so ask.
        if (deleted or "deletionTimestamp" in obj["metadata"]) and not self._exists(resource, obj):
            informer.removed_early(obj)
        else:
            informer.written(obj)
        return obj

    def _exists(self, resource: str, obj: Object) -> bool:
        try:
            found = self.api.get(resource, obj["metadata"]["name"], obj["metadata"].get("namespace", ""))
        except StatusError as error:
            if error.code != 404:
                raise
            return False
        return bool(found["metadata"]["uid"] == obj["metadata"]["uid"])
