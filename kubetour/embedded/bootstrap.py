"""The objects that a new cluster has from its first second."""

from __future__ import annotations

import logging

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.registry import Registry

_log = logging.getLogger(__name__)
SERVICE_SECONDS = 10.0
NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(registry: Registry, *, service_ip: str, address: str, port: int) -> None:
    """Make the namespaces, their default ServiceAccounts and the Service `kubernetes`.

    It has the address `service_ip`, port 443, and leads to the API server at `address`:`port`. What is there
    already stays; the endpoints follow the server.
    """
    for name in NAMESPACES:
        _ensure(registry, "namespaces", {"metadata": {"name": name}})
        _ensure(registry, "serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
    make_service(registry, service_ip=service_ip, address=address, port=port)


async def keep_service(registry: Registry, *, service_ip: str, address: str, port: int) -> None:
    """Bring the Service `kubernetes` back for ever, which `kubectl delete services --all` deletes, too.

    As kube-apiserver looks after it, every ten seconds (`EndpointReconciler` of its controlplane).
    """
    while True:
        await registry.clock.sleep(SERVICE_SECONDS)
        try:
            make_service(registry, service_ip=service_ip, address=address, port=port)
        except StatusError as error:  # the next time, perhaps
            _log.warning("the Service kubernetes: %s", error.message)


def make_service(registry: Registry, *, service_ip: str, address: str, port: int) -> None:
    """Make the Service `kubernetes` and what leads to its endpoint, or bring them back."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    ports = [{"name": "https", "port": 443, "targetPort": port}]
    _apply(
        registry,
        "services",
        {
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
            "spec": {"clusterIP": service_ip, "ports": ports},
        },
    )
    skip_mirror = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    endpoint_ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    _apply(
        registry,
        "endpoints",
        {
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": skip_mirror},
            "subsets": [{"addresses": [{"ip": address}], "ports": endpoint_ports}],
        },
    )
    _apply(
        registry,
        "endpointslices",
        {
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": endpoint_ports,
        },
    )


def _ensure(registry: Registry, resource: str, obj: Object) -> bool:
    """Create an object; return False where it is there already."""
    metadata = obj["metadata"]
    try:
        registry.get(resource, metadata["name"], metadata.get("namespace", ""))
    except StatusError as error:
        if error.reason != "NotFound":
            raise
        registry.create(resource, obj)
        return True
    return False


def _apply(registry: Registry, resource: str, obj: Object) -> None:
    if not _ensure(registry, resource, obj):
        metadata = obj["metadata"]
        registry.patch(resource, metadata["name"], obj, metadata["namespace"])
