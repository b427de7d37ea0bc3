"""What no record may hold is taken out of it: secrets, and where somebody's home directory is.

Pure functions on text and plain JSON values. Rather a word too many is lost than a secret kept.
"""

from __future__ import annotations

import re
from typing import Any

GONE = "[redacted]"

# A name that ends so has a secret for its value. Nothing may stand before the first letter of a pattern that
# could match long texts again and again: every one of these takes time linear in the text.
_NAMES = (
    r"passwords?|passwd|passphrase|tokens?|secret|secret[-_]?(?:access[-_]?)?key|api[-_]?key|access[-_]?key"
    r"|private[-_]?key|client-key-data|credentials?|\bauth|dockerconfigjson|dockercfg"
)
_SEPARATOR = r"(\\*[\"']?[ \t]{0,8}[:=][ \t]{0,8})"
_HARMLESS = r"true|false|null|none|<none>|\[redacted\]"
_QUOTED = re.compile(
    rf"({_NAMES}){_SEPARATOR}(\\*)([\"'])(?!(?:{_HARMLESS})\3\4)(?:(?!\3\4)[^\n]|\\.){{1,65536}}?(?<!\\)\3\4",
    re.IGNORECASE,
)
# Unquoted, a value ends at a space, and at what closes it, unless that is within a word.
_BARE = re.compile(
    rf"({_NAMES}){_SEPARATOR}(?!(?:{_HARMLESS}|[{{\[])(?:[\s\"'\\,;}}]|$))"
    r"[^\s\"'\\,;}](?:[^\s\"'\\,;}]|[\"',;}](?=\w))*",
    re.IGNORECASE,
)
_FLAG = re.compile(r"(--(?:[a-z]{1,20}-){0,3}(?:password|passwd|token))[ =](?!\[redacted\])\S+")
_HEADER = re.compile(
    r"(Authorization\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?)(?:(?:Basic|Bearer|Token) )?[^\s\"'\\]+", re.I
)
_BEARER = re.compile(r"\b(Bearer) +[A-Za-z0-9._~+/-]{8,}=*", re.IGNORECASE)
# JSON in base64, as in a JWT and in a Secret of type kubernetes.io/dockerconfigjson: {" or { and a line end.
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:eyJ|ewog|ewoJ)[A-Za-z0-9+/_-]{16,}=*(?:\.[A-Za-z0-9+/_-]+=*){0,4}"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.S
)
_IN_URL = re.compile(r"(?<=://)[^/\s@\"'<>]{1,512}@")
_HOME = re.compile(r"(?<![\w.~/-])(?:/home/[^/\s\"':;,]+|/Users/[^/\s\"':;,]+|/root)(?=[/\s\"':;,]|$)")


def redact(text: str, home: str = "") -> str:
    """Return a text without secrets, paths of home directories as `~`; `home` is one in an unusual place.

    Doing it twice is the same as doing it once.
    """
    text = _PEM.sub(GONE, text)
    text = _HEADER.sub(rf"\1{GONE}", text)
    text = _BEARER.sub(rf"\1 {GONE}", text)
    text = _ENCODED.sub(GONE, text)
    text = _QUOTED.sub(rf"\1\2\3\4{GONE}\3\4", text)
    text = _BARE.sub(rf"\1\2{GONE}", text)
    text = _FLAG.sub(rf"\1 {GONE}", text)
    text = _IN_URL.sub(f"{GONE}@", text)
    if len(home) > 1:
        text = re.sub(rf"(?<![\w.~/-]){re.escape(home.rstrip('/'))}(?=[/\s\"':;,]|$)", "~", text)
    return _HOME.sub("~", text)


def whole(text: str) -> str:
    """Return a text that UTF-8 can hold: half of a surrogate pair, as JSON may give it, becomes `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def redacted(value: Any, home: str = "") -> Any:
    """Return a JSON value with every text in it, names included, made whole and redacted."""
    if isinstance(value, str):
        return redact(whole(value), home)
    if isinstance(value, dict):
        return {redacted(key, home): redacted(item, home) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, home) for item in value]
    return value
