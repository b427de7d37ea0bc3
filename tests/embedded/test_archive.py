"""Image archives: what is read, what is refused, and that a store is as it was after a refusal."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from kubetour.embedded import archive, imagestore
from kubetour.embedded.archive import ContentMissingError
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from tests.standins.archives import (
    BASE,
    CONFIG,
    LAYER,
    NAME,
    NAMED,
    Layout,
    digest,
    docker_save,
    multi_platform,
    tar,
)


def load(content: bytes, store: ImageStore, **options: bool) -> list[str]:
    return archive.load(io.BytesIO(content), store, **options)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def test_an_archive_of_docker_save_keeps_the_images_id_and_can_be_unpacked(store: ImageStore) -> None:
    assert load(docker_save(), store) == [NAME]
    image = store.find("app:1")
    assert image is not None
    assert image.id == digest(CONFIG)
    assert (store.snapshot(image) / "app/app.js").read_text() == "console.log(1)\n"
    assert (store.snapshot(image) / "etc/passwd").exists()


def test_an_archive_may_come_compressed_and_through_a_pipe(store: ImageStore) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise OSError("a pipe")

    assert archive.load(Pipe(gzip.compress(docker_save())), store) == [NAME]


def test_a_layer_that_is_a_link_to_another_is_that_one(store: ImageStore) -> None:
    config = json.dumps({"rootfs": {"diff_ids": [digest(LAYER), digest(LAYER)]}}).encode()
    manifest = [{"Config": "c.json", "RepoTags": ["app:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]
    files = {"c.json": config, "a/layer.tar": LAYER, "manifest.json": json.dumps(manifest).encode()}
    assert load(tar(files, {"b/layer.tar": "../a/layer.tar"}), store) == [NAME]
    image = store.find("app:1")
    assert image is not None
    assert [entry["digest"] for entry in image.manifest["layers"]] == [digest(LAYER)] * 2


def test_an_oci_layout_keeps_its_manifest_and_its_compressed_layers(store: ImageStore) -> None:
    layout = Layout()
    entry = layout.image(layers=[gzip.compress(BASE), gzip.compress(LAYER)], **NAMED)
    assert load(layout.tar(entry), store) == [NAME]
    image = store.find(NAME)
    assert image is not None
    assert (image.id, image.digest) == (digest(CONFIG), entry["digest"])
    assert (store.snapshot(image) / "app/app.js").exists()


def test_two_images_that_share_a_layer_are_both_stored(store: ImageStore) -> None:
    layout = Layout()
    other = CONFIG.replace(b"app.js", b"b.js")
    entries = [
        layout.image(annotations={imagestore.NAME: NAME}),
        layout.image(other, annotations={imagestore.NAME: "docker.io/library/b:1"}),
    ]
    assert load(layout.tar(*entries), store) == [NAME, "docker.io/library/b:1"]
    assert {image.id for image in store.images()} == {digest(CONFIG), digest(other)}


@pytest.mark.parametrize("with_other", [True, False], ids=["all platforms saved", "one platform saved"])
def test_of_several_platforms_this_machines_is_taken(store: ImageStore, with_other: bool) -> None:
    assert load(multi_platform(with_other=with_other), store) == [NAME]
    image = store.find(NAME)
    assert image is not None
    assert image.id == digest(CONFIG)


def test_all_platforms_are_demanded_on_request_as_ctr_does(store: ImageStore) -> None:
    assert load(multi_platform(with_other=True), store, all_platforms=True) == [NAME]


def test_a_platform_that_is_missing_is_named_and_nothing_is_left(store: ImageStore) -> None:
    with pytest.raises(ContentMissingError, match=r"sha256:[0-9a-f]{64}: not found.*--platform"):
        load(multi_platform(with_other=False), store, all_platforms=True)
    assert store.images() == []
    assert list(store.directory.rglob(".new-*")) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no tar", "no image archive, or it is cut off", id="no tar"),
        pytest.param(docker_save()[:3000], "cut off", id="cut off"),
        pytest.param(tar({"x": b""}), "neither index.json nor manifest.json", id="another tar"),
        pytest.param(docker_save(bb__layer_tar=BASE), "has another digest", id="layer changed"),
        pytest.param(
            docker_save(manifest_json=b'[{"Config":"gone.json","Layers":[]}]'),
            "gone.json is not in it",
            id="no config",
        ),
        pytest.param(docker_save(manifest_json=b"[{}]"), "KeyError: 'Config'", id="no path of the config"),
        pytest.param(docker_save(manifest_json=b"{"), "damaged", id="no JSON"),
        pytest.param(
            Layout().tar({"digest": "sha256:00", "mediaType": ""}), "sha256:00: not found", id="no manifest"
        ),
    ],
)
def test_what_is_damaged_is_refused_and_nothing_is_left(
    store: ImageStore, content: bytes, message: str
) -> None:
    with pytest.raises(EmbeddedError, match=message):
        load(content, store)
    assert store.images() == []
    assert not list(store.directory.rglob("blobs/sha256/*"))
