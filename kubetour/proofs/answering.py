"""Who answered: told by the answers themselves, or by the logs of those who could have.

`who` tries the ways in this order, and the first that tells anything counts: a name in the body, a name in a
header, the request's mark in a log. Where none does, the way is "": somebody answered, and nobody knows who.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

BODY, HEADER, LOG, NOBODY = "body", "header", "log", ""
REFUSED = 500  # from here on it is no answer of the app's that counts: it may be a proxy's

# A status line, and behind it a header or the end of the headers: a page about HTTP does not look like that.
_HEAD = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})\b.*\n(?=[\w-]+:|\n)")
_WORD = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_PREFIX = re.compile(r"^\[pod/([^/\]]+)/[^\]]*\] ?(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """One answer: its HTTP status, its headers with the status line, its body."""

    status: int
    headers: str
    body: str


@dataclass(frozen=True)
class Told:
    """What is known: by which way, the answers by name, and how many answers there were of anybody."""

    way: str
    counts: Counter[str]
    answered: int

    @property
    def strangers(self) -> int:
        """Return how many answers came, by all that is known, of none of the names."""
        return max(self.answered - self.counts.total(), 0)


def who(printed: str, names: Collection[str], logs: Mapping[str, str] | None = None, mark: str = "") -> Told:
    """Return who gave the answers that `curl -i` printed, by the names of those who could have.

    `logs` has the log of each, `mark` is the word that the requests carried. Statuses from 500 on do not
    count as answers.
    """
    given = [answer for answer in answers(printed) if answer.status < REFUSED]
    parts: tuple[tuple[str, Callable[[Answer], str]], ...] = (
        (BODY, lambda answer: answer.body),
        (HEADER, lambda answer: answer.headers),
    )
    for way, part in parts:
        counts = Counter(name for answer in given if (name := only(part(answer), names)))
        if counts:
            return Told(way, counts, len(given))
    lines = Counter({name: marked(log, mark) for name, log in (logs or {}).items() if name in names})
    counts = +lines if given and mark else Counter[str]()
    return Told(LOG if counts else NOBODY, counts, len(given))


def answers(printed: str) -> tuple[Answer, ...]:
    """Return the answers in what `curl -i` printed, one after the other; a body need not end its line."""
    found = []
    printed = printed.replace("\r\n", "\n")
    heads = [*_HEAD.finditer(printed)]
    ends = (*(head.start() for head in heads[1:]), len(printed))
    for head, end in zip(heads, ends, strict=False):
        headers, _, body = printed[head.start() : end].partition("\n\n")
        if int(head[1]) >= 200:  # what is below only announces the answer
            found.append(Answer(int(head[1]), headers, body))
    return tuple(found)


def words(text: str, names: Collection[str]) -> Counter[str]:
    """Return how often each of these names stands in a text, as a word of its own."""
    return Counter(in_order(text, names))


def in_order(text: str, names: Collection[str]) -> list[str]:
    """Return these names as they stand in a text, each time as a word of its own."""
    return [word for word in _WORD.findall(text) if word in names]


def only(text: str, names: Collection[str]) -> str:
    """Return the one of these names that stands in a text; "" for none, and for a list of several."""
    found = words(text, names)
    return next(iter(found)) if len(found) == 1 else ""


def marked(log: str, mark: str) -> int:
    """Return in how many lines of a log a request's mark stands, whole."""
    whole = re.compile(rf"{re.escape(mark)}(?![-\w])")
    return sum(bool(whole.search(line)) for line in log.splitlines())


def by_pod(printed: str) -> dict[str, str]:
    """Return the log of each Pod by its name, from what `kubectl logs --prefix` printed."""
    logs: dict[str, list[str]] = {}
    for line in _PREFIX.finditer(printed):
        logs.setdefault(line[1], []).append(line[2])
    return {name: "\n".join(lines) for name, lines in logs.items()}
