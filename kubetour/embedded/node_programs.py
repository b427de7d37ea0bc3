"""What a command on a node finds on its PATH besides this machine's own programs: the node's crictl."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.paths import ROOT_VARIABLE, private_directory, write_atomically


def environment(cluster: ClusterDirectory, node: str) -> dict[str, str]:
    """Return the environment of a command on a node, so that a shell there can call crictl, too."""
    programs = private_directory(cluster.node(node) / "bin")
    here = str(Path(__file__).resolve().parents[2])
    body = (
        "#!/bin/sh\n"
        f"export {ROOT_VARIABLE}={shlex.quote(str(cluster.root))} PYTHONPATH={shlex.quote(here)}\n"
        f'exec {shlex.join((sys.executable, "-m", "kubetour.embedded", "exec", node, "--", "crictl"))} "$@"\n'
    )
    crictl = programs / "crictl"
    if not crictl.exists() or crictl.read_text(encoding="utf-8") != body:
        write_atomically(crictl, body, 0o700)
    return {**os.environ, "PATH": os.pathsep.join((str(programs), os.environ.get("PATH", os.defpath)))}
