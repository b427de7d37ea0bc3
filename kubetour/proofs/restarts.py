"""Checks of a container whose process was killed: it starts again, in the same Pod, after longer pauses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from kubetour.checks import Object, Observation, Proof
from kubetour.proofs.changes import before, first, milliseconds, name, since, uid
from kubetour.proofs.common import fails, holds, refutes

ENDED = ("Failed", "Succeeded")  # phases in which nothing of a Pod is started any more
# As kubelet words it: "back-off 1m20s restarting failed container=web pod=web_default(uid)".
_BACK_OFF = re.compile(r"back-off (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)? restarting")


@dataclass(frozen=True)
class Restarted:
    """The Pod's container was started again, and the Pod is the same: its uid, its address."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the restarts before and after, and the seconds until it ran again."""
        found = _two(seen, self.name)
        if isinstance(found, Proof):
            return found
        was, pod = found
        old, new = _container(was), _container(pod)
        changes = [change for change in since(seen, "pods") if uid(change.object) == uid(pod)]
        again = first(
            changes, lambda change: _restarts(change.object) > old["restartCount"] and _runs(change)
        )
        data = {"before": old["restartCount"], "after": new["restartCount"], "seconds": again}
        ended = new.get("lastState", {}).get("terminated") or {}
        address = pod["status"].get("podIP", "–")
        if again is None or "running" not in new.get("state", {}):
            return fails("restarting", data, name=self.name, restarts=new["restartCount"])
        if address != was["status"].get("podIP"):
            return refutes("restarted-elsewhere", data, name=self.name, address=address)
        return holds(
            "restarted",
            data,
            name=self.name,
            before=old["restartCount"],
            after=new["restartCount"],
            code=ended.get("exitCode", "?"),
            time=milliseconds(again),
            address=address,
        )


@dataclass(frozen=True)
class LongerPause:
    """The kubelet waits before it starts the container again, longer than the last time; then it does.

    It is not waited for where `started` is false.
    """

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    started: bool = True

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the pause announced and the one before, in seconds."""
        found = _two(seen, self.name)
        if isinstance(found, Proof):
            return found
        was, pod = found
        last = pause_before(_container(was))
        changes = [change.object for change in since(seen, "pods") if uid(change.object) == uid(pod)]
        pauses = [pause for item in changes if (pause := announced(_container(item))) is not None]
        restarted = _restarts(pod) > _restarts(was)
        data = {"before": last, "pause": max(pauses, default=None), "restarts": _restarts(pod)}
        if not pauses:
            if restarted:
                return refutes("no-pause", data, name=self.name)
            return fails("pause-waiting", data, name=self.name)
        if max(pauses) <= last:
            return refutes("pause-not-longer", data, name=self.name, pause=max(pauses), last=last)
        if self.started and not (restarted and "running" in _container(pod).get("state", {})):
            return fails("pausing", data, name=self.name, pause=max(pauses))
        return holds("longer-pause", data, name=self.name, pause=max(pauses), last=last)


def announced(status: dict[str, Any]) -> int | None:
    """Return for how many seconds the kubelet says that it waits, or None if it does not wait."""
    waiting = status.get("state", {}).get("waiting") or {}
    found = _BACK_OFF.search(waiting.get("message") or "")
    if waiting.get("reason") != "CrashLoopBackOff" or not found:
        return None
    hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def pause_before(status: dict[str, Any]) -> int:
    """Return the seconds between the end of a container and its last start; 0 if there was no end."""
    running = status.get("state", {}).get("running") or {}
    ended = status.get("lastState", {}).get("terminated") or {}
    if not running.get("startedAt") or not ended.get("finishedAt"):
        return 0
    start, end = (
        datetime.fromisoformat(text.replace("Z", "+00:00"))
        for text in (running["startedAt"], ended["finishedAt"])
    )
    return max(int((start - end).total_seconds()), 0)


def _two(seen: Observation, pod: str) -> tuple[Object, Object] | Proof:
    """Return the Pod before and now, or the verdict where it is not there, not the same, or has ended."""
    was = next((item for item in before(seen, "pods").values() if name(item) == pod), None)
    now = seen.named("pods", pod)
    if was is None or now is None or not _container(was) or not _container(now):
        return fails("pod-waiting", name=pod, phase=now["status"].get("phase", "?") if now else "–")
    if uid(was) != uid(now):
        return refutes("another-pod", name=pod)
    if now["status"].get("phase") in ENDED:
        policy = now["spec"].get("restartPolicy", "Always")
        return refutes("not-restarted", name=pod, phase=now["status"]["phase"], policy=policy)
    return was, now


def _container(pod: Object) -> dict[str, Any]:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return dict(statuses[0]) if statuses else {}


def _restarts(pod: Object) -> int:
    return int(_container(pod).get("restartCount", 0))


def _runs(change: Any) -> bool:
    return "running" in _container(change.object).get("state", {})
