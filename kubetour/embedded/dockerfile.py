"""Dockerfile text -> instructions. https://docs.docker.com/reference/dockerfile/

Reading only: comments, parser directives, continued lines, flags. What an instruction means is `builder`'s.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kubetour.embedded.errors import EmbeddedError

KEYWORDS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(.+?)\s*$")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"<<-?\s*['\"]?[A-Za-z_]\w*['\"]?")


class DockerfileError(EmbeddedError):
    """A Dockerfile that cannot be built; the message begins with "file:line: "."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its keyword in capitals, its `--flags`, and the text after them on one line."""

    keyword: str
    flags: dict[str, str]
    text: str
    file: str
    line: int

    def error(self, why: str) -> DockerfileError:
        """Return an error that points at this instruction."""
        return DockerfileError(f"{self.file}:{self.line}: {self.keyword}: {why}")

    @property
    def exec_form(self) -> list[str] | None:
        """Return the words of a JSON array of strings, or None where the text is none (the shell form)."""
        try:
            words = json.loads(self.text) if self.text.startswith("[") else None
        except ValueError:
            return None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
        return None

    def __str__(self) -> str:
        flags = "".join(f" --{name}={value}" if value else f" --{name}" for name, value in self.flags.items())
        return f"{self.keyword}{flags} {' '.join(self.text.split())}"


@dataclass(frozen=True)
class Dockerfile:
    """The instructions in order, and the escape character that the file asks for."""

    instructions: tuple[Instruction, ...]
    escape: str


def parse(text: str, file: str = "Dockerfile") -> Dockerfile:
    """Return a Dockerfile's instructions; DockerfileError names the line that is wrong."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines, file)
    instructions = tuple(
        _instruction(joined, file, number) for number, joined in _logical_lines(lines, escape)
    )
    if not instructions:
        raise DockerfileError(f"{file}:1: the file holds no instruction; it begins with FROM")
    _check_order(instructions)
    return Dockerfile(instructions, escape)


def _escape(lines: list[str], file: str) -> str:
    """Return the escape directive's character: directives are comments above everything else."""
    seen: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.fullmatch(line.strip())
        name = match[1].lower() if match else ""
        if not match or name not in ("syntax", "escape", "check"):
            break
        if name in seen:
            raise DockerfileError(f"{file}:{number}: only one {name} directive is allowed")
        seen[name] = match[2]
        if name == "escape" and match[2] not in ("\\", "`"):
            raise DockerfileError(f"{file}:{number}: the escape character is \\ or `, not {match[2]!r}")
    return seen.get("escape", "\\")


def _logical_lines(lines: list[str], escape: str) -> list[tuple[int, str]]:
    """Return lines with their continuations joined, without comments, each with the number it begins at."""
    logical: list[tuple[int, str]] = []
    begun, parts = 0, [""]
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        # Comments and empty lines inside an instruction are dropped; they do not end it.
        if not stripped or stripped.startswith("#"):
            continue
        begun = begun or number
        if line.rstrip().endswith(escape):
            parts.append(line.rstrip()[: -len(escape)])
            continue
        logical.append((begun, "".join([*parts, line]).strip()))
        begun, parts = 0, [""]
    rest = "".join(parts).strip()
    return [*logical, (begun, rest)] if rest else logical


def _instruction(joined: str, file: str, line: int) -> Instruction:
    word, _, text = re.sub(r"\s", " ", joined, count=1).partition(" ")
    keyword = word.upper()
    if keyword not in KEYWORDS:
        known = "FROM, COPY, WORKDIR, ENV, USER, EXPOSE, ENTRYPOINT, CMD …"
        raise DockerfileError(f"{file}:{line}: unknown instruction: {word}; instructions are {known}")
    text = text.strip()
    flags: dict[str, str] = {}
    while match := _FLAG.match(text):
        flags[match[1]] = match[2] or ""
        text = text[match.end() :]
        if keyword == "HEALTHCHECK" and not text.startswith("--"):
            break
    instruction = Instruction(keyword, flags, text, file, line)
    if not text:
        raise instruction.error("needs an argument")
    if keyword in ("RUN", "COPY", "ADD") and _HEREDOC.search(text) and instruction.exec_form is None:
        raise instruction.error("here-documents are not supported; put the text into a file and COPY it")
    return instruction


def _check_order(instructions: tuple[Instruction, ...]) -> None:
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return
        if instruction.keyword != "ARG":
            raise instruction.error("comes before FROM; only ARG may")
    raise instructions[-1].error(
        "the file has no FROM; say what the image starts from, such as node:24-alpine"
    )
