"""An image's name and the registry in it. https://github.com/distribution/reference"""

from __future__ import annotations

import re


def registry_of(image: str) -> str:
    """Return the registry that an image's name begins with, or "": then Docker Hub is meant."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def in_registry(image: str, registry: str) -> str:
    """Return the image's name in that registry, unless it names one itself or none is given."""
    return f"{registry}/{image}" if registry and not registry_of(image) else image


def is_local(registry: str) -> bool:
    """Return whether a registry, HOST[:PORT], is reached by loopback: by such an address, or localhost."""
    return re.fullmatch(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", registry) is not None
