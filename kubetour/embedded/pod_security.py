"""runAsNonRoot: kubelet's check of the user that a container would run as.

It is the image's say that is judged. The process itself runs as the user whose cluster this is.
k8s.io/kubernetes/pkg/kubelet/kuberuntime/security_context.go
"""

from __future__ import annotations

from typing import Any

from kubetour.embedded.api import Object
from kubetour.embedded.pod_environment import ConfigError


def check_non_root(pod: Object, container: Object, image_user: str) -> None:
    """Raise ConfigError where the spec demands another user than root and would not get one."""
    if not _setting(pod, container, "runAsNonRoot"):
        return
    metadata = pod["metadata"]
    full_name = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    where = f'(pod: "{full_name}", container: {container["name"]})'
    uid = _setting(pod, container, "runAsUser")
    if uid is not None:
        if uid == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    user = image_user.partition(":")[0]
    if user.isdigit() and int(user):
        return
    if user and not user.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({user}), "
            f"cannot verify user is non-root {where}"
        )
    raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")


def _setting(pod: Object, container: Object, name: str) -> Any:
    """Return a field of the security context: the container's before the Pod's."""
    own = (container.get("securityContext") or {}).get(name)
    return (pod["spec"].get("securityContext") or {}).get(name) if own is None else own
