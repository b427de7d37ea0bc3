"""What a parameter may be: each rule returns the value or raises ValueError, and has a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubetour.reference import registry_of
from kubetour.text import Text

# RFC 1035, as Kubernetes asks of a Service's name: stricter than RFC 1123 only in the first character.
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

# The grammar of an image reference, without a digest: https://github.com/distribution/reference
_DOMAIN_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = re.compile(rf"{_DOMAIN}(?:/{_PATH_PART})*", re.ASCII)
_NAME = rf"(?:{_DOMAIN}/)?{_PATH_PART}(?:/{_PATH_PART})*(?::[\w][\w.-]{{0,127}})?"
_IMAGE = re.compile(_NAME, re.ASCII)
_PINNED = re.compile(rf"{_NAME}(?:@sha256:[0-9a-f]{{64}})?", re.ASCII)


@dataclass(frozen=True)
class Rule:
    """`apply` turns the text of a flag into a value or raises ValueError; `text` says what it asks for."""

    text: Text
    apply: Callable[[str], Any]


def _matching(pattern: re.Pattern[str], longest: int) -> Callable[[str], str]:
    def apply(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return apply


def label(longest: int = 63) -> Rule:
    """Return the rule for a DNS-1123 label of at most that many characters."""
    return Rule(Text("rule.label", {"longest": longest}), _matching(_LABEL_1123, longest))


def service_label(longest: int = 63) -> Rule:
    """Return the rule for a label that a Service can have as its name, too."""
    return Rule(Text("rule.service-label", {"longest": longest}), _matching(_LABEL_1035, longest))


def image(*, digest: bool = False) -> Rule:
    """Return the rule for an image reference: [HOST[:PORT]/]PATH[:TAG], at most 255 characters.

    With `digest`, it may end in @sha256:… as the releases of kind name their node images.
    """
    if digest:
        return Rule(Text("rule.image-pinned"), _matching(_PINNED, 255 + len("@sha256:") + 64))
    return Rule(Text("rule.image"), _matching(_IMAGE, 255))


def registry() -> Rule:
    """Return the rule for a registry: HOST[:PORT][/PATH], at most 200 characters.

    HOST must look like one, as without a dot or a port an image's first part is a path on Docker Hub.
    """
    matching = _matching(_REGISTRY, 200)

    def apply(text: str) -> str:
        if not registry_of(matching(text) + "/name"):
            raise ValueError(text)
        return text

    return Rule(Text("rule.registry"), apply)


def whole(least: int, most: int) -> Rule:
    """Return the rule for a whole number of that range."""

    def apply(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return Rule(Text("rule.whole", {"least": least, "most": most}), apply)


def choice(*allowed: str) -> Rule:
    """Return the rule for one of some words."""

    def apply(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return Rule(Text("rule.choice", {"allowed": ", ".join(allowed)}), apply)


def switch() -> Rule:
    """Return the rule for yes or no."""
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}

    def apply(text: str) -> bool:
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]

    return Rule(Text("rule.switch"), apply)


def printable(longest: int = 253) -> Rule:
    """Return the rule for free text on one line: no control characters, not empty, no leading dash."""

    def apply(text: str) -> str:
        if not text or len(text) > longest or text.startswith("-") or not text.isprintable():
            raise ValueError(text)
        return text

    return Rule(Text("rule.printable", {"longest": longest}), apply)
