"""Rules of a Pod's volumes: one source each, and what each source needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubetour.embedded import quantity
from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, duplicate, forbidden, invalid, required
from kubetour.embedded.validation.metadata import dns1123_label

_NEEDS = (
    ("secret", "secretName"),
    ("configMap", "name"),
    ("hostPath", "path"),
    ("persistentVolumeClaim", "claimName"),
)
_OF_FILES = ("configMap", "secret", "downwardAPI", "projected")
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def validate_volumes(volumes: list[Object], field: str) -> tuple[set[str], list[FieldError]]:
    """Return the volumes' names and what is wrong with them."""
    names: set[str] = set()
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        where, name = f"{field}[{index}]", volume.get("name", "")
        sources = sorted(volume.keys() - {"name"})
        errors += [
            forbidden(f"{where}.{extra}", "may not specify more than 1 volume type") for extra in sources[1:]
        ]
        errors += _source(volume, where)
        if not name:
            errors.append(required(f"{where}.name"))
        else:
            errors += [invalid(f"{where}.name", name, problem) for problem in dns1123_label(name)]
        if name in names:
            errors.append(duplicate(f"{where}.name", name))
        names.add(name)
    return names, errors


def _source(volume: Object, field: str) -> Iterator[FieldError]:
    for source, key in _NEEDS:
        if source in volume and not volume[source].get(key):
            yield required(f"{field}.{source}.{key}")
    limit = (volume.get("emptyDir") or {}).get("sizeLimit")
    if limit is not None and quantity.parse(limit) < 0:
        text = "SizeLimit field must be a valid resource quantity"
        yield forbidden(f"{field}.emptyDir.sizeLimit", text)
    for source in _OF_FILES:
        files = volume.get(source)
        if files:
            where = f"{field}.{source}"
            yield from _mode(files.get("defaultMode"), f"{where}.defaultMode")
            for index, item in enumerate(files.get("items") or []):
                yield from _item(item, source != "downwardAPI", f"{where}.items[{index}]")


def _item(item: Object, of_key: bool, field: str) -> Iterator[FieldError]:
    path = item.get("path", "")
    if of_key and not item.get("key"):
        yield required(f"{field}.key")
    if not path:
        yield required(f"{field}.path")
    if path.startswith("/"):
        yield invalid(f"{field}.path", path, "must be a relative path")
    if ".." in path.split("/"):
        yield invalid(f"{field}.path", path, "must not contain '..'")
    if path.startswith(".."):
        yield invalid(f"{field}.path", path, "must not start with '..'")
    yield from _mode(item.get("mode"), f"{field}.mode")


def _mode(mode: Any, field: str) -> Iterator[FieldError]:
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(field, mode, _MODE)
