"""Strict YAML decoding into known types, with the messages of Go's yaml: https://github.com/yaml/go-yaml"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from kind_standin.errors import KindError

Types = Mapping[str, Mapping[str, str]]
_TAGS = {"bool": ("true", "false", "True", "False", "TRUE", "FALSE")}
_TAG = "tag:yaml.org,2002:"


def document(text: str, context: str) -> yaml.Node | None:
    """Return the first document's node; KindError where the text is no YAML."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise KindError(f"{context}: yaml: line {line}: {error.problem}") from None


def fields(node: yaml.Node | None) -> dict[str, str]:
    """Return a mapping's scalar fields as they are written."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {
        key.value: value.value
        for key, value in node.value
        if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
    }


def decode(node: yaml.Node | None, kind: str, types: Types, package: str) -> Any:
    """Return the node as the type `kind`; KindError lists everything that does not fit."""
    found: list[str] = []
    value = _decode(node, kind, types, package, found)
    if found:
        raise KindError("yaml: unmarshal errors:\n" + "\n".join(f"  {problem}" for problem in found))
    return value


def _decode(node: yaml.Node | None, kind: str, types: Types, package: str, found: list[str]) -> Any:
    if node is None or node.tag == _TAG + "null":
        return None
    if kind.startswith("[]") and isinstance(node, yaml.SequenceNode):
        return [_decode(item, kind[2:], types, package, found) for item in node.value]
    if kind.startswith("map[string]") and isinstance(node, yaml.MappingNode):
        value_type = kind.removeprefix("map[string]")
        return {key.value: _decode(value, value_type, types, package, found) for key, value in node.value}
    if kind in types and isinstance(node, yaml.MappingNode):
        return _struct(node, kind, types, package, found)
    if isinstance(node, yaml.ScalarNode):
        if kind == "string":
            return node.value
        if kind == "bool" and node.tag == _TAG + "bool" and node.value in _TAGS["bool"]:
            return node.value.lower() == "true"
        if kind == "int32" and node.tag == _TAG + "int" and re.fullmatch(r"[-+]?\d+", node.value):
            return int(node.value)
    found.append(f"line {_line(node)}: cannot unmarshal {_shown(node)} into {_go(kind, types, package)}")
    return None


def _struct(
    node: yaml.MappingNode, kind: str, types: Types, package: str, found: list[str]
) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for key, value in node.value:
        if key.value not in types[kind]:
            found.append(f"line {_line(key)}: field {key.value} not found in type {package}.{kind}")
        elif key.value in decoded:
            found.append(f'line {_line(key)}: mapping key "{key.value}" already defined')
        else:
            decoded[key.value] = _decode(value, types[kind][key.value], types, package, found)
    return {name: value for name, value in decoded.items() if value is not None}


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _go(kind: str, types: Types, package: str) -> str:
    prefix, base = ("[]", kind[2:]) if kind.startswith("[]") else ("", kind)
    return f"{prefix}{package}.{base}" if base in types else kind


def _shown(node: yaml.Node) -> str:
    tag = "!!" + node.tag.removeprefix(_TAG)
    if not isinstance(node, yaml.ScalarNode):
        return tag
    short = node.value if len(node.value) <= 10 else node.value[:7] + "..."
    return f"{tag} `{short}`"
