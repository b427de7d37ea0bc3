"""Failures on demand: KIND_STANDIN_FAIL holds one or more of these words, with commas between.

    pull    the node image cannot be pulled
    slow    the node image is pulled for ever, until it is interrupted
    space   a node's container cannot be made for want of room
    port    a host port is taken
    create  the control plane does not come up
    wait    the control plane is not Ready in time: a warning, and exit status 0
    load    importing the image on a node fails, for want of room
    digest  importing the image on a node fails as with Docker's containerd image store:
            https://github.com/kubernetes-sigs/kind/issues/3795
    stall   creating goes on for ever once the nodes are there, until it is interrupted
    delete  the nodes cannot be deleted

The texts are the real tools' own.
"""

from __future__ import annotations

import hashlib
import os

from kind_standin import docker
from kind_standin.errors import CommandError

KNOWN = ("pull", "slow", "space", "port", "create", "wait", "load", "digest", "stall", "delete")
# What Docker's index names and its archive lacks: the manifest of another platform.
DIGEST = f"sha256:{hashlib.sha256(b'linux/arm64').hexdigest()}"


def asked(what: str) -> bool:
    """Return whether this failure is wanted; ValueError for an unknown word in the variable."""
    words = [word for word in os.environ.get("KIND_STANDIN_FAIL", "").split(",") if word]
    if unknown := sorted(set(words) - set(KNOWN)):
        raise ValueError(f"KIND_STANDIN_FAIL: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    return what in words


def pull(image: str) -> CommandError:
    """Return the error of an image that cannot be pulled."""
    lookup = "dial tcp: lookup registry-1.docker.io: no such host"
    output = f'Error response from daemon: Get "https://registry-1.docker.io/v2/": {lookup}\n'
    return CommandError([docker.program(), "pull", image], 1, output)


def no_space(node: str) -> CommandError:
    """Return the error of a container that the engine has no room for."""
    layer = "/var/lib/docker/overlay2/4d2c95b4e45fa1d4b2cbbed2a2ab06bd-init"
    said = f"docker: Error response from daemon: mkdir {layer}: no space left on device.\n"
    return CommandError([docker.program(), "run", "--name", node], 125, said)


def port(argv: list[str], node: str, where: str) -> CommandError:
    """Return the error of a host port that is taken; `where` is ADDRESS:PORT."""
    container = "f913b6c93d8916f04ee6d9ad53e3cfc7d9038eedc45aab83d4df5a2595ae3bcd"
    endpoint = "bc78173aa0d2cd90067fc276c6ee67cdede2c7460becf6cf59996a3722f1c4e1"
    return CommandError(
        argv,
        125,
        f"{container}\ndocker: Error response from daemon: driver failed programming external connectivity "
        f"on endpoint {node} ({endpoint}): Bind for {where} failed: port is already allocated\n\n"
        "Run 'docker run --help' for more information\n",
    )


def kubeadm(node: str) -> CommandError:
    """Return the error of a control plane that does not come up."""
    flags = ("--config=/kind/kubeadm.conf", "--skip-token-print", "--v=6")
    argv = docker.exec_argv(node, "kubeadm", "init", *flags)
    output = (
        "[wait-control-plane] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. "
        "This can take up to 4m0s\n[kubelet-check] The kubelet is not healthy after 4m0.000s\n"
    )
    return CommandError(argv, 1, output)


def importing(argv: list[str]) -> CommandError | None:
    """Return the error of an import on a node, if one is wanted."""
    if asked("digest"):
        return CommandError(argv, 1, f"ctr: content digest {DIGEST}: not found\n")
    if asked("load"):
        return CommandError(
            argv, 1, "ctr: failed to copy: write /var/lib/containerd/ingest/data: no space left on device\n"
        )
    return None


def removing(nodes: list[str]) -> CommandError:
    """Return the error of nodes that cannot be deleted."""
    output = f"Error response from daemon: removal of container {nodes[0]} is already in progress\n"
    return CommandError([docker.program(), "rm", "-f", "-v", *nodes], 1, output)
