"""Image archives made for tests: of `docker save`, and OCI image layouts."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

from kubetour.embedded import imagestore
from kubetour.embedded.machine import architecture

NAME = "docker.io/library/app:1"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as writer:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            writer.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            writer.addfile(member)
    return held.getvalue()


LAYER = tar({"app/app.js": b"console.log(1)\n"})
BASE = tar({"etc/passwd": b"root:x:0:0::/:/bin/sh\n"})
CONFIG = json.dumps(
    {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": ["node", "app.js"], "WorkingDir": "/app"},
        "rootfs": {"type": "layers", "diff_ids": [digest(BASE), digest(LAYER)]},
    }
).encode()


def docker_save(**changed: bytes) -> bytes:
    """Return what `docker save` wrote before version 25."""
    config = f"{digest(CONFIG).removeprefix('sha256:')}.json"
    manifest = [{"Config": config, "RepoTags": ["app:1"], "Layers": ["aa/layer.tar", "bb/layer.tar"]}]
    files = {
        config: CONFIG,
        "aa/layer.tar": BASE,
        "bb/layer.tar": LAYER,
        "manifest.json": json.dumps(manifest).encode(),
        "repositories": b"{}",
    }
    return tar(
        {**files, **{name.replace("__", "/").replace("_", "."): text for name, text in changed.items()}}
    )


class Layout:
    """An OCI image layout in the making."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(self, content: bytes, kind: str = "", **more: Any) -> dict[str, Any]:
        """Add a blob and return its descriptor."""
        self.files[f"blobs/sha256/{digest(content).removeprefix('sha256:')}"] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content), **more}

    def image(
        self, config: bytes = CONFIG, layers: Iterable[bytes] = (BASE, LAYER), **more: Any
    ) -> dict[str, Any]:
        """Add an image and return its manifest's descriptor."""
        manifest = {
            "schemaVersion": 2,
            "config": self.add(config, imagestore.CONFIG),
            "layers": [self.add(each, "application/vnd.oci.image.layer.v1.tar+gzip") for each in layers],
        }
        return self.add(json.dumps(manifest).encode(), imagestore.MANIFEST, **more)

    def index(self, *entries: dict[str, Any]) -> bytes:
        """Return an index of these entries."""
        return json.dumps({"schemaVersion": 2, "mediaType": imagestore.INDEX, "manifests": entries}).encode()

    def tar(self, *entries: dict[str, Any]) -> bytes:
        """Return the archive."""
        return tar({**self.files, "index.json": self.index(*entries)})


NAMED: Any = {"annotations": {imagestore.NAME: NAME, "org.opencontainers.image.ref.name": "1"}}


def multi_platform(*, with_other: bool) -> bytes:
    """Return an index for two platforms, as the containerd image store saves it."""
    layout = Layout()
    ours = layout.image(platform={"os": "linux", "architecture": architecture()})
    held = dict(layout.files)
    other = layout.image(CONFIG + b" ", platform={"os": "linux", "architecture": "s390x"})
    attestation = layout.image(b"{}", [], platform={"os": "unknown", "architecture": "unknown"})
    if not with_other:
        layout.files = held
    entry = layout.add(layout.index(other, attestation, ours), imagestore.INDEX, **NAMED)
    return layout.tar(entry)
