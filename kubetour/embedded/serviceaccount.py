"""What every namespace has from its first moment: the ServiceAccount `default` and the cluster's CA.

`ServiceAccountController(api: Informers, clock: Clock, ca_certificate: str = "")`; without a PEM certificate
there is no ConfigMap `kube-root-ca.crt`.
"""

from __future__ import annotations

from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.clock import Clock
from kubetour.embedded.controller import Controller, Informers

_ACCOUNT, _CONFIG_MAP = "default", "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
    "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions "
    "of Kubernetes clusters."
)


class ServiceAccountController(Controller[str]):
    """Keeps both in every namespace, also when somebody deletes or changes them."""

    def __init__(self, api: Informers, clock: Clock, ca_certificate: str = "") -> None:
        super().__init__(api, clock)
        self._ca_certificate = ca_certificate
        self._namespaces = self.follow("namespaces", self._namespace_changed)
        self._accounts = self.follow("serviceaccounts", self._content_changed)
        self._config_maps = self.follow("configmaps", self._content_changed)

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        if new and "deletionTimestamp" not in new["metadata"]:
            self.queue.add(new["metadata"]["name"])

    def _content_changed(self, old: Object | None, new: Object | None) -> None:
        metadata = (new or old or {})["metadata"]
        if metadata["name"] in (_ACCOUNT, _CONFIG_MAP):
            self.queue.add(metadata["namespace"])

    def sync(self, key: str) -> None:
        """Make in one namespace what is missing."""
        namespace = self._namespaces.get("", key)
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return
        if self._accounts.get(key, _ACCOUNT) is None:
            self._create("serviceaccounts", {"metadata": {"name": _ACCOUNT, "namespace": key}})
        if self._ca_certificate:
            self._publish(key)

    def _publish(self, namespace: str) -> None:
        present = self._config_maps.get(namespace, _CONFIG_MAP)
        data = {"ca.crt": self._ca_certificate}
        if present is None:
            metadata = {
                "name": _CONFIG_MAP,
                "namespace": namespace,
                "annotations": {"kubernetes.io/description": _DESCRIPTION},
            }
            self._create("configmaps", {"metadata": metadata, "data": data})
        elif present.get("data") != data:
            self.api.update("configmaps", {**present, "data": data})

    def _create(self, resource: str, obj: Object) -> None:
        try:
            self.api.create(resource, obj)
        except StatusError as error:
            if error.reason != "AlreadyExists":
                raise
