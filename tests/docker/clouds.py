"""What a cloud does for its clusters: its controller gives Services of type LoadBalancer an address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kubernetes import client, config


@contextmanager
def giving_address(kubeconfig: Path, name: str) -> Iterator[None]:
    """Give the Service of that name its address once it is there, as long as the body runs."""
    ended = threading.Event()
    cloud = threading.Thread(target=_give, args=(kubeconfig, name, ended))
    cloud.start()
    try:
        yield
    finally:
        ended.set()
        cloud.join()


def _give(kubeconfig: Path, name: str, ended: threading.Event) -> None:
    api = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    services = client.CoreV1Api(api)
    while not ended.wait(0.1):
        try:
            found = services.read_namespaced_service(name, "kubetour")
        except client.ApiException:
            continue
        assert found.spec is not None
        status = {"status": {"loadBalancer": {"ingress": [{"ip": found.spec.cluster_ip}]}}}
        services.patch_namespaced_service_status(name, "kubetour", status)
        return
