"""Whether a container's image is on the node, and what kubelet says and waits where it is not.

Nothing can be pulled on an embedded cluster: a pull fails as on a machine without a network.
k8s.io/kubernetes/pkg/kubelet/images/image_manager.go
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kubetour.embedded import reference
from kubetour.embedded.api import Object
from kubetour.embedded.backoff import Backoff
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore

_log = logging.getLogger(__name__)
Record = Callable[[str, str, str], None]  # type, reason, message


@dataclass
class ImageProblemError(Exception):
    """There is no image to start the container from: a waiting reason, its message, and when to try again."""

    reason: str
    message: str
    retry_after: float


class NodeImages:
    """A node's images by name, read again when the store on disk changes."""

    def __init__(self, store: ImageStore) -> None:
        self.store = store
        self._version: tuple[int, int] = (-1, -1)
        self._images: list[Image] = []

    def all(self) -> list[Image]:
        """Return every image of the node."""
        version = self.store.version()
        if version != self._version:
            try:
                self._images = self.store.images()
                self._version = version
            except (EmbeddedError, OSError) as error:  # what was known stays until the next look
                _log.warning("%s", error)
        return self._images

    def find(self, name: str) -> Image | None:
        """Return the image of that name or ID, or None; EmbeddedError for what is no name."""
        if name.startswith("sha256:"):
            return next((image for image in self.all() if image.id == name), None)
        full = str(reference.parse(name))
        return next((image for image in self.all() if full in image.names), None)


class ImageManager:
    """Decides about one Pod's images. `retry_after` of its problems are seconds from now."""

    def __init__(self, images: NodeImages, monotonic: Callable[[], float], cluster: str) -> None:
        self._images, self._monotonic, self._cluster = images, monotonic, cluster
        self._backoff = Backoff()
        self._failed: dict[str, tuple[float, str]] = {}

    def ensure(self, container: Object, record: Record) -> Image:
        """Return the container's image; ImageProblemError, and Events by `record`, if it cannot be had."""
        name = container["image"]
        policy = container.get("imagePullPolicy", "IfNotPresent")
        try:
            image = self._images.find(name)
        except EmbeddedError:
            message = f'couldn\'t parse image name "{name}": invalid reference format'
            message = f'Failed to apply default image tag "{name}": {message}'
            record("Warning", "InspectFailed", message)
            record("Warning", "Failed", "Error: InvalidImageName")
            raise ImageProblemError("InvalidImageName", message, 300.0) from None
        if image and policy != "Always":
            text = f'Container image "{name}" already present on machine and can be accessed by the pod'
            record("Normal", "Pulled", text)
            self._backoff.forget(name)
            return image
        if policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            record("Warning", "ErrImageNeverPull", message)
            record("Warning", "Failed", "Error: ErrImageNeverPull")
            raise ImageProblemError("ErrImageNeverPull", message, 10.0)
        raise self._pull(name, policy, record)

    def _pull(self, name: str, policy: str, record: Record) -> ImageProblemError:
        now = self._monotonic()
        since, why = self._failed.get(name, (0.0, ""))
        left = self._backoff.left(name, since, now) if why else 0.0
        if left > 0:
            record("Normal", "BackOff", f'Back-off pulling image "{name}"')
            record("Warning", "Failed", "Error: ImagePullBackOff")
            message = f'Back-off pulling image "{name}": ErrImagePull: {why}'
            return ImageProblemError("ImagePullBackOff", message, left)
        self._backoff.next(name, now)
        full = reference.parse(name)
        record("Normal", "Pulling", f'Pulling image "{name}"')
        fix = (
            "set imagePullPolicy: IfNotPresent, as the image may be on the node already"
            if policy == "Always"
            else f"load it first: python -m kubetour.embedded load image {name} --name {self._cluster}"
        )
        why = (
            f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
            f"an embedded cluster has no registry to pull from; {fix}"
        )
        self._failed[name] = (now, why)
        record("Warning", "Failed", f'Failed to pull image "{name}": {why}')
        record("Warning", "Failed", "Error: ErrImagePull")
        # The next look, at once in Kubernetes too, finds the back-off.
        return ImageProblemError("ErrImagePull", why, 1.0)
