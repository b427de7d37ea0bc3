"""Small pictures from a proof's data: layers to scale, the logical structure, answers per Pod. Plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubetour.proofs.common import human_size
from kubetour.terminal import timeline
from kubetour.text import say

BAR = 30  # columns


def picture(step: str, data: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Return the lines of a step's picture, or none."""
    if step == "layers":
        return layers(data["layers"])
    if step in ("picture", "status"):
        return structure(data, language)
    if step in ("hit-all", "spread", "keep-alive", "port-forward"):
        return bars(data.get("answers", {}))  # of an app that does not tell, there are none
    if "timeline" in data:
        return timeline.picture(data["timeline"], language)
    if step == "pods":
        return nodes(data["nodes"])
    if "load" in data:
        return load(data["load"], language)
    return ()


def load(data: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Return a bar for each second, with what failed of it, and the commands where they began."""
    rows, marks = data["seconds"], list(data["marks"])
    most = max((row["ok"] + row["failed"] for row in rows), default=0)
    lines = [f"  {say(language, 'picture.load', rate=round(data['rate']))}"]
    for row in rows:
        while marks and marks[0]["at"] < row["at"] + 1:
            mark = marks.pop(0)
            lines.append(f"  {mark['at']:4.1f}s ┄ $ {mark['text']}")
        bar = "█" * _columns(row["ok"], most) + "░" * _columns(row["failed"], most)
        failed = f"  {row['failed']} ✗" if row["failed"] else ""
        lines.append(f"  {row['at']:3}s  {bar:<{BAR + 1}} {row['ok']:>4}{failed}")
    return tuple(lines)


def _columns(count: int, most: int) -> int:
    """Return the width of a bar: what there is shows, however little it is."""
    return max(1, round(BAR * count / most)) if count else 0


def layers(rows: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return one row per instruction: its size, the size up to here, the instruction."""
    total, lines = 0.0, []
    for row in rows:
        total += size(row["size"])
        lines.append(f"  {row['size']:>8} {human_size(total):>8}  {row['instruction'][:58]}")
    return tuple(lines)


def structure(data: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Return the way of a request, and who owns whom: request → Service → Pods ← ReplicaSet ← Deployment."""
    selector = ",".join(f"{key}={value}" for key, value in data["selector"].items())
    lines = [
        f"  {say(language, 'picture.request')}",
        "     │",
        "     ▼",
        f"  Service {data['service']}  {data['address']}  ({selector})",
        f"     │ EndpointSlice: {len(data['endpoints'])}",
    ]
    pods = data["pods"]
    for index, pod in enumerate(pods):
        corner = "└" if index == len(pods) - 1 else "├"
        mark = "●" if pod["ready"] else "○"
        lines.append(f"     {corner}─▶ {mark} Pod {pod['name']}  {pod['address']}  @ {pod['node']}")
    lines += ["          ▲", f"          │ {say(language, 'picture.owns')}"]
    lines += [f"  ReplicaSet {name}" for name in data["replicasets"]]
    lines += [
        "          ▲",
        f"          │ {say(language, 'picture.owns')}",
        f"  Deployment {data['deployment']}",
    ]
    return tuple(lines)


def bars(answers: Mapping[str, int]) -> tuple[str, ...]:
    """Return one bar per Pod, the longest as wide as BAR."""
    most = max(answers.values(), default=0)
    width = max((len(name) for name in answers), default=0)
    return tuple(
        f"  {name:<{width}} {'█' * max(1, round(BAR * count / most)) if count else '':<{BAR}} {count}"
        for name, count in answers.items()
    )


def nodes(placed: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return each node with the Pods it runs."""
    lines: list[str] = []
    for node, names in sorted(placed.items()):
        lines.append(f"  {node}")
        for index, name in enumerate(sorted(names)):
            lines.append(f"    {'└' if index == len(names) - 1 else '├'}─ {name}")
    return tuple(lines)


UNITS = {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9}


def size(text: str) -> float:
    """Return a size as Docker prints it, in bytes; 0 for anything else."""
    for unit in sorted(UNITS, key=len, reverse=True):
        number = text.removesuffix(unit)
        if number != text:
            try:
                return float(number) * UNITS[unit]
            except ValueError:
                continue
    return 0.0
