"""Profiles: MINIKUBE_HOME/profiles/NAME/config.json, with the fields of minikube's that count here."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from minikube_standin.out import fatal, tip

Config = dict[str, Any]
API_PORT = 8443
KUBERNETES = "v1.36.2"


def home() -> Path:
    """Return minikube's directory, which is named .minikube wherever MINIKUBE_HOME says that it is."""
    told = os.environ.get("MINIKUBE_HOME", "")
    if not told:
        return Path("~/.minikube").expanduser()
    return Path(told) if Path(told).name == ".minikube" else Path(told) / ".minikube"


def _directory(name: str) -> Path:
    return home() / "profiles" / name


def find(name: str) -> Config | None:
    """Return a profile, or None if there is no such one."""
    try:
        config: Config = json.loads((_directory(name) / "config.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return config


def load(name: str) -> Config:
    """Return a profile; the end of the program if there is no such one."""
    config = find(name)
    if config is None:
        text = f'Profile "{name}" not found. Run "minikube profile list" to view all profiles.'
        raise tip(text, "start", name, 85)
    return config


def load_for_image(name: str) -> Config:
    """Return a profile, or end as the commands for images do."""
    config = find(name)
    if config is None:
        path = _directory(name) / "config.json"
        raise fatal("MK_USAGE", 14, f'loading profile: cluster "{name}" does not exist: open {path}')
    return config


def save(config: Config) -> None:
    """Write a profile."""
    directory = _directory(config["Name"])
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config, indent=4), encoding="utf-8")


def delete(name: str) -> None:
    """Remove a profile's files."""
    shutil.rmtree(_directory(name), ignore_errors=True)


def names() -> list[str]:
    """Return what profiles there are, damaged ones among them."""
    root = home() / "profiles"
    return sorted(each.name for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def new(
    name: str, *, runtime: str, ports: list[str], memory: int, cpus: str, driver: str = "docker"
) -> Config:
    """Return a profile without nodes."""
    return {
        "Name": name,
        "Driver": driver,
        "Memory": memory,
        "CPUs": cpus,
        "ExposedPorts": ports,
        "KubernetesConfig": {
            "KubernetesVersion": KUBERNETES,
            "ClusterName": name,
            "ContainerRuntime": runtime,
        },
        "Nodes": [],
    }


def new_node(config: Config) -> Config:
    """Return the next node: m02 after the first, whose name is empty."""
    last = config["Nodes"][-1]["Name"] if config["Nodes"] else None
    number = 1 if last is None else int(last.removeprefix("m") or 1) + 1
    return {
        "Name": "" if number == 1 else f"m{number:02d}",
        "IP": "",
        "Port": API_PORT,
        "KubernetesVersion": KUBERNETES,
        "ContainerRuntime": config["KubernetesConfig"]["ContainerRuntime"],
        "ControlPlane": number == 1,
        "Worker": True,
    }


def machine(config: Config, node: Config) -> str:
    """Return the name of a node's container, which is the Kubernetes node's, too."""
    return f"{config['Name']}-{node['Name']}" if node["Name"] else str(config["Name"])


def machines(config: Config) -> list[str]:
    """Return the names of all nodes."""
    return [machine(config, node) for node in config["Nodes"]]
