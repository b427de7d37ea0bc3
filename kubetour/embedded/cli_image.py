"""Docker's commands for images: build, images, history, image inspect, image rm."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kubetour.embedded import gotemplate, imageformat, reference
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore
from kubetour.embedded.paths import state_root

HISTORY = {
    "IMAGE": "ID",
    "CREATED": "CreatedSince",
    "CREATED BY": "CreatedBy",
    "SIZE": "Size",
    "COMMENT": "Comment",
}
IMAGES = {
    "REPOSITORY": "Repository",
    "TAG": "Tag",
    "IMAGE ID": "ID",
    "CREATED": "CreatedSince",
    "SIZE": "Size",
}


def store() -> ImageStore:
    """Return this machine's image store."""
    return ImageStore(state_root() / "images")


def find(images: ImageStore, name: str) -> Image:
    """Return an image; EmbeddedError if there is none of that name."""
    image = images.find(name)
    if image is None:
        raise EmbeddedError(
            f"no such image: {name}; `build -t {name} CONTEXT` makes it, `images` lists what is there"
        )
    return image


def print_rows(rows: list[dict[str, Any]], columns: dict[str, str], template: str | None) -> None:
    """Print rows as a table, or each by a template."""
    if template:
        for row in rows:
            print(gotemplate.render(template, row))
    else:
        print(imageformat.table(rows, columns), end="")


def print_objects(objects: list[Any], template: str | None) -> None:
    """Print what `inspect` found: one JSON array, or each by a template."""
    if template:
        print_rows(objects, {}, template)
    else:
        print(json.dumps(objects, indent=4, ensure_ascii=False))


def build(arguments: Namespace) -> int:
    """Build an image; its steps go to standard error, as BuildKit's do."""
    from kubetour.embedded.builder import Builder

    values = _pairs(arguments.build_arg, "--build-arg")
    context = Path(arguments.context)
    file = Path(arguments.file) if arguments.file else context / "Dockerfile"

    def say(line: str) -> None:
        if not arguments.quiet:
            print(line, file=sys.stderr, flush=True)

    labels = _pairs(arguments.label, "--label")
    builder = Builder(store(), say, use_cache=not arguments.no_cache, labels=labels)
    image = builder.build(context, file, arguments.tag, values)
    if arguments.quiet:
        print(image.id)
    return 0


def _pairs(texts: list[str], flag: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise EmbeddedError(f"{flag} {text}: give NAME=VALUE")
        pairs[name] = value
    return pairs


def images(arguments: Namespace) -> int:
    """List the images."""
    now = datetime.now(timezone.utc)
    found = store().images()
    rows = imageformat.listing(found, now, truncate=not arguments.no_trunc)
    if arguments.image:
        wanted = reference.parse(arguments.image)
        tagged = ":" in arguments.image.rpartition("/")[2]
        rows = [
            row
            for row in rows
            if row["Repository"] == wanted.repository and (not tagged or row["Tag"] == wanted.tag)
        ]
    if arguments.quiet:
        for identity in dict.fromkeys(row["ID"] for row in rows):
            print(identity)
        return 0
    print_rows(rows, IMAGES, arguments.format)
    return 0


def history(arguments: Namespace) -> int:
    """Show an image's history, the newest first."""
    image = find(store(), arguments.image)
    rows = imageformat.history(image, datetime.now(timezone.utc), truncate=not arguments.no_trunc)
    print_rows(rows, HISTORY, arguments.format)
    return 0


def inspect(arguments: Namespace) -> int:
    """Print all about images. As in Docker, an empty array where one is missing."""
    images = store()
    found, missing = [], []
    for name in arguments.images:
        image = images.find(name)
        if image is None:
            missing.append(name)
        else:
            found.append(imageformat.inspect(image))
    print_objects(found, arguments.format)
    if missing:
        raise EmbeddedError(f"no such image: {', '.join(missing)}")
    return 0


def remove(arguments: Namespace) -> int:
    """Remove names, and each image with its last name."""
    images = store()
    for name in arguments.images:
        image = images.find(name)
        if image is None:
            if arguments.force:
                continue
            raise EmbeddedError(f"no such image: {name}")
        full = str(reference.parse(name)) if not image.id.removeprefix("sha256:").startswith(name) else ""
        if full in image.names:
            images.remove(image, full)
            print(f"Untagged: {reference.parse(full).familiar}")
        else:
            images.remove(image)
            for each in image.familiar_names:
                print(f"Untagged: {each}")
        if images.find(image.id) is None:
            print(f"Deleted: {image.id}")
    return 0
