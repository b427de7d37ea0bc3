"""`kind load docker-image` and `kind load image-archive`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kind_standin import docker, failures, nodes, pace
from kind_standin.errors import CommandError, KindError
from kind_standin.status import Log

IMPORT = (
    "--namespace=k8s.io",
    "images",
    "import",
    "--all-platforms",
    "--digests",
    "--snapshotter=overlayfs",
    "-",
)


def docker_images(log: Log, images: list[str], cluster: str, wanted: list[str]) -> None:
    """Save the images that a node lacks and import them there; KindError in kind's words.

    As in kind, a program named docker saves them, whatever engine the nodes are of.
    """
    ids = {image: _local_id(image) for image in dict.fromkeys(images)}
    chosen = nodes.chosen(cluster, wanted)
    needy: list[str] = []
    for image, identity in ids.items():
        retagged = False
        for node in chosen:
            tags = _tags(node, identity)
            if sanitized(image) in tags:
                continue
            if tags:
                log(
                    f"Image with ID: {identity} already present on the node {node} but is missing the tag "
                    f"{sanitized(image)}. re-tagging..."
                )
                docker.on_node(
                    node, "ctr", "--namespace=k8s.io", "images", "tag", "--force", identity, sanitized(image)
                )
                retagged = True
                continue
            needy.append(node)
            log(f'Image: "{image}" with ID "{identity}" not yet present on node "{node}", loading...')
        if not needy and not retagged:
            log(f'Image: "{image}" with ID "{identity}" found to be already present on all nodes.')
    if not needy:
        return
    with tempfile.TemporaryDirectory(prefix="images-tar") as folder:
        archive = Path(folder) / "images.tar"
        docker.run("save", "-o", str(archive), *ids, by="docker")
        _import(archive, dict.fromkeys(needy))


def archives(paths: list[str], cluster: str, wanted: list[str]) -> None:
    """Import the archives on the nodes; KindError in kind's words."""
    for path in paths:
        if not Path(path).exists():
            raise KindError(f"stat {path}: no such file or directory")
    for path in paths:
        _import(Path(path), nodes.chosen(cluster, wanted))


def sanitized(image: str) -> str:
    """Return the name in full, as containerd keeps it: docker.io/library/NAME:latest."""
    name = image if "/" in image else f"library/{image}"
    first = name.partition("/")[0]
    if not any(mark in first for mark in ".:") and first != "localhost":
        name = f"docker.io/{name}"
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _local_id(image: str) -> str:
    try:
        return docker.run("image", "inspect", "-f", "{{ .Id }}", image, by="docker").strip()
    except CommandError:
        raise KindError(f'image: "{image}" not present locally') from None


def _tags(node: str, identity: str) -> list[str]:
    """Return the names that the node has for an image, none if it has no such image."""
    try:
        found: list[str] = json.loads(docker.on_node(node, "crictl", "inspecti", identity))["status"][
            "repoTags"
        ]
    except CommandError:
        return []
    return found


def _import(archive: Path, chosen: Iterable[str]) -> None:
    """Import an archive on the nodes. kind does so on each by itself; here the first one passes it on."""
    first, *others = chosen
    try:
        if (failed := failures.importing(docker.exec_argv(first, "ctr", *IMPORT, stdin=True))) is not None:
            raise failed
        with archive.open("rb") as file, pace.kept("load"):
            docker.on_node(first, "ctr", *IMPORT, stdin=file, environment={"ALSO_ON": " ".join(others)})
    except CommandError as error:
        raise error.within("failed to load image") from None
