"""Words of a Dockerfile instruction: quoting, and variables such as `$X`, `${X:-default}`.

https://docs.docker.com/reference/dockerfile/#environment-replacement
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?", re.DOTALL)


class BadWordError(ValueError):
    """A quote or brace that does not end, or a variable that must be set and is not."""


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Return a text as one word: variables replaced, quotes and escapes removed."""
    return "".join(_Reader(text, values, escape).words(split=False))


def split(text: str, values: Mapping[str, str], escape: str = "\\") -> list[str]:
    """Return the words that spaces outside of quotes separate, each expanded."""
    return _Reader(text, values, escape).words(split=True)


def split_raw(text: str, escape: str = "\\") -> list[str]:
    """Return the words that spaces outside of quotes separate, as they are written."""
    words, quote, word, at = [], "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            word, at = word + text[at : at + 2], at + 2
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        if char.isspace() and not quote:
            words.append(word)
            word = ""
        else:
            word += char
        at += 1
    if quote:
        raise BadWordError(f"a {quote} that does not end")
    return [word for word in [*words, word] if word]


class _Reader:
    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self.text, self.values, self.escape, self.at = text, values, escape, 0

    def words(self, *, split: bool) -> list[str]:
        words: list[str] = []
        word: str | None = None
        while self.at < len(self.text):
            char = self.text[self.at]
            if split and char.isspace():
                self.at += 1
                if word is not None:
                    words.append(word)
                    word = None
                continue
            word = (word or "") + self._piece(char)
        return words if word is None else [*words, word]

    def _piece(self, char: str) -> str:
        if char == "'":
            end = self.text.find("'", self.at + 1)
            if end < 0:
                raise BadWordError("a ' that does not end")
            piece, self.at = self.text[self.at + 1 : end], end + 1
            return piece
        if char == '"':
            return self._double_quoted()
        if char == self.escape:
            piece, self.at = self.text[self.at + 1 : self.at + 2], self.at + 2
            return piece
        if char == "$":
            return self._variable()
        self.at += 1
        return char

    def _double_quoted(self) -> str:
        self.at += 1
        piece = ""
        while self.at < len(self.text):
            char = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if char == '"':
                self.at += 1
                return piece
            if char == self.escape and following and following in f'"${self.escape}':
                piece, self.at = piece + following, self.at + 2
            elif char == "$":
                piece += self._variable()
            else:
                piece, self.at = piece + char, self.at + 1
        raise BadWordError('a " that does not end')

    def _variable(self) -> str:
        self.at += 1
        if self.text[self.at : self.at + 1] == "{":
            inner = self._braces()
            match = _BRACED.fullmatch(inner)
            if not match:
                raise BadWordError(
                    f"unsupported ${{{inner}}}; use ${{NAME}}, ${{NAME:-default}} or ${{NAME:+value}}"
                )
            return self._modified(match[1], match[2] or "", match[3] or "")
        match = _NAME.match(self.text, self.at)
        if not match:
            return "$"
        self.at = match.end()
        return self.values.get(match[0], "")

    def _braces(self) -> str:
        depth, start = 0, self.at + 1
        while self.at < len(self.text):
            depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
            self.at += 1
            if depth == 0:
                return self.text[start : self.at - 1]
        raise BadWordError("a ${ that does not end")

    def _modified(self, name: str, modifier: str, word: str) -> str:
        value = self.values.get(name)
        there = bool(value) if modifier.startswith(":") else value is not None
        if modifier.endswith("-"):
            return value or "" if there else expand(word, self.values, self.escape)
        if modifier.endswith("+"):
            return expand(word, self.values, self.escape) if there else ""
        if modifier.endswith("?") and not there:
            raise BadWordError(f"{name}: {expand(word, self.values, self.escape) or 'not set'}")
        return value or ""
