"""Which version of kubectl, kind and minikube is downloaded where there is none on PATH, and its SHA-256.

Every figure in pinned.json stands in two or more public sources besides the publisher's file beside the
program. `confirmed_by` names one that lists the releases: kubernetes-sigs/kubespray (kubectl for Linux),
cashapp/hermit-packages (kind), kubernetes/minikube's own list of its releases (minikube); unrelated projects
pin the same figures. A system without a figure, such as kubectl on Macs with an Intel processor, is checked
against the publisher's file alone. `repin` writes the figures.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Version = tuple[int, ...]

# The names that Go, and with it every Kubernetes release, gives to systems and processors.
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_PROCESSORS = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Pin:
    """A program's pinned release. `least` is the oldest version that will do if it is on PATH."""

    name: str
    version: str
    least: Version
    base: str
    path: str
    checksum: str
    confirmed_by: str
    sha256: Mapping[str, str]

    def url(self, base: str, system: str) -> str:
        """Return where the program is, below an official or other base URL; `system` is as linux/amd64."""
        os, arch = system.split("/")
        return f"{base.rstrip('/')}/{self.path.format(version=self.version, os=os, arch=arch)}"

    def url_variable(self) -> str:
        """Return the environment variable that names another base URL, such as a mirror's."""
        return f"KUBETOUR_{self.name.upper()}_URL"


PINNED = Path(__file__).with_name("pinned.json")


@cache
def pin(name: str) -> Pin:
    """Return the pin of kubectl, kind or minikube."""
    entry = json.loads(PINNED.read_text(encoding="utf-8"))[name]
    return Pin(name, **{**entry, "least": parse(entry["least"])})


def this_system() -> str:
    """Return this machine's system and processor as releases name them: linux/amd64."""
    system, machine = platform.system(), platform.machine()
    return f"{_SYSTEMS.get(system, system.lower())}/{_PROCESSORS.get(machine.lower(), machine.lower())}"


def parse(version: str) -> Version:
    """Return v1.32.4-dispatcher as (1, 32, 4); ValueError if it is no version."""
    numbers = version.strip().removeprefix("v").replace("+", "-").split("-")[0].split(".")
    return tuple(int(number) for number in numbers)
