"""What all the clients create."""

from __future__ import annotations

from typing import Any


def deployment(image: str) -> dict[str, Any]:
    """Return the Deployment `shop`."""
    # Who answers has said before that it listens, so that the log is there; it is asked until then alone.
    probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 1}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}], "startupProbe": probe}
    template = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "shop"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}


def config_map(value: str) -> dict[str, Any]:
    """Return the ConfigMap `settings`."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": value}}
