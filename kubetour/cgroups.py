"""cgroup v1: which kubelets refuse to start on it, and the kind config's line that lets them.

Since Kubernetes 1.35 a kubelet's `failCgroupV1` is true unless told otherwise
(https://github.com/kubernetes/kubernetes/pull/134298). The field is there since 1.31
(https://github.com/kubernetes/kubernetes/pull/126031), so it is given only to kubelets that need it.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from kubetour.pins import Version, parse

REFUSING = (1, 35)  # the first kubelet that does not start on cgroup v1 by itself
# The first kind whose default node image has one: https://github.com/kubernetes-sigs/kind/releases/tag/v0.31.0
REFUSING_KIND = (0, 31)

PATCH = """\
# cgroup v1: a kubelet from 1.35 on starts here only if it is allowed to
kind: KubeletConfiguration
failCgroupV1: false
"""


def allowed(config: dict[str, Any], kind_version: str, image: str = "") -> dict[str, Any]:
    """Return the kind config for a machine with cgroup v1: with the patch, if a node's kubelet needs it.

    https://kind.sigs.k8s.io/docs/user/configuration/#kubeadm-config-patches
    """
    if not refuses(config, kind_version, image) or "failCgroupV1" in str(config):
        return config
    config = copy.deepcopy(config)
    config["kubeadmConfigPatches"] = [*(config.get("kubeadmConfigPatches") or []), PATCH]
    return config


def refuses(config: dict[str, Any], kind_version: str, image: str = "") -> bool:
    """Return whether a node's kubelet does not start on cgroup v1 by itself, as far as its image's tag tells.

    All nodes get `image` if it is given; else a node without one gets the default of that version of kind.
    """
    by_default = bool(kind_version) and parse(kind_version) >= REFUSING_KIND
    images = {image or str(node.get("image") or "") for node in config["nodes"]}
    return any((version_in(image) or (0,)) >= REFUSING if image else by_default for image in images)


def version_in(image: str) -> Version | None:
    """Return the version of Kubernetes in a node image's tag: kindest/node:v1.34.0@sha256:… has one."""
    tag = re.search(r":v(\d+\.\d+)[^/:@]*(?:@|$)", image)
    return parse(tag[1]) if tag else None
