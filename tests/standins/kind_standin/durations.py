"""Go's durations: `90s` and `2m` in, `1m30s` and `2m0s` out."""

from __future__ import annotations

import re

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def parse(text: str) -> float:
    """Return the seconds; ValueError with Go's message."""
    if text in ("0", "+0", "-0"):
        return 0.0
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if not rest or _PART.sub("", rest):
        number = re.fullmatch(r"(\d+\.?\d*|\.\d+)", rest)
        raise ValueError(f'time: {"missing unit in" if number else "invalid"} duration "{text}"')
    return sign * sum(float(number) * SECONDS[unit] for number, unit in _PART.findall(rest))


def text(seconds: float) -> str:
    """Return whole seconds in Go's form."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
