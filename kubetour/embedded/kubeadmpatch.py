"""What of a kind config's kubeadmConfigPatches has a meaning here: how long a silent node counts as ready.

https://kind.sigs.k8s.io/docs/user/configuration/#kubeadm-config-patches
"""

from __future__ import annotations

from typing import Any

from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.units import parse_duration

_FLAG = "node-monitor-grace-period"
SHORTEST = 1.0  # seconds; below, a busy machine would take its nodes for dead


def node_monitor_grace(patches: Any) -> tuple[float | None, bool]:
    """Return the controller manager's grace period in seconds, if patches set it, and whether that is all
    they do.

    EmbeddedError for one that is no duration, or too short.
    """
    import yaml

    grace, all_used = None, True
    for patch in patches if isinstance(patches, list) else []:
        try:
            document = yaml.safe_load(patch)
        except (yaml.YAMLError, AttributeError) as error:
            raise EmbeddedError(f"kubeadmConfigPatches: {error}") from error
        value, only = _flag(document)
        all_used = all_used and only
        if value is None:
            continue
        grace = parse_duration(value)
        if grace < SHORTEST:
            raise EmbeddedError(f"{_FLAG}: {value} is too short; give {SHORTEST:g}s or more")
    return grace, all_used


def _flag(document: Any) -> tuple[str | None, bool]:
    """Return the flag's value in a ClusterConfiguration, and whether there is nothing else in it."""
    match document:
        case {
            "kind": "ClusterConfiguration",
            "controllerManager": {"extraArgs": arguments, **others},
            **rest,
        }:
            # A mapping up to kubeadm's v1beta3, a list of names and values from v1beta4 on.
            pairs = arguments.items() if isinstance(arguments, dict) else _named(arguments)
            found = {str(name): str(value) for name, value in pairs}
            only = not others and not rest.keys() - {"apiVersion"} and set(found) <= {_FLAG}
            return found.get(_FLAG), only
    return None, False


def _named(arguments: Any) -> list[tuple[Any, Any]]:
    items = arguments if isinstance(arguments, list) else []
    return [(item.get("name"), item.get("value")) for item in items if isinstance(item, dict)]
