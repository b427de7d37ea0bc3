"""Sizes and times as Docker prints them (github.com/docker/go-units), and Go's durations."""

from __future__ import annotations

import re

from kubetour.embedded.errors import EmbeddedError

_GO_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_GO_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def human_size(count: int) -> str:
    """Return a number of bytes in decimal units, with three digits: "2.27kB"."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g}TB"


def human_duration(seconds: float) -> str:
    """Return a span of time in words: "About a minute", "3 days"."""
    if seconds < 1:
        return "Less than a second"
    hours = int(seconds / 3600 + 0.5)
    minutes = int(seconds // 60)
    steps = (
        (seconds < 2, "1 second"),
        (seconds < 60, f"{int(seconds)} seconds"),
        (minutes == 1, "About a minute"),
        (minutes < 60, f"{minutes} minutes"),
        (hours == 1, "About an hour"),
        (hours < 48, f"{hours} hours"),
        (hours < 24 * 14, f"{hours // 24} days"),
        (hours < 24 * 60, f"{hours // 24 // 7} weeks"),
        (hours < 24 * 365 * 2, f"{hours // 24 // 30} months"),
    )
    return next((text for fits, text in steps if fits), f"{hours // 24 // 365} years")


def parse_duration(text: str) -> float:
    """Return the seconds of a Go duration such as "60s" or "1m30s"; "0" needs no unit."""
    parts = _GO_PART.findall(text)
    if text == "0":
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise EmbeddedError(f"invalid duration {text!r}: give a number with its unit, for example 60s or 2m")
    return sum(float(number) * _GO_UNITS[unit] for number, unit in parts)
