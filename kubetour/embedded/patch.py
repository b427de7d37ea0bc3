"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
from typing import Any

from kubetour.embedded.api import StatusError
from kubetour.embedded.apierrors import bad_request
from kubetour.embedded.documents import DEEPEST, LARGEST, is_deeper, json_kind

_MOST_OPERATIONS = 10000  # as k8s.io/apiserver/pkg/endpoints/handlers/patch.go


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` after a merge patch: null removes a field, objects merge, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Any, operations: Any) -> Any:
    """Return a copy of `target` after a JSON patch; 400 for what is no patch, 422 where it does not apply."""
    if not isinstance(operations, list) or not all(isinstance(item, dict) for item in operations):
        kind = "Operation" if isinstance(operations, list) else "Patch"
        raise bad_request(
            f"json: cannot unmarshal {json_kind(operations)} into Go value of type jsonpatch.{kind}"
        )
    if len(operations) > _MOST_OPERATIONS:
        why = f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, got {len(operations)}"
        raise StatusError(413, "RequestEntityTooLarge", why, {})
    document, copied = copy.deepcopy(target), 0
    for operation in operations:
        try:
            document = _apply(document, operation)
            if operation["op"] == "copy":
                copied += len(str(_find(document, _pointer(operation["from"]))))
        except (KeyError, IndexError, TypeError, ValueError):
            raise _does_not_apply() from None
        if copied > LARGEST:  # each copy of a copy doubles it
            raise _does_not_apply()
    if is_deeper(document, DEEPEST):
        raise bad_request("exceeded max depth")
    return document


def _does_not_apply() -> StatusError:
    return StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    name, path = operation["op"], _pointer(operation["path"])
    if name == "test":
        if _find(document, path) != operation.get("value"):
            raise ValueError("the value is another one")
        return document
    if name == "remove":
        return _remove(document, path)
    if name == "add":
        return _add(document, path, copy.deepcopy(operation["value"]))
    if name == "replace":
        if not path:
            return copy.deepcopy(operation["value"])
        _find(document, path)
        return _add(_remove(document, path), path, copy.deepcopy(operation["value"]))
    if name in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_find(document, source))
        return _add(_remove(document, source) if name == "move" else document, path, value)
    raise ValueError(f"{name} is no operation")


def _pointer(text: str) -> list[str]:
    """Split a JSON pointer (RFC 6901)."""
    if text and not text.startswith("/"):
        raise ValueError(f"{text} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _find(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_index(part, len(document) - 1)] if isinstance(document, list) else document[part]
    return document


def _index(part: str, last: int) -> int:
    if not part.isdigit() or int(part) > last:
        raise IndexError(part)
    return int(part)


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _find(document, path[:-1])
    if isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else _index(path[-1], len(parent)), value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise TypeError("a scalar has no members")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    parent = _find(document, path[:-1])
    del parent[_index(path[-1], len(parent) - 1) if isinstance(parent, list) else path[-1]]
    return document
