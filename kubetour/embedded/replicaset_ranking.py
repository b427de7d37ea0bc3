"""Which Pod goes first when there are too many: the order of ActivePodsWithRanks in controller_utils.go."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.podutil import parse_time, ready_since

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def first_to_go(pods: Sequence[Object], related: Sequence[Object], now: datetime) -> list[Object]:
    """Return the Pods in the order of deletion: unassigned, not running, not ready, of low deletion cost, on
    a node with many related Pods, ready or created more recently, restarted more often."""
    crowd = Counter(pod["spec"].get("nodeName") for pod in related)
    return sorted(pods, key=lambda pod: _rank(pod, crowd, now))


def _rank(pod: Object, crowd: Counter[Any], now: datetime) -> tuple[Any, ...]:
    node = pod["spec"].get("nodeName")
    ready = ready_since(pod)
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    restarts = max((item.get("restartCount", 0) for item in statuses), default=0)
    return (
        bool(node),
        _PHASES.get((pod.get("status") or {}).get("phase", ""), 1),
        ready is not None,
        _deletion_cost(pod),
        -crowd[node],
        _age_class(ready, now) if ready else 0,
        -restarts,
        _age_class(parse_time(pod["metadata"]["creationTimestamp"]), now),
        pod["metadata"]["uid"],
    )


def _deletion_cost(pod: Object) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(_DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _age_class(moment: datetime, now: datetime) -> int:
    """Ages count by their logarithm, so that not always the very youngest Pod has to go."""
    seconds = (now - moment).total_seconds()
    return math.floor(math.log2(seconds * 1e9)) if seconds > 0 else -1
