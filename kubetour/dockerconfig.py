"""The credentials in a Docker config file, as far as a cluster can use them.

Its form: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kubetour.errors import UsageError
from kubetour.reference import registry_of

LARGEST = 1024 * 1024  # bytes, as of a Secret


def require(path: Path, shown: str, image: str) -> None:
    """Return if the file itself holds credentials for the image's registry; UsageError if not.

    A file that only names a credential helper is of no use to a cluster, which cannot ask that helper.
    """
    config = _read(path, shown)
    host = registry_of(image)
    if host in ("", "docker.io"):
        host = "index.docker.io"  # the key under which the kubelet looks for Docker Hub's
    entries = config.get("auths")
    entries = entries if isinstance(entries, dict) else {}
    usable = {_host(key) for key, entry in entries.items() if _is_plain(entry)}
    if any(fnmatchcase(host, pattern) for pattern in usable):
        return
    helper = config.get("credsStore") or (config.get("credHelpers") or {}).get(host)
    if helper:
        raise UsageError("pull-secret-helper", file=shown, helper=str(helper)[:80], registry=host)
    raise UsageError("pull-secret-other", file=shown, registry=host)


def _read(path: Path, shown: str) -> Mapping[str, Any]:
    try:
        if "=" in shown:
            raise ValueError("kubectl takes no `=` in its name")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"> {LARGEST} bytes")
        config = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}: {error.msg}"
        raise UsageError("pull-secret-unreadable", file=shown, reason=reason) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError("pull-secret-unreadable", file=shown, reason=reason) from error
    if not isinstance(config, dict):
        raise UsageError("pull-secret-unreadable", file=shown, reason="no JSON object")
    return config


def _host(key: str) -> str:
    """Return the host in a key of `auths`: a URL, a host, or a host with a path."""
    return key.rpartition("://")[2].partition("/")[0]


def _is_plain(entry: Any) -> bool:
    """Return whether an entry holds a password: Docker leaves it empty where a helper has it."""
    return isinstance(entry, dict) and bool(
        entry.get("auth") or (entry.get("username") and entry.get("password"))
    )
