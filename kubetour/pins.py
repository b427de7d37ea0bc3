"""Which version of kubectl and kind is downloaded where neither is on PATH, from where, and its SHA-256.

Every figure in pinned.json stands in two or more public sources, none of them the download itself:
kubernetes-sigs/kubespray (checksums.yml) has kubectl's for Linux, cashapp/hermit-packages (kind.hcl) has
kind's, and unrelated projects pin the same releases. A system without a figure, such as kubectl on
Macs with an Intel processor, is checked against the file that the publisher puts beside the program.
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
    sha256: Mapping[str, str]

    def url(self, base: str, system: str) -> str:
        """Return where the program is, below an official or other base URL; `system` is as linux/amd64."""
        os, arch = system.split("/")
        return f"{base.rstrip('/')}/{self.path.format(version=self.version, os=os, arch=arch)}"

    def url_variable(self) -> str:
        """Return the environment variable that names another base URL, such as a mirror's."""
        return f"KUBETOUR_{self.name.upper()}_URL"


@cache
def pin(name: str) -> Pin:
    """Return the pin of kubectl or kind."""
    entry = json.loads(Path(__file__).with_name("pinned.json").read_text(encoding="utf-8"))[name]
    return Pin(name, **{**entry, "least": parse(entry["least"])})


def this_system() -> str:
    """Return this machine's system and processor as releases name them: linux/amd64."""
    return system_named(platform.system(), platform.machine())


def system_named(system: str, machine: str) -> str:
    """Return what `uname -s` and `uname -m` say as releases name it."""
    return f"{_SYSTEMS.get(system, system.lower())}/{_PROCESSORS.get(machine.lower(), machine.lower())}"


def parse(version: str) -> Version:
    """Return v1.32.4-dispatcher as (1, 32, 4); ValueError if it is no version."""
    numbers = version.strip().removeprefix("v").replace("+", "-").split("-")[0].split(".")
    return tuple(int(number) for number in numbers)
