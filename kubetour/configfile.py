"""Invoke's configuration file, looked at before Invoke reads it and fails with a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kubetour.errors import UsageError
from kubetour.text import from_locale

NAMES = ("invoke.yaml", "invoke.yml")
LARGEST = 1024 * 1024  # bytes
MOST = 100_000  # values, with each alias counted as what it stands for: ten lines can stand for a billion


def look(directory: Path) -> None:
    """Return if there is no such file, or one that Invoke can take in; else tell what is wrong, and exit."""
    for path in (directory / name for name in NAMES):
        if path.exists():
            from kubetour.ending import told  # which loads what the bare list of tasks does not need

            with told(from_locale()):
                _require(path)


def _require(path: Path) -> None:
    import yaml  # 50 ms, and mostly there is no such file

    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise ValueError(f"no regular file of at most {LARGEST} bytes")
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise ValueError("no mapping of names to values")
        for count, _ in enumerate(_nodes(root, ())):
            if count > MOST:
                raise ValueError("too many values")
        yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError("config-unusable", file=path.name, reason=str(error)) from error


def _nodes(node: object, above: tuple[int, ...]) -> Iterator[object]:
    """Yield the values of a document; ValueError for one that holds itself."""
    import yaml

    if id(node) in above:
        raise ValueError("it holds itself")
    yield node
    children = node.value if isinstance(node, yaml.CollectionNode) else ()
    for child in children:
        for each in child if isinstance(child, tuple) else (child,):
            yield from _nodes(each, (*above, id(node)))
