"""Strings that nobody means well with: what shells, YAML, HTML, terminals and file systems would act upon."""

from __future__ import annotations

from hypothesis import strategies as st

SHELL = (
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "'; touch pwned; '",
    "a\ntouch pwned",
    "*",
    "~",
    "&&",
)
YAML = (
    "no",
    "~",
    "1e3",
    "0x10",
    "a: b",
    "- a",
    "x\nextra:\n  hostNetwork: true",
    "!!python/object:os.system",
    "&a *a",
    "# c",
    "---",
)
HTML = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\" onload='x",
    "&lt;",
    "javascript:alert(1)",
    "]]>",
    "{{ 7*7 }}",
)
TERMINAL = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x07",
    "\x9b31m",
    "\x1bP+q\x1b\\",
    "\r\x1b[A",
    "\x08\x08",
    "\x7f",
    "\x07",
)
BIDI = ("\u202egnp.exe", "\u2066a\u2069", "\u200f", "\u2028", "\ufeff")
PATHS = ("../../etc/passwd", "/etc/passwd", "..", "%2e%2e%2f", "a/../../b", "C:\\x")
OPTIONS = ("-v", "--help", "-o=x", "--", "-")
ODD = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\ufffe",
    "\U0001f600",
    "İ",
    "ﬀ",
    "²",
    "٣",
    "x" * 10_000,
    "'",
    '"',
    "\\",
    "%s%n",
    "0",
    "-1",
    "9" * 400,
)

ALL = (*SHELL, *YAML, *HTML, *TERMINAL, *BIDI, *PATHS, *OPTIONS, *ODD)


def strings(max_size: int = 30) -> st.SearchStrategy[str]:
    """Return hostile strings: one of the list, two of them, or any characters at all."""
    listed = st.sampled_from(ALL)
    return st.one_of(listed, st.tuples(listed, listed).map("".join), st.text(max_size=max_size))
