"""Where things are: the project's own files, and what it keeps."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
LESSONS = ROOT / "lessons"
STATE = ".kubetour"  # relative to ROOT, where every command runs: short in what is shown

# The ownership mark on nodes, objects and containers: only what carries it is ever changed or deleted.
# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
OWNED_BY = "app.kubernetes.io/managed-by"
# On nodes a mark of our own domain: kind hands its config's labels to the kubelet, which does not start with
# one of kubernetes.io's. https://github.com/kubernetes-sigs/kind/issues/2932
NODE_OWNED_BY = "kubetour.dev/managed-by"
OWNER = "kubetour"
PULL_SECRET = f"{OWNER}-registry"  # the Secret that holds a registry's credentials in our namespace


def caller() -> Path:
    """Return the directory that relative paths on the command line mean, before anything has gone to ROOT."""
    return Path(os.environ.get("KUBETOUR_CWD") or Path.cwd())
