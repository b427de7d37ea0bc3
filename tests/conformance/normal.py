"""What differs on every run of the same thing, made the same: uids, times, addresses, suffixes, versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"  # as k8s.io/apimachinery/pkg/util/rand has them
_HASH = "[bcdfghjklmnpqrstvwxz2456789]{6,10}"  # the same letters encode a hash of 32 bits
_RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d{4})", "TIME"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]+ [+-]\d{4}", "TIME"),
        (r"\w+://[0-9a-f]{64}", "CONTAINER"),
        (r"sha256:[0-9a-f]{64}", "DIGEST"),
        (r"\?hash=[0-9A-F]+", "?hash=HASH"),
        (r"(too old resource version: \d+ )\(\d+\)", r"\1(VERSION)"),
        (r"(\.continue = )\S+", r"\1TOKEN"),
        (r"\b\d+\.\d+\.\d+\.\d+(:\d+)?(/\d+)?\b", "ADDRESS"),
        (r"(?:/tmp|TMP)/(LIVE|MERGED)-\d+", r"TMP/\1"),
        (rf"\b(node-hostname|web|missing|rec)-{_HASH}-{_SUFFIX}\b", r"\1-HASH-SUFFIX"),
        (rf"(pod-template-hash\W+){_HASH}", r"\1HASH"),
        (rf"\b(node-hostname-http|node-hostname|web|missing|rec|gen)-{_SUFFIX}\b(?![-/])", r"\1-SUFFIX"),
        (rf"\b(node-hostname|web|missing|rec)-{_HASH}\b", r"\1-HASH"),
        (r"\b(\w+-(?:HASH-)?SUFFIX|\w+-HASH|\w+)\.[0-9a-f]{16}\b", r"\1.EVENT"),
        (r"\b[0-9a-f]{32}\b", "MACHINE"),
        (r"\b\d+\.\d+\.\d+-[\w.-]+", "KERNEL"),
        (r"\b\d{7,}(Ki)?\b", "SIZE"),
        (r"\bkube-api-access-\w{5}\b", "kube-api-access-SUFFIX"),
        (r"(resourceVersion\"?(?:: ?\"?| = ))\d+", r"\1VERSION"),
        (r"\b3[0-2]\d{3}\b", "NODEPORT"),
        (r"(?<![\w.])\d+[smh](\d+[smh])?\b", "AGE"),
    )
]


def text(said: str) -> list[str]:
    """Return what was printed as lines with what varies replaced, and columns one blank apart."""
    return [line(each) for each in said.splitlines()]


def line(said: str) -> str:
    """Return one line so."""
    for pattern, replacement in _RULES:
        said = pattern.sub(replacement, said)
    return re.sub(r" +", " ", said).rstrip()


def in_any_order(lines: Iterable[str]) -> list[str]:
    """Return rows of a table in one order: Kubernetes sorts by names, whose suffixes are random."""
    return sorted(lines)


def flat(value: Any, path: str = "") -> Iterator[str]:
    """Yield a line for each leaf of a JSON value: where it stands, and what it is.

    An item of a list is named by what tells it from others, else by its place.
    """
    if isinstance(value, dict) and value:
        for key, item in sorted(value.items()):
            yield from flat(item, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from flat(item, f"{path}[{_name(item) or place}]")
    else:
        yield f"{path} = {value}"


def _name(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    keys = ("name", "groupVersion", "resource", "type", "manager", "subresource", "version")
    found = (item.get(key) for key in keys)
    return next((str(each) for each in found if each), str((item.get("metadata") or {}).get("name") or ""))
