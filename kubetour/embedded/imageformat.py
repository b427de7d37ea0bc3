"""Images as Docker's commands print them: `inspect`, `history`, `images`; and as crictl does on a node."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from kubetour.embedded import reference
from kubetour.embedded.imagestore import Image
from kubetour.embedded.units import human_duration, human_size

Json = dict[str, Any]
_CONFIG_DEFAULTS: Json = {
    "Env": None,
    "Cmd": None,
    "Entrypoint": None,
    "WorkingDir": "",
    "User": "",
    "Labels": None,
}


def inspect(image: Image) -> Json:
    """Return what `docker image inspect` prints of an image."""
    config = image.config
    return {
        "Id": image.id,
        "RepoTags": image.familiar_names,
        "RepoDigests": [],
        "Parent": "",
        "Comment": "",
        "Created": config.get("created", ""),
        "Author": config.get("author", ""),
        "Architecture": config.get("architecture", ""),
        "Os": config.get("os", ""),
        "Size": image.size,
        "Config": {**_CONFIG_DEFAULTS, **(config.get("config") or {})},
        "RootFS": {"Type": "layers", "Layers": config["rootfs"]["diff_ids"]},
        "Descriptor": {"mediaType": image.manifest.get("mediaType", ""), "digest": image.digest},
    }


def history(image: Image, now: datetime, *, truncate: bool) -> list[Json]:
    """Return the rows of `docker history`, the newest first, with the keys of its `--format json`."""
    sizes = iter(image.layer_sizes)
    rows = []
    for record in image.config.get("history") or []:
        size = 0 if record.get("empty_layer") else next(sizes, 0)
        created_by = str(record.get("created_by", ""))
        created = str(record.get("created", ""))
        rows.append(
            {
                "Comment": record.get("comment", ""),
                "CreatedAt": created,
                "CreatedBy": _cut(created_by, 45) if truncate else created_by,
                "CreatedSince": ago(created, now),
                "ID": "<missing>",
                "Size": human_size(size),
            }
        )
    rows.reverse()
    if rows:
        rows[0]["ID"] = short_id(image.id) if truncate else image.id
    return rows


def listing(images: list[Image], now: datetime, *, truncate: bool) -> list[Json]:
    """Return the rows of `docker images`, with the keys of its `--format json`."""
    rows = []
    for image in images:
        for name in image.names or ("",):
            parsed = reference.parse(name) if name else None
            rows.append(
                {
                    "Repository": parsed.repository if parsed else "<none>",
                    "Tag": (parsed.tag if parsed else "") or "<none>",
                    "Digest": "<none>",
                    "ID": short_id(image.id) if truncate else image.id,
                    "CreatedAt": image.config.get("created", ""),
                    "CreatedSince": ago(str(image.config.get("created", "")), now),
                    "Size": human_size(image.size),
                }
            )
    return rows


def table(rows: list[Json], columns: dict[str, str]) -> str:
    """Return rows as Docker prints a table: `columns` maps a heading to a row's key; three spaces between."""
    lines = [list(columns), *([str(row[key]) for key in columns.values()] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    padded = (
        "   ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    return "\n".join(padded) + "\n"


def cri_image(image: Image) -> Json:
    """Return an image as the CRI's ImageService tells it."""
    user = str((image.config.get("config") or {}).get("User", ""))
    return {
        "id": image.id,
        "repoTags": list(image.names),
        "repoDigests": [],
        "size": str(image.size),
        "uid": {"value": user.partition(":")[0]} if user.partition(":")[0].isdigit() else None,
        "username": "" if user[:1].isdigit() else user,
        "spec": None,
        "pinned": False,
    }


def cri_inspect(image: Image) -> Json:
    """Return what `crictl inspecti` prints of an image."""
    return {"status": cri_image(image), "info": {"imageSpec": image.config}}


def short_id(identity: str) -> str:
    """Return the first twelve digits of an ID."""
    return identity.removeprefix("sha256:")[:12]


def parse_time(text: str) -> datetime | None:
    """Return an RFC 3339 time, of whatever precision; None for none."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{fraction[:6]:0<6}").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def ago(created: str, now: datetime) -> str:
    """Return how long ago that was, as Docker puts it."""
    moment = parse_time(created)
    return f"{human_duration((now - moment).total_seconds())} ago" if moment else "N/A"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
