"""What a parameter may be: each rule returns the value or raises ValueError, and has a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubetour.reference import registry_of
from kubetour.text import Text

# Patterns are compiled when a value is checked: `inv --list` checks none.

# RFC 1035, as Kubernetes asks of a Service's name: stricter than RFC 1123 only in the first character.
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#rfc-1035-label-names
_LABEL_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_1123 = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

# The grammar of an image reference, without a digest: https://github.com/distribution/reference
_DOMAIN_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = rf"{_DOMAIN}(?:/{_PATH_PART})*"
_IMAGE = rf"(?:{_DOMAIN}/)?{_PATH_PART}(?:/{_PATH_PART})*(?::[\w][\w.-]{{0,127}})?"
_PINNED = rf"{_IMAGE}(?:@sha256:[0-9a-f]{{64}})?"

# A server as ssh takes it: no leading dash, which would be an option; an IPv6 address in brackets.
HOST = (
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._+-]*)@)?"
    r"(?:(?P<server>[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)|(?P<bracketed>\[[0-9A-Fa-f:.]+\]))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True)
class Rule:
    """`apply` turns the text of a flag into a value or raises ValueError; `text` says what it asks for."""

    text: Text
    apply: Callable[[str], Any]


def _matching(pattern: str, longest: int) -> Callable[[str], str]:
    def apply(text: str) -> str:
        if len(text) > longest or not re.fullmatch(pattern, text, re.ASCII):
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


def host() -> Rule:
    """Return the rule for a host that is reached by SSH: [USER@]SERVER[:PORT], or "" for this machine."""

    def apply(text: str) -> str:
        found = re.fullmatch(HOST, text, re.ASCII)
        if text and (not found or len(text) > 300 or not 0 < int(found["port"] or 22) < 65536):
            raise ValueError(text)
        if found and found["bracketed"]:
            import ipaddress

            ipaddress.IPv6Address(found["bracketed"].strip("[]"))  # AddressValueError is a ValueError
        return text

    return Rule(Text("rule.host"), apply)


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
