"""Kubeconfig files: merged into and removed from as kind does."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kind_standin.errors import KindError

LISTS = ("clusters", "users", "contexts")


def key(cluster: str) -> str:
    """Return the name of the cluster's entries."""
    return f"kind-{cluster}"


def of_kind(raw: str, cluster: str, server: str) -> dict[str, Any]:
    """Return a control plane's own kubeconfig under kind's names, with the server as seen from elsewhere."""
    return named(raw, key(cluster), server)


def named(raw: str, name: str, server: str) -> dict[str, Any]:
    """Return a control plane's own kubeconfig with another name and server."""
    config = yaml.safe_load(raw)
    return {
        "apiVersion": "v1",
        "clusters": [{"cluster": {**config["clusters"][0]["cluster"], "server": server}, "name": name}],
        "contexts": [{"context": {"cluster": name, "user": name}, "name": name}],
        "current-context": name,
        "kind": "Config",
        "users": [{"name": name, "user": config["users"][0]["user"]}],
    }


def merged(existing: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return both in one; the new entries replace those of the same name and its context is current."""
    result = {**existing, "apiVersion": "v1", "kind": "Config", "current-context": new["current-context"]}
    for part in LISTS:
        names = {entry["name"] for entry in new[part]}
        kept = [entry for entry in existing.get(part) or [] if entry["name"] not in names]
        result[part] = [*kept, *new[part]]
    return result


def without(existing: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the config without the entries of that name."""
    result = dict(existing)
    for part in LISTS:
        if part in existing:
            result[part] = [entry for entry in existing[part] or [] if entry["name"] != name]
    if existing.get("current-context") == name:
        result["current-context"] = ""
    return result


def paths(explicit: str) -> list[Path]:
    """Return the files to look at: the one named, those of $KUBECONFIG, or ~/.kube/config."""
    if explicit:
        return [Path(explicit)]
    if listed := [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return [Path(part) for part in listed]
    return [Path("~/.kube/config").expanduser()]


def write_merged(new: dict[str, Any], explicit: str) -> None:
    """Merge into the first file that is there, else make the last."""
    files = paths(explicit)
    path = next((file for file in files if file.exists()), files[-1])
    with _locked(path):
        _write(path, merged(_read(path), new))


def remove(name: str, explicit: str) -> None:
    """Remove the entries of that name from every file that has them."""
    for path in paths(explicit):
        if not path.exists():
            continue
        with _locked(path):
            existing = _read(path)
            left = without(existing, name)
            if left != existing:
                _write(path, left)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold FILE.lock, as kubectl and kind do."""
    lock = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except OSError as error:
        why = f"open {lock}: {(error.strerror or '').lower()}"
        raise KindError(f"failed to lock config file: {why}") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise KindError(f"failed to read kubeconfig {path}: {error}") from None


def _write(path: Path, config: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # 0600
    with os.fdopen(handle, "w") as file:
        yaml.safe_dump(config, file, sort_keys=True, allow_unicode=True)
    Path(name).replace(path)
