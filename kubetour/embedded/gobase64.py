"""Base64 as Go reads it: line breaks may be anywhere, and an error names the byte at which it is found."""

from __future__ import annotations

import re

_WELL_FORMED = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_STRAY = re.compile(r"[^A-Za-z0-9+/\r\n]")


def decoded(text: str) -> str:
    """Return the text without line breaks; ValueError, in Go's words, where it is not base64."""
    joined = text.replace("\n", "").replace("\r", "") if "\n" in text or "\r" in text else text
    if not _WELL_FORMED.fullmatch(joined):
        raise ValueError(f"illegal base64 data at input byte {_corrupt(text)}")
    return joined


def _corrupt(text: str) -> int:
    """Return the place that encoding/base64's CorruptInputError gives."""
    stray = _STRAY.search(text)
    end = stray.start() if stray else len(text)
    before = len(re.sub(r"[\r\n]", "", text[:end])) % 4
    place = len(text[:end].encode())
    if not stray:  # it ends within a group of four
        return place - before
    if stray[0] != "=" or before < 2:
        return place
    padding = re.match(r"=[\r\n]*" if before == 3 else r"=[\r\n]*=[\r\n]*", text[end:])
    if padding:  # and something after it
        return place + len(padding[0])
    rest = text[end + 1 :].lstrip("\r\n")
    return len(text.encode()) - len(rest.encode()) - (1 if rest else 0)
