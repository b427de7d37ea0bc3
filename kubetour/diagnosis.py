"""What the cluster itself says about why a step failed: asked for afterwards, and added to the error."""

from __future__ import annotations

from contextlib import suppress

from kubetour import causes
from kubetour.checks import Object
from kubetour.errors import KubetourError
from kubetour.observe import Cluster

LOOKS = ("pods", "events", "nodes", "services")
PATIENCE = 2.0  # seconds
MOST_LOGS, LOG_LINES = 2, 5  # of Pods that crash: the others' say the same, and the last lines say why


def diagnose(error: KubetourError, cluster: Cluster) -> None:
    """Add to an error what stands in the way, and the evidence; nothing where the cluster does not answer."""
    objects: dict[str, tuple[Object, ...]] = {}
    for name in LOOKS:
        try:
            objects |= cluster.wait((name,), lambda seen: True, PATIENCE)
        except KubetourError as caught:
            if not causes.forbidden(caught):  # what this user may not see is left out
                return  # the error itself already says what does not work
    logs: dict[str, str] = {}
    for pod in causes.crashed(objects)[:MOST_LOGS]:
        with suppress(Exception):  # evidence that cannot be had is no error of its own
            logs[pod] = cluster.log(pod, LOG_LINES)
    error.causes = causes.diagnose(objects, logs)
    said = (f"{pod}: {line}" for pod, log in logs.items() for line in log.splitlines())
    error.evidence = "\n".join(filter(None, (error.evidence, *causes.warnings(objects), *said)))
