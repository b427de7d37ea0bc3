"""`ctr` on a node, as far as kind uses it: `images import -` and `images tag --force ID NAME`.

What is imported also goes to the nodes that $ALSO_ON names: all stores are on one disk here, and links are
made faster than an archive is read once more.
"""

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
    words = [word for word in argv if word == "-" or not word.startswith("-")]
    cluster = ClusterDirectory(environment["CLUSTER_NAME"])
    store, *others = (
        node_store(cluster.node(name))
        for name in (environment["NODE_NAME"], *environment.get("ALSO_ON", "").split())
    )
    try:
        if words[:2] == ["images", "import"] and len(words) == 3:
            names = _import(store, words[2], all_platforms="--all-platforms" in argv)
            for image in {image.id: image for image in map(store.find, names) if image}.values():
                for other in others:
                    store.copy_to(other, image, image.names)
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


def _import(store: ImageStore, file: str, *, all_platforms: bool) -> list[str]:
    if file == "-":
        return archive.load(sys.stdin.buffer, store, all_platforms=all_platforms)
    with Path(file).open("rb") as opened:
        return archive.load(opened, store, all_platforms=all_platforms)


def _tag(store: ImageStore, source: str, name: str) -> None:
    image = store.find(source)
    if image is None:
        raise EmbeddedError(f'image "{source}": not found')
    store.tag(image.digest, str(reference.parse(name)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
