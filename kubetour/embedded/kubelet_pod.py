"""One Pod on a node, from its binding to its end: a loop that compares what is wanted with what runs.

k8s.io/kubernetes/pkg/kubelet/{pod_workers,kuberuntime/kuberuntime_manager}.go
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kubetour.embedded import pod_environment, pod_network, pod_status
from kubetour.embedded.api import API, Object, StatusError
from kubetour.embedded.backoff import Backoff
from kubetour.embedded.clock import Clock, rfc3339
from kubetour.embedded.container import Container, ContainerSpec
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.events import EventRecorder
from kubetour.embedded.imagestore import Image
from kubetour.embedded.kubelet_container import CONTAINER_NAME, POD_UID, RESTARTS, ContainerSlot
from kubetour.embedded.kubelet_images import ImageManager, ImageProblemError, NodeImages
from kubetour.embedded.kubelet_prober import Prober
from kubetour.embedded.paths import private_directory
from kubetour.embedded.pod_environment import ConfigError
from kubetour.embedded.pod_network import LISTEN, NoAddressError, PodNetwork
from kubetour.embedded.pod_status import PodView, is_sidecar
from kubetour.embedded.podutil import is_terminal, parse_time
from kubetour.embedded.probes import Exec, Resolve
from kubetour.embedded.runtime import Runtime, StartError

_log = logging.getLogger(__name__)
_FORCED_GRACE = 2.0  # seconds for a Pod that was deleted with no grace period at all
_CONFIG_RETRY = 10.0
_ERROR_RETRY = 1.0


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


class PodWorker:
    """Runs one Pod. `update` tells it what the API has; it ends by itself once the Pod is gone for good."""

    def __init__(self, node: NodeContext, pod: Object) -> None:
        self.node = node
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        spec = pod["spec"]
        self.init = {c["name"]: ContainerSlot(c) for c in spec.get("initContainers") or []}
        self.containers = {c["name"]: ContainerSlot(c) for c in spec["containers"]}
        if self.init:
            for slot in (*self.init.values(), *self.containers.values()):
                slot.waiting = ("PodInitializing", "")
        self.ip = ""
        self._removed = False
        self._wake = asyncio.Event()
        self._backoff = Backoff()
        self._images = ImageManager(node.images, node.clock.monotonic, node.cluster)
        self._prober = Prober(node.clock, self._resolver, self._exec, self._wake.set, self._probe_failed)
        self._stopping: tuple[float, asyncio.Task[None]] | None = None
        self._failed = ("", "")
        self._pulled: set[str] = set()

    # --- what others tell it

    def update(self, pod: Object | None) -> None:
        """Take the Pod as the API has it now, or None when it is there no more."""
        if pod is None:
            self._removed = True
        else:
            self.pod = pod
        self._wake.set()

    def container_ended(self, container: Container) -> None:
        """Take note of the end of one of its containers."""
        for slot in self.slots():
            if slot.current is container:
                slot.end_probes()
                slot.ended_at = self.node.clock.monotonic()
        self._wake.set()

    def slots(self) -> Iterator[ContainerSlot]:
        """Yield all containers, init containers first."""
        yield from self.init.values()
        yield from self.containers.values()

    def slot(self, name: str) -> ContainerSlot | None:
        """Return a container by name."""
        return self.init.get(name) or self.containers.get(name)

    def recover(self, attempts: list[Container]) -> None:
        """Take over the attempts, oldest first, that an earlier kubelet of this node made."""
        for container in attempts:
            slot = self.slot(container.labels[CONTAINER_NAME])
            obsolete = slot.take(container) if slot else container
            if obsolete:
                self.node.runtime.remove(obsolete)

    # --- the loop

    async def run(self) -> None:
        """Work until the Pod is gone."""
        try:
            while True:
                self._wake.clear()
                try:
                    if await self._sync_terminating() if self._is_terminating() else False:
                        return
                    delay = None if self._is_terminating() else await self._sync()
                except StatusError as error:
                    # 404: deleted meanwhile, which `update` will tell. 409: somebody wrote; look again.
                    if error.code not in (404, 409):
                        _log.warning("pod %s: %s", self._name(), error.message)
                    delay = _ERROR_RETRY
                except Exception:
                    _log.exception("pod %s: unexpected error", self._name())
                    delay = _ERROR_RETRY
                await self._sleep(delay)
        finally:
            self._end_probes()
            if self._stopping:
                self._stopping[1].cancel()

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

    def _is_terminating(self) -> bool:
        return self._removed or "deletionTimestamp" in self.pod["metadata"] or bool(self._failed[0])

    async def _sync(self) -> float | None:
        """Start what is to run; return after how many seconds to look again, None: when something happens."""
        if is_terminal(self.pod):
            self.node.network.release(self.uid)
            return None
        if not self.ip:
            self._write_status()  # the Pod is accepted here: ContainerCreating
            try:
                self.ip = self._assign_address()
            except NoAddressError as error:
                self.node.events.warning("pods", self.pod, "FailedCreatePodSandBox", str(error))
                return _CONFIG_RETRY
        left = self._deadline()
        if left is not None and left <= 0:
            self._failed = (
                "DeadlineExceeded",
                "Pod was active on the node longer than the specified deadline",
            )
            self._wake.set()
            return None
        delays = [left]
        for slot in self.init.values():
            delays.append(await self._ensure(slot))
            if not self._init_done(slot):
                break
        else:
            for slot in self.containers.values():
                delays.append(await self._ensure(slot))
        self._write_status()
        return min((delay for delay in delays if delay is not None), default=None)

    def _init_done(self, slot: ContainerSlot) -> bool:
        if is_sidecar(slot.spec):
            return slot.is_running and slot.started.is_set()
        return slot.has_ended and slot.current is not None and slot.current.exit_code == 0

    async def _ensure(self, slot: ContainerSlot) -> float | None:
        """Have a container run if it should; return when to look again."""
        if slot.is_running:
            if slot.unhealthy and not slot.killing:
                self._kill_unhealthy(slot)
            return None
        policy = self.pod["spec"].get("restartPolicy", "Always")
        if slot.has_ended:
            if slot.name in self.init and self._init_done(slot):
                return None
            # An init container has done its work with status 0, whatever the Pod's policy.
            if not slot.restarts_after(
                "OnFailure" if slot.name in self.init and policy == "Always" else policy
            ):
                return None
            left = self._backoff.left(slot.name, slot.ended_at, self.node.clock.monotonic())
            if left > 0:
                self._note_back_off(slot)
                return left
        try:
            await self._start(slot)
        except ImageProblemError as problem:
            slot.waiting = (problem.reason, problem.message)
            return problem.retry_after
        except ConfigError as error:
            slot.waiting = ("CreateContainerConfigError", str(error))
            self._record(slot, "Warning", "Failed", f"Error: {error}")
            return _CONFIG_RETRY
        except StartError as error:
            slot.ended_at = self.node.clock.monotonic()
            self._record(slot, "Warning", "Failed", f"Error: {error}")
            return 0.0
        except EmbeddedError as error:
            slot.waiting = ("CreateContainerError", str(error))
            self._record(slot, "Warning", "Failed", f"Error: {error}")
            return _CONFIG_RETRY
        return None

    async def _start(self, slot: ContainerSlot) -> None:
        image = self._images.ensure(slot.spec, lambda *event: self._record(slot, *event))
        spec = self._container_spec(slot, image)
        node = self.node
        # The files are copied in a thread; the process is made in this one, with which it is to die.
        container = await asyncio.to_thread(node.runtime.create, spec, image)
        if slot.has_ended:
            self._backoff.next(slot.name, node.clock.monotonic())
        obsolete = slot.take(container)
        if obsolete:
            node.runtime.remove(obsolete)
            Path(obsolete.log).unlink(missing_ok=True)
        self._record(slot, "Normal", "Created", "Container created")
        if self._is_terminating():
            return
        node.runtime.start(container)
        self._record(slot, "Normal", "Started", "Container started")
        self._prober.start(slot)

    def _container_spec(self, slot: ContainerSlot, image: Image) -> ContainerSpec:
        node, spec = self.node, slot.spec
        addresses = {
            "status.podIP": self.ip,
            "status.podIPs": self.ip,
            "status.hostIP": node.address,
            "status.hostIPs": node.address,
        }
        environment = pod_environment.environment(self.pod, spec, node.api, addresses)
        port = self._choose_ports(slot, image, environment)
        restarts = slot.restarts + 1 if slot.current else 0
        directory = private_directory(self.directory / slot.name)
        command, args = (
            [pod_environment.expand(word, environment) for word in spec[key]] if spec.get(key) else None
            for key in ("command", "args")
        )
        return ContainerSpec(
            name=f"k8s_{slot.name}_{self._name()}_{self.uid}_{restarts}",
            image=spec["image"],
            hostname=str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])[:63],
            host=self.ip,
            port=port,
            environment=environment,
            command=command,
            args=args,
            working_directory=spec.get("workingDir", ""),
            labels={POD_UID: self.uid, CONTAINER_NAME: slot.name, RESTARTS: str(restarts)},
            log=str(directory / f"{restarts}.log"),
        )

    def _choose_ports(self, slot: ContainerSlot, image: Image, environment: dict[str, str]) -> int:
        """Return the PORT that the container is told, 0 for none, and note where its ports listen."""
        ports = pod_network.container_ports(slot.spec)
        exposed = (image.config.get("config") or {}).get("ExposedPorts") or {}
        ports = ports or [int(port.partition("/")[0]) for port in exposed]
        slot.listens = {port: f"{self.ip}:{port}" for port in ports}
        if not ports or "PORT" in environment:
            return 0
        taken = {
            int(where.rpartition(":")[2])
            for other in self.slots()
            if other is not slot
            for where in other.listens.values()
        }
        chosen = self.node.network.listen(self.ip, ports[0], taken)
        slot.listens[ports[0]] = f"{self.ip}:{chosen}"
        return chosen

    # --- the end

    async def _sync_terminating(self) -> bool:
        """Stop the containers; once they have ended, let the Pod go. Return whether it is gone."""
        running = [slot for slot in self.slots() if slot.is_running]
        if running:
            self._stop_within(self._grace(), running)
            if not self._removed:
                self._write_status()
            return False
        self._write_final_status()
        if not (self._removed or "deletionTimestamp" in self.pod["metadata"]):
            self._failed = ("", "")  # it has failed for good, and stays until it is deleted
            self.node.network.release(self.uid)
            return False
        if not self._removed:
            metadata = self.pod["metadata"]
            try:
                self.node.api.delete(
                    "pods",
                    metadata["name"],
                    metadata["namespace"],
                    uid=self.uid,
                    grace_period_seconds=0,
                )
            except StatusError as error:
                if error.code not in (404, 409):
                    raise
            if "finalizers" in metadata and not self._removed:
                return False
        self.clean_up()
        return True

    def _grace(self) -> float:
        if self._removed:
            return _FORCED_GRACE
        default = self.pod["spec"].get("terminationGracePeriodSeconds", 30)
        return float(self.pod["metadata"].get("deletionGracePeriodSeconds", default))

    def _stop_within(self, grace: float, running: list[ContainerSlot]) -> None:
        """Stop containers, once; a shorter grace period than before takes over."""
        if self._stopping:
            before, task = self._stopping
            if grace >= before:
                return
            task.cancel()
        else:
            self._end_probes()
            for slot in running:
                self._record(slot, "Normal", "Killing", f"Stopping container {slot.name}")
        containers = [slot.current for slot in running if slot.current]

        async def stop() -> None:
            await asyncio.gather(*(self.node.runtime.stop(container, grace) for container in containers))

        self._stopping = (grace, asyncio.create_task(stop()))

    def clean_up(self) -> None:
        """Remove everything of the Pod from the node."""
        import shutil

        self.node.network.release(self.uid)
        for slot in self.slots():
            for container in (slot.current, slot.previous):
                if container:
                    self.node.runtime.remove(container)
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- status and events

    def _view(self, *, stopped: bool = False) -> PodView:
        reason, message = self._failed
        return PodView(
            init={slot.name: slot.view() for slot in self.init.values()},
            containers={slot.name: slot.view() for slot in self.containers.values()},
            host_ip=self.node.address,
            pod_ip=self.ip,
            stopped=stopped,
            reason=reason,
            message=message,
        )

    def _write_status(self, *, stopped: bool = False) -> None:
        now = rfc3339(self.node.clock.now())
        new = pod_status.status(self.pod, self._view(stopped=stopped), now)
        old = self.pod.get("status") or {}
        metadata = self.pod["metadata"]
        listens = {port: where for slot in self.slots() for port, where in slot.listens.items()}
        annotation = pod_network.listen_annotation(listens)
        told = (metadata.get("annotations") or {}).get(LISTEN)
        patch: dict[str, Any] = {"metadata": {"uid": self.uid}}
        if listens and annotation != told:
            patch["metadata"]["annotations"] = {LISTEN: annotation}
        if new != old or "annotations" in patch["metadata"]:
            patch["status"] = {**dict.fromkeys(old.keys() - new.keys()), **new}
            self.node.api.patch("pods", metadata["name"], patch, metadata["namespace"], subresource="status")

    def _write_final_status(self) -> None:
        # A Pod that was already over keeps what it says; one that is gone from the API has no status.
        if not self._removed and not is_terminal(self.pod) and self.ip:
            self._write_status(stopped=True)

    def _record(self, slot: ContainerSlot, kind: str, reason: str, message: str) -> None:
        where = "initContainers" if slot.name in self.init else "containers"
        record = self.node.events.normal if kind == "Normal" else self.node.events.warning
        record("pods", self.pod, reason, message, field_path=f"spec.{where}{{{slot.name}}}")

    def _note_back_off(self, slot: ContainerSlot) -> None:
        metadata = self.pod["metadata"]
        whole = f"{metadata['name']}_{metadata['namespace']}({self.uid})"
        delay = go_duration(self._backoff.delay(slot.name))
        message = f"back-off {delay} restarting failed container={slot.name} pod={whole}"
        if slot.waiting != ("CrashLoopBackOff", message):
            slot.waiting = ("CrashLoopBackOff", message)
            text = f"Back-off restarting failed container {slot.name} in pod {whole}"
            self._record(slot, "Warning", "BackOff", text)

    # --- probes

    def _probe_failed(self, slot: ContainerSlot, kind: str, message: str) -> None:
        self._record(slot, "Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {message}")

    def _kill_unhealthy(self, slot: ContainerSlot) -> None:
        slot.killing = True
        text = f"Container {slot.name} failed {slot.unhealthy} probe, will be restarted"
        self._record(slot, "Normal", "Killing", text)
        slot.end_probes()
        probe = slot.spec.get(f"{slot.unhealthy}Probe") or {}
        grace = probe.get("terminationGracePeriodSeconds") or self.pod["spec"].get(
            "terminationGracePeriodSeconds", 30
        )
        if slot.current:
            slot.probes.append(asyncio.create_task(self.node.runtime.stop(slot.current, float(grace))))

    def _resolver(self, slot: ContainerSlot) -> Resolve:
        def resolve(port: int | str) -> tuple[str, int]:
            number = pod_network.port_number(slot.spec, port)
            host, _, listens = slot.listens.get(number, f"{self.ip}:{number}").rpartition(":")
            return host, int(listens)

        return resolve

    def _exec(self, slot: ContainerSlot) -> Exec:
        async def run(argv: list[str], timeout: float) -> tuple[int, bytes]:
            if slot.current is None:
                raise OSError("the container is not running")
            return await self.node.runtime.run(slot.current, argv, timeout)

        return run

    def _end_probes(self) -> None:
        for slot in self.slots():
            slot.end_probes()

    # --- small things

    @property
    def directory(self) -> Path:
        """Return where the Pod's logs are, as under a kubelet's /var/log/pods."""
        return self.node.directory / "pods" / f"{self._name()}_{self.uid}"

    def _name(self) -> str:
        return f"{self.pod['metadata']['namespace']}_{self.pod['metadata']['name']}"

    def _assign_address(self) -> str:
        if self.pod["spec"].get("hostNetwork"):
            return self.node.address
        return self.node.network.assign(self.uid, (self.pod.get("status") or {}).get("podIP", ""))

    def _deadline(self) -> float | None:
        """Return the seconds left of activeDeadlineSeconds, or None if the Pod has none."""
        limit = self.pod["spec"].get("activeDeadlineSeconds")
        began = (self.pod.get("status") or {}).get("startTime")
        if limit is None or not began:
            return None
        since: datetime = parse_time(began)
        return float(limit - (self.node.clock.now() - since).total_seconds())


def go_duration(seconds: float) -> str:
    """Return whole seconds as Go prints a duration: "40s", "2m40s", "5m0s"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
