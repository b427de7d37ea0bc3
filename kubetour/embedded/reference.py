"""Image names, as Docker reads them (github.com/distribution/reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetour.embedded.errors import EmbeddedError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DOMAIN = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.?)+(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUB = "docker.io"


@dataclass(frozen=True)
class Reference:
    """A registry's domain, a repository's path in it, and a tag or a digest."""

    domain: str
    path: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        """Return the full form, as containerd keeps it: "docker.io/library/node:24"."""
        return f"{self.domain}/{self.path}{self._suffix()}"

    @property
    def familiar(self) -> str:
        """Return the short form, as Docker prints it: "node:24"."""
        return self.repository + self._suffix()

    @property
    def repository(self) -> str:
        """Return the short form without tag and digest."""
        if self.domain != _HUB:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix("library/")

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Return a name with everything that is left out filled in: docker.io, library/ and :latest.

    Raises EmbeddedError for what is no image name.
    """
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _invalid(text, 'a digest is "sha256:" and 64 hexadecimal digits')
    head, slash, tail = rest.rpartition("/")
    last, colon, tag = tail.partition(":")
    name = head + slash + last
    first, slash, remainder = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        domain, path = first, remainder
    else:
        domain, path = _HUB, name if slash else f"library/{name}"
    if domain in ("index.docker.io", _HUB):
        domain = _HUB
        path = path if "/" in path else f"library/{path}"
    if colon and not _TAG.fullmatch(tag):
        raise _invalid(text, "a tag is up to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'")
    if not _PATH.fullmatch(path) or not _DOMAIN.fullmatch(domain) or len(domain) + len(path) > 254:
        why = "repository name must be lowercase" if path != path.lower() else "name it like app:1.0"
        raise _invalid(text, why)
    return Reference(domain, path, tag if colon or digest else "latest", digest)


def _invalid(text: str, why: str) -> EmbeddedError:
    return EmbeddedError(f"invalid image name {text!r}: {why}")
