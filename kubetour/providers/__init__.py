"""The providers, by the name that `--provider` takes."""

from __future__ import annotations

from collections.abc import Mapping

from kubetour.providers.base import Ports, Provider, Tools
from kubetour.providers.embedded import Embedded
from kubetour.providers.kind import Kind
from kubetour.providers.minikube import Minikube

PROVIDERS: Mapping[str, type[Provider]] = {
    "kind": Kind,
    "minikube": Minikube,
    "context": Provider,
    "embedded": Embedded,
}

__all__ = ["PROVIDERS", "Embedded", "Kind", "Minikube", "Ports", "Provider", "Tools"]
