"""Image archives (of `docker save`, `podman save`, `docker buildx -o type=oci`), read into an image store.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format

An archive is read once, front to back, so it may come through a pipe. Every blob's digest is checked.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kubetour.embedded import imagestore, layer, reference
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.machine import architecture

Json = dict[str, Any]

INDEXES = (imagestore.INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
# BuildKit puts a statement about how an image was built beside it, as a platform that no machine is.
ATTESTATION = "unknown"
_CHUNK = 1 << 20


class ContentMissingError(EmbeddedError):
    """The archive names a blob that it does not hold."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"content digest {digest}: not found in the archive; save the image for one platform: "
            f"docker image save --platform linux/{architecture()} -o FILE IMAGE"
        )
        self.digest = digest


@dataclass(frozen=True)
class _Blob:
    """A file of the archive, kept in the store under a name of its own until it is known to be needed."""

    draft: Path
    digest: str
    size: int

    def json(self) -> Any:
        return json.loads(self.draft.read_bytes())


_Found = tuple[bytes, list[_Blob], list[str]]


def load(file: IO[bytes], store: ImageStore, *, all_platforms: bool = False) -> list[str]:
    """Store an archive's images and return their full names, in the archive's order.

    Of an image for several platforms this machine's is taken; with `all_platforms` every one must be there,
    as `ctr images import --all-platforms` demands. Raises EmbeddedError for what is no image archive or is
    damaged, ContentMissingError where a part is not in it; then the store is as it was.
    """
    with _unpacked(file, store) as members:
        try:
            found = list(_images(members, all_platforms))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise EmbeddedError(
                f"the archive is damaged: {type(error).__name__}: {error}; save the image again"
            ) from error
        for manifest, blobs, names in found:
            for blob in blobs:
                if blob.draft.exists():  # else an image before had it, too
                    store.adopt(blob.draft, blob.digest)
            digest = store.put(manifest)
            for name in names:
                store.tag(digest, name)
        return [name for _, _, names in found for name in names]


def _images(members: Mapping[str, _Blob], all_platforms: bool) -> Iterator[_Found]:
    if "index.json" in members:
        return _from_layout(members, all_platforms)
    if "manifest.json" in members:
        return _from_docker(members)
    raise EmbeddedError(
        "this is no image archive: neither index.json nor manifest.json is in it; make one with docker save"
    )


@contextmanager
def _unpacked(file: IO[bytes], store: ImageStore) -> Iterator[Mapping[str, _Blob]]:
    """Give the archive's files by path; what is not adopted is removed afterwards."""
    members: dict[str, _Blob] = {}
    links: dict[str, str] = {}
    try:
        try:
            with tarfile.open(fileobj=file, mode="r|*") as tar:
                for member in tar:
                    path = posixpath.normpath(member.name)
                    if member.isfile() and (content := tar.extractfile(member)):
                        members[path] = _keep(content, store)
                    elif member.issym():  # `docker save` writes a layer once and links to it
                        links[path] = posixpath.normpath(
                            posixpath.join(posixpath.dirname(path), member.linkname)
                        )
                    elif member.islnk():
                        links[path] = posixpath.normpath(member.linkname)
        except (tarfile.TarError, EOFError) as error:
            raise EmbeddedError(
                f"this is no image archive, or it is cut off: {error}; make it again with docker save"
            ) from error
        yield {**members, **{path: members[to] for path, to in links.items() if to in members}}
    finally:
        for blob in members.values():
            blob.draft.unlink(missing_ok=True)


def _keep(content: IO[bytes], store: ImageStore) -> _Blob:
    sha256, size = hashlib.sha256(), 0
    with store.writer() as draft:
        while chunk := content.read(_CHUNK):
            sha256.update(chunk)
            size += draft.write(chunk)
    return _Blob(Path(draft.name), f"sha256:{sha256.hexdigest()}", size)


def _from_docker(members: Mapping[str, _Blob]) -> Iterator[_Found]:
    """Read `manifest.json`, Docker's own form: a list of images, each with its config and layers by path."""
    for entry in members["manifest.json"].json():
        config = _member(members, entry["Config"])
        layers = [_member(members, path) for path in entry["Layers"]]
        expected = config.json().get("rootfs", {}).get("diff_ids", [])
        for blob, diff_id in zip(layers, expected, strict=False):
            if blob.digest != diff_id:
                raise _damaged(diff_id)
        if len(layers) != len(expected):
            raise EmbeddedError(
                f"the archive is damaged: {len(layers)} of {len(expected)} layers are in it; save it again"
            )
        manifest = {
            "schemaVersion": 2,
            "mediaType": imagestore.MANIFEST,
            "config": {"mediaType": imagestore.CONFIG, "digest": config.digest, "size": config.size},
            "layers": [
                {"mediaType": layer.MEDIA_TYPE, "digest": blob.digest, "size": blob.size} for blob in layers
            ],
        }
        names = [str(reference.parse(name)) for name in entry.get("RepoTags") or []]
        yield json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode(), [config, *layers], names


def _from_layout(members: Mapping[str, _Blob], all_platforms: bool) -> Iterator[_Found]:
    """Read an OCI image layout. An entry of its index is an image, or an index of one image's platforms."""
    for entry in members["index.json"].json()["manifests"]:
        manifests = list(_manifests(members, entry, all_platforms))
        for manifest in manifests:
            document = manifest.json()
            described = [document["config"], *document["layers"]]
            blobs = [_blob(members, each["digest"]) for each in described]
            names = [_name(entry)] if _name(entry) and manifest is manifests[0] else []
            if names or all_platforms:
                yield manifest.draft.read_bytes(), blobs, names


def _manifests(members: Mapping[str, _Blob], entry: Json, all_platforms: bool) -> Iterator[_Blob]:
    """Give the manifests under an entry of the index, this machine's platform first."""
    blob = _blob(members, entry["digest"])
    if entry.get("mediaType") not in INDEXES:
        yield blob
        return
    entries = [each for each in blob.json()["manifests"] if _architecture(each) != ATTESTATION]
    ours = [each for each in entries if _architecture(each) in (architecture(), "")]
    if not ours:
        offered = ", ".join(sorted(_architecture(each) for each in entries)) or "none"
        raise EmbeddedError(
            f"the image is not there for {architecture()}, only for {offered}; build or pull it for that"
        )
    for each in [*ours, *(each for each in entries if each not in ours)] if all_platforms else ours[:1]:
        yield from _manifests(members, each, all_platforms)


def _architecture(entry: Json) -> str:
    return str(entry.get("platform", {}).get("architecture", ""))


def _name(entry: Json) -> str:
    """Return the full name that the index gives an image, or "" (a bare tag is not a name)."""
    annotations = entry.get("annotations", {})
    name = annotations.get(imagestore.NAME) or annotations.get("org.opencontainers.image.ref.name", "")
    return str(reference.parse(name)) if ":" in name or "/" in name else ""


def _member(members: Mapping[str, _Blob], path: str) -> _Blob:
    found = members.get(posixpath.normpath(path))
    if found is None:
        raise EmbeddedError(f"the archive is damaged: {path} is not in it; save the image again")
    hexadecimal = posixpath.basename(path).partition(".")[0]
    if len(hexadecimal) == 64 and found.digest != f"sha256:{hexadecimal}":
        raise _damaged(f"sha256:{hexadecimal}")
    return found


def _blob(members: Mapping[str, _Blob], digest: str) -> _Blob:
    found = members.get("blobs/" + digest.replace(":", "/"))
    if found is None:
        raise ContentMissingError(digest)
    if found.digest != digest:
        raise _damaged(digest)
    return found


def _damaged(digest: str) -> EmbeddedError:
    return EmbeddedError(
        f"the archive is damaged: its content for {digest} has another digest; save the image again"
    )
