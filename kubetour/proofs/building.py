"""Verdicts on what a builder got, and on the layers that it made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.proofs.common import fails, first_json, holds, human_size


@dataclass(frozen=True)
class OnlyTheRestSent:
    """Two images of all that arrived: the second has no room for the file that `.dockerignore` names."""

    looks: ClassVar[tuple[str, ...]] = ()
    measured: int  # which command told both sizes, one on a line
    ignored: int  # bytes of that file

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on both sizes."""
        sizes = [int(line) for line in seen.results[self.measured].stdout.split() if line.isdigit()]
        if len(sizes) != 2:
            return fails("context-unmeasured")
        everything, rest = sizes
        data = {"ignored": self.ignored, "all": everything, "rest": rest}
        values = {
            "all": human_size(everything),
            "rest": human_size(rest),
            "ignored": human_size(self.ignored),
        }
        if everything < self.ignored:
            return fails("context-not-sent", data, **values)
        if rest >= self.ignored:
            return fails("context-not-ignored", data, **values)
        return holds("context-sent", data, **values)


@dataclass(frozen=True)
class LayersShared:
    """Two images have all layers in common but the last, and those came from the cache."""

    looks: ClassVar[tuple[str, ...]] = ()
    rebuilt: int  # which command built the second
    measured: int  # which one told the layers of both, a JSON list on a line
    unchanged: int  # bytes in the common layers

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on both lists of layers, and on what the builder said."""
        lists = [first_json(line) for line in seen.results[self.measured].stdout.splitlines() if line.strip()]
        if len(lists) != 2 or not all(isinstance(layers, list) and layers for layers in lists):
            return fails("layers-unmeasured")
        first, second = lists
        pairs = zip(first, second, strict=False)
        shared = len(tuple(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        again = seen.results[self.rebuilt]
        # The classic builder and podman say the first, BuildKit and the embedded builder the second.
        cached = len(re.findall(r"(?i)using cache|\bCACHED\b", again.stdout + again.stderr))
        data = {"layers": [first, second], "shared": shared, "cached": cached, "bytes": self.unchanged}
        values = {"shared": shared, "count": len(second), "bytes": human_size(self.unchanged)}
        if shared != len(second) - 1 or len(first) != len(second):
            return fails("layers-not-shared", data, **values)
        if not cached:
            return fails("layers-not-cached", data, **values)
        return holds("layers-shared", data, **values, last=str(second[-1]).removeprefix("sha256:")[:12])
