"""What differs between two scenes, a line for each change: the live picture for a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubetour.terminal.scene import Pod, Scene
from kubetour.text import say

NOTHING = Scene("")


def changes(before: Scene, after: Scene, language: str) -> Iterator[str]:
    """Yield a line for each object that came, changed or went: what it is, and how it is now."""
    was, now = _state(before, language), _state(after, language)
    for thing, state in now.items():
        if was.get(thing) != state:
            yield f"{thing}  {state}".rstrip()
    for thing in was:
        if thing not in now:
            yield f"{thing}  {say(language, 'live.gone')}"


def _state(scene: Scene, language: str) -> Mapping[str, str]:
    """Return each object as kubectl writes its name, and what it is like."""
    found = {f"node/{node.name}": node.trouble or "Ready" for node in scene.nodes}
    if scene.deployment:
        declared, ready = scene.deployment
        told = say(language, "live.replicas", declared=declared, ready=ready)
        found[f"deployment.apps/{scene.name}"] = told
    if scene.service:
        found[f"service/{scene.name}"] = scene.service
    found |= {f"pod/{pod.name}": _told(pod) for pod in scene.pods}
    for pod in scene.pods:
        if pod.endpoint is not None:
            found[f"endpoint/{pod.name}"] = say(
                language, "live.endpoint-ready" if pod.endpoint else "live.endpoint-unready"
            )
    return found


def _told(pod: Pod) -> str:
    parts = (pod.ready, pod.status, f"↻{pod.restarts}" if pod.restarts else "", pod.node)
    return "  ".join(part for part in parts if part)
