"""What a kubelet knows of its node's images."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.kubelet_images import NodeImages
from tests.embedded.making import shell_image


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(EmbeddedError("the image store is damaged at sha256:…"), id="damaged"),
        pytest.param(OSError(errno.EMFILE, "Too many open files"), id="too many open files"),
    ],
)
def test_images_that_could_not_be_read_are_read_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    image = shell_image(tmp_path, "exit 0", "app:1")
    images = NodeImages(ImageStore(tmp_path / "images"))

    def fail() -> list[object]:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(images.store, "images", fail)
        assert images.find("app:1") is None
    found = images.find("app:1")
    assert found
    assert found.id == image.id
