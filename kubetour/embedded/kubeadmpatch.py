"""What of a kind config's kubeadmConfigPatches has a meaning here: two flags of Kubernetes' own components.

How long a silent node counts as ready, and how long an Event lives.
https://kind.sigs.k8s.io/docs/user/configuration/#kubeadm-config-patches
"""

from __future__ import annotations

from typing import Any

from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.units import parse_duration

NODE_MONITOR_GRACE, EVENT_TTL = "node-monitor-grace-period", "event-ttl"
_COMPONENTS = {"controllerManager": NODE_MONITOR_GRACE, "apiServer": EVENT_TTL}
SHORTEST = 1.0  # seconds; below, a busy machine would take its nodes for dead


def durations(patches: Any) -> tuple[dict[str, float], bool]:
    """Return the seconds of each flag that patches set, and whether that is all they do.

    EmbeddedError for one that is no duration, or too short.
    """
    import yaml

    found: dict[str, float] = {}
    all_used = True
    for patch in patches if isinstance(patches, list) else []:
        try:
            document = yaml.safe_load(patch)
        except (yaml.YAMLError, AttributeError) as error:
            raise EmbeddedError(f"kubeadmConfigPatches: {error}") from error
        flags, only = _flags(document)
        all_used = all_used and only
        for flag, value in flags.items():
            found[flag] = parse_duration(value)
            if found[flag] < SHORTEST:
                raise EmbeddedError(f"{flag}: {value} is too short; give {SHORTEST:g}s or more")
    return found, all_used


def _flags(document: Any) -> tuple[dict[str, str], bool]:
    """Return the flags' values in a ClusterConfiguration, and whether there is nothing else in it."""
    if not isinstance(document, dict) or document.get("kind") != "ClusterConfiguration":
        return {}, False
    found: dict[str, str] = {}
    only = not document.keys() - {"apiVersion", "kind", *_COMPONENTS}
    for component, flag in _COMPONENTS.items():
        part = document.get(component)
        given = _arguments(part)
        only = only and (part is None or (isinstance(part, dict) and set(part) <= {"extraArgs"}))
        only = only and set(given) <= {flag}
        if flag in given:
            found[flag] = given[flag]
    return found, only and bool(found)


def _arguments(component: Any) -> dict[str, str]:
    arguments = component.get("extraArgs") if isinstance(component, dict) else None
    # A mapping up to kubeadm's v1beta3, a list of names and values from v1beta4 on.
    pairs = arguments.items() if isinstance(arguments, dict) else _named(arguments)
    return {str(name): str(value) for name, value in pairs}


def _named(arguments: Any) -> list[tuple[Any, Any]]:
    items = arguments if isinstance(arguments, list) else []
    return [(item.get("name"), item.get("value")) for item in items if isinstance(item, dict)]
