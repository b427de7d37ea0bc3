"""`ctr` on a node, as far as kind uses it: `images import -` and `images tag --force ID NAME`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from kubetour.embedded import archive, reference
from kubetour.embedded.clusterstate import ClusterDirectory
from kubetour.embedded.crictl import node_store
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Run one command on this node's image store and return its exit status."""
    words = [word for word in argv if not word.startswith("--")]
    store = node_store(ClusterDirectory(environment["CLUSTER_NAME"]).node(environment["NODE_NAME"]))
    try:
        if words[:2] == ["images", "import"] and len(words) == 3:
            _import(store, words[2], all_platforms="--all-platforms" in argv)
        elif words[:2] == ["images", "tag"] and len(words) == 4:
            _tag(store, words[2], words[3])
        else:
            raise EmbeddedError(f"kubetour's stand-in for ctr does not know: {' '.join(argv)}")
    except archive.ContentMissingError as error:
        print(f"ctr: content digest {error.digest}: not found", file=sys.stderr)
        return 1
    except EmbeddedError as error:
        print(f"ctr: {error}", file=sys.stderr)
        return 1
    return 0


def _import(store: ImageStore, file: str, *, all_platforms: bool) -> None:
    if file == "-":
        archive.load(sys.stdin.buffer, store, all_platforms=all_platforms)
        return
    with Path(file).open("rb") as opened:
        archive.load(opened, store, all_platforms=all_platforms)


def _tag(store: ImageStore, source: str, name: str) -> None:
    image = store.find(source)
    if image is None:
        raise EmbeddedError(f'image "{source}": not found')
    store.tag(image.digest, str(reference.parse(name)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
