"""Images on disk in the OCI image layout: the machine's own store, and one in each node's directory.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
An image's ID is the digest of its config, as in Docker; a node's store has names in full, as containerd's.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kubetour.embedded import layer, reference
from kubetour.embedded.buildcache import BuildCache
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.layer import Layer
from kubetour.embedded.paths import locked, private_directory, write_json

Json = dict[str, Any]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
NAME = "io.containerd.image.name"
# Docker's history shows what a layer's files take, not its tar; the layout has no field for it.
CONTENT_SIZE = "dev.kubetour.content-size"
_DRAFT = ".new-"


@dataclass(frozen=True)
class Image:
    """One image: its ID, the digest of its manifest, both documents, and its full names."""

    id: str
    digest: str
    manifest: Json
    config: Json
    names: tuple[str, ...]

    @property
    def layer_sizes(self) -> list[int]:
        """Return the bytes that each layer's files take."""
        return [
            int(entry.get("annotations", {}).get(CONTENT_SIZE, entry["size"]))
            for entry in self.manifest["layers"]
        ]

    @property
    def size(self) -> int:
        """Return the bytes that all layers' files take."""
        return sum(self.layer_sizes)

    @property
    def familiar_names(self) -> list[str]:
        """Return the names as Docker prints them."""
        return [reference.parse(name).familiar for name in self.names]


class ImageStore:
    """The images in a directory, which is made on the first write. Safe among processes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._blobs = directory / "blobs" / "sha256"
        self._index = directory / "index.json"

    # --- reading

    def images(self) -> list[Image]:
        """Return every image, the newest first."""
        names: dict[str, list[str]] = {}
        for entry in self._manifests():
            names.setdefault(entry["digest"], []).append(entry.get("annotations", {}).get(NAME, ""))
        found = [self._image(digest, tuple(filter(None, named))) for digest, named in names.items()]
        return sorted(found, key=lambda image: str(image.config.get("created", "")), reverse=True)

    def find(self, text: str) -> Image | None:
        """Return the image of that name, digest or ID (an ID may be cut short), or None.

        Raises EmbeddedError where a short ID fits several, or the text is no name.
        """
        images = self.images()
        prefix = text.removeprefix("sha256:")
        # As in Docker: what could be an ID is first tried as a name.
        with contextlib.suppress(EmbeddedError):
            name = str(reference.parse(text))
            for image in images:
                if name in image.names:
                    return image
        fits = [image for image in images if prefix and image.id.removeprefix("sha256:").startswith(prefix)]
        if len({image.id for image in fits}) > 1:
            raise EmbeddedError(f"{text!r} is the beginning of several image IDs; give more of it")
        if not fits and not set(prefix) <= set("0123456789abcdef"):
            reference.parse(text)
        return fits[0] if fits else None

    def version(self) -> tuple[int, int]:
        """Return a value that differs after every change of the store."""
        try:
            found = self._index.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def blob(self, digest: str) -> Path:
        """Return where the blob of that digest is, or would be."""
        algorithm, _, hexadecimal = digest.partition(":")
        if algorithm != "sha256" or len(hexadecimal) != 64 or not hexadecimal.isalnum():
            raise EmbeddedError(f"{digest!r} is no sha256 digest; the image is damaged, build it again")
        return self._blobs / hexadecimal

    def read_json(self, digest: str) -> Json:
        """Return a blob that is a JSON document; EmbeddedError if it is missing or damaged."""
        try:
            content = self.blob(digest).read_bytes()
            if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
                raise ValueError("its content does not have that digest")
            document: Json = json.loads(content)
        except (OSError, ValueError) as error:
            raise EmbeddedError(
                f"the image store {self.directory} is damaged at {digest}: {error}; "
                f"remove that directory and build the image again"
            ) from error
        return document

    # --- writing

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep blobs that no image refers to yet from being swept away, until the image has its name."""
        private_directory(self._blobs)
        with open(self.directory / ".writers", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield
        with self._changing():
            pass  # what this image replaced can go now

    def put(self, content: bytes) -> str:
        """Store a blob and return its digest."""
        with self.writer() as file:
            file.write(content)
        return self.adopt(Path(file.name), f"sha256:{hashlib.sha256(content).hexdigest()}")

    @contextlib.contextmanager
    def writer(self) -> Iterator[IO[bytes]]:
        """Give a new file to write a blob into; hand it to `adopt`, or it is removed when that raises."""
        private_directory(self._blobs)
        with tempfile.NamedTemporaryFile(dir=self._blobs, prefix=_DRAFT, delete=False) as file:
            try:
                yield file
            except BaseException:
                os.unlink(file.name)
                raise

    def put_layer(self, entries: list[layer.Entry]) -> Layer:
        """Store a layer of these entries."""
        with self.writer() as file:
            made = layer.write(entries, file)
        self.adopt(Path(file.name), made.digest)
        return made

    def adopt(self, file: Path, digest: str) -> str:
        """Move a written file to its place as a blob."""
        file.replace(self.blob(digest))
        return digest

    def put_image(self, config: Json, layers: list[Json]) -> str:
        """Store an image's two documents and return the manifest's digest; `layers` are OCI descriptors."""
        encoded = json.dumps(config, separators=(",", ":"), sort_keys=True).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": self.put(encoded), "size": len(encoded)},
            "layers": layers,
        }
        return self.put(json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode())

    def tag(self, digest: str, name: str) -> None:
        """Give the image with that manifest a full name; the name leaves the image that had it."""
        size = self.blob(digest).stat().st_size
        annotations = {NAME: name, "org.opencontainers.image.ref.name": reference.parse(name).tag}
        entry = {"mediaType": MANIFEST, "digest": digest, "size": size, "annotations": annotations}
        with self._changing() as manifests:
            manifests[:] = [e for e in manifests if e.get("annotations", {}).get(NAME) != name]
            manifests.append(entry)

    def remove(self, image: Image, name: str = "") -> None:
        """Remove one name of an image, or all; without a name left the image goes too."""
        with self._changing() as manifests:
            manifests[:] = [
                entry
                for entry in manifests
                if entry["digest"] != image.digest
                or (name and entry.get("annotations", {}).get(NAME) != name)
            ]

    def copy_to(self, other: ImageStore, image: Image, names: tuple[str, ...]) -> None:
        """Give another store the image under these names: blobs are linked where that can be, else copied."""
        with other.writing():
            self._link_blobs(other, image)
            for name in names:
                other.tag(image.digest, name)

    def _link_blobs(self, other: ImageStore, image: Image) -> None:
        for digest in [*(entry["digest"] for entry in image.manifest["layers"]), image.id, image.digest]:
            source, target = self.blob(digest), other.blob(digest)
            if target.exists():
                continue
            draft = target.with_name(f"{_DRAFT}{target.name}-{os.getpid()}")
            draft.unlink(missing_ok=True)
            try:
                os.link(source, draft)
            except OSError:
                shutil.copyfile(source, draft)
            draft.replace(target)

    def snapshot(self, image: Image) -> Path:
        """Return the directory with the image's files, unpacked once. It is not to be written to."""
        target = self.directory / "snapshots" / image.id.removeprefix("sha256:")
        if not target.is_dir():
            private_directory(target.parent)
            draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=_DRAFT))
            try:
                for entry in image.manifest["layers"]:
                    layer.unpack(self.blob(entry["digest"]), draft)
                with contextlib.suppress(OSError):  # another process was faster; its copy is as good
                    draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return target

    # --- helpers

    def _manifests(self) -> list[Json]:
        try:
            index = json.loads(self._index.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise EmbeddedError(
                f"{self._index} is damaged: {error}; remove {self.directory} and build again"
            ) from error
        manifests: list[Json] = index["manifests"]
        return manifests

    def _image(self, digest: str, names: tuple[str, ...]) -> Image:
        manifest = self.read_json(digest)
        config_digest: str = manifest["config"]["digest"]
        return Image(config_digest, digest, manifest, self.read_json(config_digest), names)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Json]]:
        private_directory(self._blobs)
        with locked(self.directory / ".lock"):
            manifests = self._manifests()
            yield manifests
            if not (self.directory / "oci-layout").exists():
                write_json(self.directory / "oci-layout", {"imageLayoutVersion": "1.0.0"})
            write_json(self._index, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
            self._sweep(manifests)

    def _sweep(self, manifests: list[Json]) -> None:
        """Remove what no image and no cached step refers to any more, unless somebody is writing an image."""
        with open(self.directory / ".writers", "a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._remove_unused(manifests)

    def _remove_unused(self, manifests: list[Json]) -> None:
        used, images = BuildCache(self.directory).layers(), set()
        for digest in {entry["digest"] for entry in manifests}:
            manifest = self.read_json(digest)
            images.add(manifest["config"]["digest"].removeprefix("sha256:"))
            used |= {digest, manifest["config"]["digest"], *(e["digest"] for e in manifest["layers"])}
        kept = {digest.removeprefix("sha256:") for digest in used}
        for blob in self._blobs.iterdir():
            if not blob.name.startswith(_DRAFT) and blob.name not in kept:
                blob.unlink(missing_ok=True)
        snapshots = self.directory / "snapshots"
        for snapshot in snapshots.iterdir() if snapshots.is_dir() else ():
            if not snapshot.name.startswith(_DRAFT) and snapshot.name not in images:
                shutil.rmtree(snapshot, ignore_errors=True)
