from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from tests.embedded.making import build

DOCKERFILE = "FROM scratch\nCOPY a /a\nENV v={}"


def make(root: Path, name: str, version: str = "1", content: str = "x") -> str:
    return build(root, DOCKERFILE.format(version), {"a": content}, name)[0].id


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def blobs(store: ImageStore) -> set[str]:
    return {path.name for path in (store.directory / "blobs" / "sha256").iterdir()}


def test_an_image_is_found_by_its_names_and_by_its_id(tmp_path: Path, store: ImageStore) -> None:
    identity = make(tmp_path, "app:1")
    for text in ("app:1", "docker.io/library/app:1", identity, identity[7:], identity[7:19]):
        found = store.find(text)
        assert found is not None
        assert found.id == identity
    assert store.find("app:2") is None
    assert store.find("app") is None
    assert store.find("0123456789ab") is None


def test_a_text_that_is_no_name_is_an_error(store: ImageStore) -> None:
    with pytest.raises(EmbeddedError, match="repository name must be lowercase"):
        store.find("App:1")


def test_a_name_moves_to_the_image_that_got_it_last(tmp_path: Path, store: ImageStore) -> None:
    first, second = make(tmp_path, "app:1", "1"), make(tmp_path, "app:1", "2")
    assert first != second
    assert [image.id for image in store.images()] == [second]


def test_removing_the_last_name_removes_what_only_that_image_had(tmp_path: Path, store: ImageStore) -> None:
    make(tmp_path, "app:1")
    (store.directory / "cache.json").unlink()
    image = store.find("app:1")
    assert image is not None
    store.snapshot(image)
    other = make(tmp_path, "other:1", "2", "y")
    store.remove(image, "docker.io/library/app:1")
    assert [left.id for left in store.images()] == [other]
    kept = store.images()[0]
    layers = {entry["digest"] for entry in kept.manifest["layers"]}
    # What the builder remembers of the other image is that image's own.
    assert {f"sha256:{name}" for name in blobs(store)} == {kept.id, kept.digest, *layers}
    assert list((store.directory / "snapshots").iterdir()) == []


def test_layers_that_the_builder_remembers_survive_their_image(tmp_path: Path, store: ImageStore) -> None:
    make(tmp_path, "app:1")
    image = store.images()[0]
    store.remove(image)
    assert store.images() == []
    _, said = build(tmp_path, DOCKERFILE.format("1"), {"a": "x"})
    assert sum("CACHED" in line for line in said) == 2


def test_a_store_that_is_being_written_to_is_not_swept(tmp_path: Path, store: ImageStore) -> None:
    make(tmp_path, "app:1")
    with store.writing():
        digest = store.put(b"a blob whose image comes later")
        store.remove(store.images()[0])
        assert store.blob(digest).exists()
    assert not store.blob(digest).exists()


def test_images_are_copied_to_another_store_whole(tmp_path: Path, store: ImageStore) -> None:
    make(tmp_path, "app:1")
    node = ImageStore(tmp_path / "node")
    before = node.version()
    image = store.images()[0]
    store.copy_to(node, image, image.names)
    assert node.version() != before
    assert node.find("app:1") == image
    # What the one store does is nothing to the other.
    store.remove(image)
    copied = node.find("app:1")
    assert copied is not None
    assert (node.snapshot(copied) / "a").read_text(encoding="utf-8") == "x"


def test_a_damaged_store_says_what_to_do(tmp_path: Path, store: ImageStore) -> None:
    identity = make(tmp_path, "app:1")
    store.blob(identity).write_bytes(b"{}")
    with pytest.raises(EmbeddedError, match="is damaged at sha256"):
        store.find("app:1")


def test_many_writers_lose_nothing(tmp_path: Path, store: ImageStore) -> None:
    make(tmp_path, "app:1")
    image = store.images()[0]

    def tag(number: int) -> None:
        for tagged in range(5):
            ImageStore(store.directory).tag(image.digest, f"docker.io/library/app:{number}-{tagged}")

    threads = [threading.Thread(target=tag, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.images()[0].names) == 21
