"""What keeps a Deployment from peace: scaling, updates, Pods that are deleted, containers that are killed.

In a random order, of a seed. At least one ready Pod is always spared, as no cluster could answer without.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.embedded import DEPLOYMENTS, PODS, Client
from kubetour.embedded import container as containers
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.kubelet_container import POD_UID
from kubetour.embedded.podutil import is_ready
from kubetour.embedded.process import ProcessIdentity

NAME = "app"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
FEWEST, MOST = 2, 6  # replicas
SETTLED_WITHIN = 120.0  # seconds
_MERGE = "application/merge-patch+json"
_TICK = 0.005


class StuckError(Exception):
    """The Deployment did not become what it was to be."""


class Unrest:
    """Does one thing after another to the Deployment; `cuts` are the moments at which containers died."""

    def __init__(self, connect: Callable[[], Client], directory: Path, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.cuts: list[tuple[float, float]] = []  # from before the signal until the process is gone
        self.journal: list[tuple[float, str]] = []  # when what was done
        self._connect, self._directory = connect, directory
        self._random = Random(seed)  # noqa: S311

    def go_on(self) -> str:
        """Do one thing, wait until the Deployment is as wanted, and return its name. StuckError."""
        actions = (self._scale, self._scale, self._update, self._delete, self._kill, self._look)
        action = self._random.choice(actions)
        client = self._connect()
        try:
            action(client)
            if action == self._scale and self._random.random() < 0.3:
                self._update(client)  # while Pods come or go
            settle(self._connect)
        finally:
            client.close()
        name = action.__name__.strip("_")
        self.done[name] += 1
        return name

    def _scale(self, client: Client) -> None:
        replicas = self._random.randint(FEWEST, MOST)
        self._note(f"scale to {replicas}")
        client.json("PATCH", f"{DEPLOYMENTS}/{NAME}/scale", {"spec": {"replicas": replicas}}, _MERGE)

    def _update(self, client: Client) -> None:
        self._note("update")
        annotations = {"round": str(self._random.random())}
        body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
        client.json("PATCH", f"{DEPLOYMENTS}/{NAME}", body, _MERGE)

    def _delete(self, client: Client) -> None:
        pods = ready_pods(client)
        for pod in self._random.sample(pods, self._random.randint(1, len(pods) - 1)):
            self._note(f"delete {pod['metadata']['name']}")
            client.json("DELETE", f"{PODS}/{pod['metadata']['name']}")

    def _kill(self, client: Client) -> None:
        """Kill a container that never was: one that was waits ever longer to be started again."""
        # One that is ready, but no endpoint yet, could not take over: nobody would be led to it.
        served = endpoints(client)
        pods = [pod for pod in ready_pods(client) if not _restarts(pod) and pod["metadata"]["name"] in served]
        if len(pods) < FEWEST:
            self._delete(client)
            return
        pod = self._random.choice(pods)["metadata"]
        process = process_of_pod(self._directory, pod["uid"])
        self._note(f"kill {pod['name']}")
        began = time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        # Until it has been waited for: as long as one of its threads ends, its socket takes connections.
        while Path("/proc", str(process.pid)).exists():
            time.sleep(_TICK)
        self.cuts.append((began, time.monotonic()))
        self._until_restarted(client, pod["name"])

    def _note(self, what: str) -> None:
        self.journal.append((time.monotonic(), what))

    def before(self, moment: float) -> str:
        """Return what was done in the five seconds before a moment."""
        return ", ".join(
            f"{moment - at:.3f} s after {what}" for at, what in self.journal if 0 < moment - at < 5
        )

    def _until_restarted(self, client: Client, name: str) -> None:
        deadline = time.monotonic() + SETTLED_WITHIN
        while time.monotonic() < deadline:  # until the kubelet has told of it, the Pod still counts as ready
            pod = client.json("GET", f"{PODS}/{name}")
            if _restarts(pod) and is_ready(pod):
                return
            time.sleep(_TICK)
        raise StuckError(f"the Pod {name}, whose process was killed, is not ready again: {pod['status']}")

    def _look(self, client: Client) -> None:
        pod = self._random.choice(ready_pods(client))["metadata"]["name"]
        client.send("GET", f"{PODS}/{pod}/log?tailLines=20")
        client.send("GET", "/api/v1/namespaces/default/events?limit=500")  # as kubectl does


def _restarts(pod: dict[str, Any]) -> int:
    return sum(int(status["restartCount"]) for status in pod["status"].get("containerStatuses", ()))


def ready_pods(client: Client) -> list[dict[str, Any]]:
    """Return the Deployment's Pods that are ready and not on their way out."""
    pods = client.json("GET", f"{PODS}?labelSelector=app%3D{NAME}")["items"]
    return [pod for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]


def endpoints(client: Client) -> set[str]:
    """Return the names of the Pods that the Service's slices call ready."""
    found = client.json("GET", f"{SLICES}?labelSelector=kubernetes.io/service-name%3D{NAME}")["items"]
    ready = (each for item in found for each in item["endpoints"] or () if each["conditions"]["ready"])
    return {each["targetRef"]["name"] for each in ready}


def process_of_pod(directory: Path, uid: str) -> ProcessIdentity:
    """Return the process of a Pod's running container."""
    for path in directory.glob("nodes/*/containers/*/state.json"):
        try:
            found = containers.load(path.parent)
        except EmbeddedError:  # it was removed meanwhile
            continue
        if found.labels.get(POD_UID) == uid and found.state == containers.RUNNING and found.process:
            return found.process
    raise StuckError(f"the ready Pod {uid} has no process")


def _evidence(client: Client) -> str:
    """Return the Pods that are not ready, each with its status and Events, a line each."""
    ready = {pod["metadata"]["name"] for pod in ready_pods(client)}
    events = client.json("GET", "/api/v1/namespaces/default/events")["items"]
    told = []
    for pod in client.json("GET", PODS)["items"]:
        name = pod["metadata"]["name"]
        if name not in ready:
            node, gone = pod["spec"].get("nodeName"), pod["metadata"].get("deletionTimestamp")
            told.append(f"{name} on {node}, deleted {gone}: {json.dumps(pod['status'])}")
            mine = [event for event in events if event["involvedObject"].get("name") == name]
            told += [
                f"  {each.get('lastTimestamp')} {each.get('reason')}: {each.get('message')}" for each in mine
            ]
    return "\n".join(told) or "Every Pod is ready."


def is_settled(deployment: dict[str, Any]) -> bool:
    """Return whether a Deployment is all that its spec says, and nothing else."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and counts == (
        [wanted] * 3
    )


def settle(connect: Callable[[], Client]) -> None:
    """Wait, with a watch of its own, until the Deployment is settled and its Pods are ready. StuckError."""
    deadline = time.monotonic() + SETTLED_WITHIN
    client, watcher = connect(), connect()
    try:
        while time.monotonic() < deadline:
            found = client.json("GET", f"{DEPLOYMENTS}/{NAME}")
            if is_settled(found) and len(ready_pods(client)) == found["spec"]["replicas"]:
                return
            version = found["metadata"]["resourceVersion"]
            query = f"watch=1&fieldSelector=metadata.name%3D{NAME}&resourceVersion={version}&timeoutSeconds=1"
            for event in watcher.lines(f"{DEPLOYMENTS}?{query}"):
                if event["type"] == "ERROR" or is_settled(event["object"]):
                    break
            watcher.close()
        wanted, status = found["spec"]["replicas"], found["status"]
        raise StuckError(f"after {SETTLED_WITHIN:g} s: {wanted} wanted, {status}\n{_evidence(client)}")
    finally:
        client.close()
        watcher.close()
