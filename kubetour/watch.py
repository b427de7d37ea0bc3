"""`inv watch`: the workload live. On a terminal a picture that is drawn anew, on a pipe a line per change.

It only looks, and asks the Service for answers: so it takes no lock, and runs beside a tour.
Ctrl-C is how one ends it, with exit status 0.
"""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubetour.causes import forbidden
from kubetour.errors import ClusterError, UsageError
from kubetour.interrupts import last_signal
from kubetour.observe import Cluster, Objects
from kubetour.rules import whole
from kubetour.session import Session, open_session
from kubetour.settled import settled
from kubetour.terminal import console as consoles
from kubetour.terminal.live import Traffic
from kubetour.terminal.scene import LOOKS, Scene, scene
from kubetour.terminal.screen import Lines, Screen
from kubetour.text import Text, tell
from kubetour.traffic import Requests

if TYPE_CHECKING:
    from invoke.context import Context

FASTEST = 50  # requests a second
FIRST = 10.0  # seconds for the first look: a cluster that is there answers at once
FRAME = 0.1  # seconds between two pictures, at least
TURN = 0.2  # seconds after which requests are counted anew, if nothing else happens


def watch(c: Context, flags: Mapping[str, Any], requests_per_second: str) -> None:
    """Show the workload until Ctrl-C; ClusterError if the cluster does not answer (any more)."""
    with settled(c, flags) as (host, resolved, state):
        rate = _rate(requests_per_second)
        language = resolved.settings.language
        out = consoles.make()
        try:
            session = open_session(
                c, resolved, state, lambda text: out.print(tell(language, text), soft_wrap=True), host
            )
            context = session.prepare(c) if rate else c
            provider = session.provider
            with Cluster(host.kubeconfig(provider), provider.context, provider.namespace) as cluster:
                _first_look(cluster, min(FIRST, session.settings.timeout))
                with Requests(context, state, provider, rate) as requests:
                    _follow(cluster, session, requests)
        except KeyboardInterrupt:
            if last_signal() != signal.SIGINT:
                raise


def _first_look(cluster: Cluster, timeout: float) -> None:
    """Wait until all has been read once; who may not list nodes sees those that Pods are on."""
    cluster.wait(set(LOOKS) - {"nodes"}, lambda seen: True, timeout)
    try:
        cluster.wait(("nodes",), lambda seen: True, timeout)
    except ClusterError as error:
        if not forbidden(error):
            raise


def _rate(text: str) -> int:
    rule = whole(0, FASTEST)
    try:
        return int(rule.apply(text))
    except ValueError:
        raise UsageError(
            "setting-invalid", name="--requests-per-second", value=text, rule=rule.text
        ) from None


def _follow(cluster: Cluster, session: Session, requests: Requests) -> None:
    """Show every change until a signal; ClusterError once there was no answer for as long as `--timeout`."""
    name, changes = session.settings.name, queue.SimpleQueue[Objects]()
    seen, lost = Scene(name), Loss(session.provider.context, session.settings.timeout)
    with _shown(session) as shown, cluster.telling(LOOKS, changes.put):
        while True:
            for objects in told(changes, shown.is_slow):
                seen = scene(objects, name)
                shown.show(seen, _traffic(requests, seen), lost.reason)
            lost.look(cluster.trouble(), time.monotonic())
            if shown.show(seen, _traffic(requests, seen), lost.reason) and shown.is_slow:
                time.sleep(FRAME)


def told(changes: queue.SimpleQueue[Objects], only_last: bool) -> list[Objects]:
    """Return what has been told meanwhile, after a turn at the latest; of a burst perhaps only the last."""
    found: list[Objects] = []
    with suppress(queue.Empty):
        found.append(changes.get(timeout=TURN))
        while True:
            found.append(changes.get_nowait())
    return found[-1:] if only_last else found


def _shown(session: Session) -> Screen | Lines:
    language, provider = session.settings.language, session.provider
    out = consoles.make(is_wide=True)
    if not out.is_terminal:
        return Lines(out, language, time.monotonic)
    title = Text("live.title", {"context": provider.context, "namespace": provider.namespace})
    return Screen(out, language, title)


def _traffic(requests: Requests, seen: Scene) -> Traffic | None:
    if not requests.rate:
        return None
    by = requests.by(pod.name for pod in seen.pods)
    return Traffic(requests.rate, requests.answered, requests.failed, by, requests.is_on)


@dataclass
class Loss:
    """How long the API server has not answered."""

    context: str
    longest: float  # seconds
    reason: str = ""
    since: float = 0.0

    def look(self, reason: str, now: float) -> None:
        """Take why there is no answer now, or that there is one; ClusterError if it has been too long."""
        if reason and not self.reason:
            self.since = now
        self.reason = reason
        if reason and now - self.since > self.longest:
            raise ClusterError("cluster-unreachable", context=self.context, reason=reason)
