"""`crictl` on a node: what its container runtime has. The node's own directory answers, not the API."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kubetour.embedded import crictl_containers, imageformat, reference
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore
from kubetour.embedded.units import human_size

USAGE = (
    "the embedded cluster's crictl knows: images [-o json|table] [-q], inspecti [-o json] IMAGE, "
    "ps [-q] [--label KEY=VALUE], stop [-t SECONDS] CONTAINER-ID"
)


def main(argv: list[str], node: Path) -> int:
    """Run crictl's words on a node, given by its directory, and return its exit status."""
    store = node_store(node)
    if argv[:1] == ["ps"]:
        return crictl_containers.ps(argv[1:], node)
    if argv[:1] == ["stop"]:
        return crictl_containers.stop(argv[1:], node)
    words, output, quiet = _options(argv)
    if words in (["images"], ["image", "ls"]):
        return _images(store, output or "table", quiet)
    if len(words) == 2 and words[0] == "inspecti":
        return _inspect(store, words[1])
    raise EmbeddedError(USAGE)


def _options(argv: list[str]) -> tuple[list[str], str, bool]:
    words, output, quiet = [], "", False
    rest = iter(argv)
    for word in rest:
        if word in ("-o", "--output"):
            output = next(rest, "")
        elif word.startswith("--output="):
            output = word.partition("=")[2]
        elif word in ("-q", "--quiet"):
            quiet = True
        elif word.startswith("-"):
            raise EmbeddedError(f"unknown flag {word}; {USAGE}")
        else:
            words.append(word)
    if output not in ("", "json", "table"):
        raise EmbeddedError(f"-o {output}: json and table are known")
    return words, output, quiet


def _images(store: ImageStore, output: str, quiet: bool) -> int:
    images = sorted(store.images(), key=lambda image: image.names)
    if quiet:
        for image in images:
            print(image.id)
    elif output == "json":
        print(json.dumps({"images": [imageformat.cri_image(image) for image in images]}, indent=2))
    else:
        rows = [row for image in images for row in _rows(image)]
        columns = {name: name for name in ("IMAGE", "TAG", "IMAGE ID", "SIZE")}
        print(imageformat.table(rows, columns), end="")
    return 0


def _rows(image: Image) -> list[dict[str, str]]:
    about = {"IMAGE ID": image.id.removeprefix("sha256:")[:13], "SIZE": human_size(image.size)}
    parsed = [reference.parse(name) for name in image.names]
    return [{"IMAGE": f"{each.domain}/{each.path}", "TAG": each.tag, **about} for each in parsed]


def _inspect(store: ImageStore, name: str) -> int:
    image = store.find(name)
    if image is None:
        print(f'FATA[0000] no such image "{name}" present', file=sys.stderr)
        return 1
    print(json.dumps(imageformat.cri_inspect(image), indent=2, sort_keys=True))
    return 0


def node_store(directory: Path) -> ImageStore:
    """Return the image store of a node's directory."""
    return ImageStore(directory / "images")
