"""Clusters and nodes: what Docker's labels say."""

from __future__ import annotations

from kind_standin import docker
from kind_standin.errors import KindError

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"


def clusters() -> list[str]:
    """Return the clusters' names, sorted; stopped ones count."""
    asked = ("--filter", f"label={CLUSTER_LABEL}", "--format", docker.label(CLUSTER_LABEL))
    try:
        return sorted(set(docker.lines("ps", "-a", *asked)))
    except KindError as error:
        raise error.within("failed to list clusters") from None


def of(cluster: str, role: str = "") -> list[str]:
    """Return the names of a cluster's nodes, the youngest first as Docker lists them."""
    filters = ["--filter", f"label={CLUSTER_LABEL}={cluster}"]
    if role:
        filters += ["--filter", f"label={ROLE_LABEL}={role}"]
    try:
        return docker.lines("ps", "-a", *filters, "--format", "{{.Names}}")
    except KindError as error:
        raise error.within("failed to list nodes") from None


def control_plane(cluster: str) -> str:
    """Return the control plane's node; KindError if there is no such cluster."""
    found = of(cluster, "control-plane")
    if not found:
        raise KindError(
            f"could not locate any control plane nodes for cluster named '{cluster}'. "
            "Use the --name option to select a different cluster"
        )
    return found[0]


def delete(names: list[str]) -> None:
    """Remove the nodes with their volumes; first those that share the control plane's namespaces."""
    first = [name for name in names if "-worker" in name]
    try:
        for some in (first, [name for name in names if name not in first]):
            if some:
                docker.run("rm", "-f", "-v", *some)
    except KindError as error:
        raise error.within("failed to delete nodes") from None


def chosen(cluster: str, wanted: list[str]) -> list[str]:
    """Return all nodes, or those wanted; KindError for an unknown one or no cluster."""
    there = of(cluster)
    if not there:
        raise KindError(f'no nodes found for cluster "{cluster}"')
    for name in wanted:
        if name not in there:
            raise KindError(f'unknown node: "{name}"')
    return wanted or there
