"""Makes `protobuf.json` from Kubernetes' Go types: the field numbers of each struct as protobuf.

    git clone https://github.com/kubernetes/api && git clone https://github.com/kubernetes/apimachinery
    python -m kubetour.embedded.protobuf_schema api apimachinery

A struct becomes one line, "1:replicas* 2:selector* 3:template": field number and JSON name. "*" marks a
pointer, whose zero counts; "+Name" is a struct that JSON inlines, and Name has a line of its own.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from kubetour.embedded.schema import kinds, structs

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(
    r"^\t(?:\w+\s+)?(?P<type>[\w.*\[\]]+)\s+`json:\"(?P<json>[^\",]*)[^\"]*\""
    r"[^`]*?protobuf:\"\w+,(?P<number>\d+),",
    re.MULTILINE,
)
_META = "meta/v1"
_CORE = "core/v1"
_PACKAGES = {
    "": _CORE,
    "events.k8s.io": "events/v1",
    "apps": "apps/v1",
    "authentication.k8s.io": "authentication/v1",
    "authorization.k8s.io": "authorization/v1",
    "autoscaling": "autoscaling",
    "batch": "batch/v1",
    "networking.k8s.io": "networking/v1",
    "policy": "policy/v1",
    "rbac.authorization.k8s.io": "rbac/v1",
    "coordination.k8s.io": "coordination/v1",
    "discovery.k8s.io": "discovery/v1",
}
_ALIASES = {"v1": _CORE, "corev1": _CORE, "metav1": _META}
Fields = list[tuple[int, str, str, bool, bool]]


class GoTypes:
    """The structs of Kubernetes' API, read from its Go sources."""

    def __init__(self, api: Path, apimachinery: Path) -> None:
        self._api, self._machinery = api, apimachinery
        self._packages: dict[str, dict[str, Fields]] = {}

    def fields(self, package: str, name: str) -> Fields | None:
        """Return a struct's (number, JSON name, Go type, pointer, inline) rows; None if it is no struct."""
        if package not in self._packages:
            root = self._machinery / "pkg/apis" if package == _META else self._api
            text = (root / package / "types.go").read_text(encoding="utf-8")
            self._packages[package] = {m[1]: _fields(m[2]) for m in _STRUCT.finditer(text)}
        return self._packages[package].get(name)


def _fields(body: str) -> Fields:
    return [
        (
            int(m["number"]),
            m["json"],
            re.sub(r"^(\*|\[\]|map\[\w+\])+", "", m["type"]),
            m["type"].startswith("*"),
            not m["json"],
        )
        for m in _FIELD.finditer(body)
    ]


def generate(types: GoTypes) -> dict[str, str]:
    """Return the line of every struct that a served kind leads to."""
    lines: dict[str, str] = {}
    todo = []
    for key, struct in kinds().items():
        group_version, _, kind = key.rpartition("/")
        group, _, version = group_version.rpartition("/")
        package = _META if kind == "DeleteOptions" else _PACKAGES[group]
        package = package if "/" in package else f"{package}/{version}"
        todo.append((struct, package, kind))
    while todo:
        struct, package, name = todo.pop()
        if struct in lines:
            continue
        parts = []
        for number, field, go_type, pointer, inline in types.fields(package, name) or []:
            where, inner = _resolve(package, go_type)
            if inline:
                parts.append(f"{number}:+{inner}")
                todo.append((inner, where, inner))
                todo += _children(types, struct, where, inner)
                continue
            parts.append(f"{number}:{field}{'*' if pointer else ''}")
        todo += _children(types, struct, package, name)
        lines[struct] = " ".join(parts)
    return {name: lines[name] for name in sorted(lines)}


def _children(types: GoTypes, struct: str, package: str, name: str) -> list[tuple[str, str, str]]:
    """Return (struct, package, Go type) of the fields that are structs."""
    found = []
    known = structs().get(struct, {})
    for _, field, go_type, _, _ in types.fields(package, name) or []:
        kind = re.sub(r"^(\[\]|map\[string\])+", "", known.get(field, ""))
        if kind in structs():
            found.append((kind, *_resolve(package, go_type)))
    return found


def _resolve(package: str, go_type: str) -> tuple[str, str]:
    alias, dot, name = go_type.rpartition(".")
    return (_ALIASES.get(alias, package), name) if dot else (package, go_type)


def main() -> None:
    """Write the file next to this module."""
    api, apimachinery = (Path(argument) for argument in sys.argv[1:3])
    text = json.dumps(generate(GoTypes(api, apimachinery)), indent=0)
    Path(__file__).with_name("protobuf.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
