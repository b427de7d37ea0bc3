"""Where the API server has the resources that are looked at, by their plural names."""

from __future__ import annotations

from kubetour.checks import Object
from kubetour.project import PULL_SECRET

PATHS = {
    "version": "/version",
    "namespaces": "/api/v1/namespaces/{namespace}",
    "secrets": f"/api/v1/namespaces/{{namespace}}/secrets/{PULL_SECRET}",
    "serviceaccounts": "/api/v1/namespaces/{namespace}/serviceaccounts/default",
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/namespaces/{namespace}/pods",
    "services": "/api/v1/namespaces/{namespace}/services",
    "events": "/api/v1/namespaces/{namespace}/events",
    "deployments": "/apis/apps/v1/namespaces/{namespace}/deployments",
    "replicasets": "/apis/apps/v1/namespaces/{namespace}/replicasets",
    "endpointslices": "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
}
# One object each, read by its name: a user of one namespace may list no namespaces, and nobody needs to see
# other Secrets. Each wait reads them anew, and again until they are there.
SINGLE = frozenset({"version", "namespaces", "secrets", "serviceaccounts"})


def is_older(item: Object, known: Object | None) -> bool:
    """Return whether what is known already is newer; versions compare as numbers.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    versions = [str(each["metadata"].get("resourceVersion", "")) for each in (item, known) if each]
    return len(versions) == 2 and all(map(str.isdecimal, versions)) and int(versions[0]) < int(versions[1])
