"""Which files of a directory are the build context: .dockerignore as Docker reads it.

https://docs.docker.com/build/concepts/context/#dockerignore-files
Shared by the plan, which hashes the context, and by the embedded cluster's builder, which copies from it.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Pattern:
    """One line: a path or a wild card, excluding what it matches, or with `!` taking it back in."""

    glob: str
    include: bool

    def matches(self, path: str) -> bool:
        """Return whether the path, or a directory it lies in, matches."""
        parts = path.split("/")
        return any(_regex(self.glob).fullmatch("/".join(parts[:end])) for end in range(1, len(parts) + 1))


def parse(text: str) -> tuple[Pattern, ...]:
    """Return the patterns of a .dockerignore file, in their order."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        glob = "" if line.startswith("#") else line.strip()
        include = glob.startswith("!")
        glob = posixpath.normpath(glob.removeprefix("!").strip()).lstrip("/")
        if glob not in ("", "."):
            patterns.append(Pattern(glob, include))
    return tuple(patterns)


def ignored(path: str, patterns: tuple[Pattern, ...]) -> bool:
    """Return whether a path relative to the context is left out: the last pattern that matches decides."""
    return next((not pattern.include for pattern in reversed(patterns) if pattern.matches(path)), False)


def files(root: Path) -> Iterator[str]:
    """Yield the context's files and symbolic links: relative paths, sorted.

    OSError if something is unreadable, ValueError if .dockerignore is not UTF-8 or holds a broken pattern.
    """
    source = root / ".dockerignore"
    patterns = parse(source.read_text(encoding="utf-8")) if source.is_file() else ()
    # An excluded directory can be skipped whole only if no later line may take something in it back.
    may_return = any(pattern.include for pattern in patterns)

    def walk(directory: str) -> Iterator[str]:
        with os.scandir(root / directory) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = posixpath.join(directory, entry.name)
                out = ignored(path, patterns)
                if entry.is_dir(follow_symlinks=False):
                    if not out or (may_return and _may_hold(path, patterns)):
                        yield from walk(path)
                elif not out:
                    yield path

    yield from walk("")


def _may_hold(directory: str, patterns: tuple[Pattern, ...]) -> bool:
    """Return whether a `!` pattern could match something below an excluded directory."""
    for pattern in patterns:
        if not pattern.include:
            continue
        for want, have in zip(pattern.glob.split("/"), directory.split("/"), strict=False):
            if want == "**":
                return True
            if not _regex(want).fullmatch(have):
                break
        else:
            return True
    return False


@cache
def _regex(glob: str) -> re.Pattern[str]:
    out, at = "", 0
    while at < len(glob):
        if glob.startswith("**", at):
            at += 2
            if glob.startswith("/", at):
                at += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
        elif glob[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif glob[at] == "?":
            out, at = out + "[^/]", at + 1
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) != -1:
            body = re.sub(r"([\\\[&~|])", r"\\\1", glob[at + 1 : end])
            out, at = out + f"[{body}]", end + 1
        elif glob[at] == "\\" and at + 1 < len(glob):
            out, at = out + re.escape(glob[at + 1]), at + 2
        else:
            out, at = out + re.escape(glob[at]), at + 1
    try:
        return re.compile(out, re.DOTALL)
    except re.error as error:
        raise ValueError(f".dockerignore: {glob}: {error}") from error
