"""A CronJob's schedule and time zone: their grammar, and errors as github.com/robfig/cron/v3 words them."""

from __future__ import annotations

import json
import re
import zoneinfo
from functools import cache

from kubetour.embedded.fielderrors import FieldError, invalid

_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_DURATION = re.compile(r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)")
_EVERY = "@every "
_INT = re.compile(r"[-+]?[0-9]+")
_MOST_DIGITS = 18  # of an int
_ZONE = re.compile(r"((TZ|CRON_TZ)=\S*\s+)?")
_ZONE_PART = re.compile(r"(?!-)[A-Za-z._0-9+-]{1,14}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# minute, hour, day, month, day of the week: the least, the most and the names of some
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def validate_schedule(schedule: str, field: str) -> list[FieldError]:
    """Return what is wrong with a schedule that is not empty."""
    zone = _ZONE.match(schedule)
    problem = _problem(schedule[zone.end() if zone else 0 :])
    errors = [invalid(field, schedule, problem)] if problem else []
    if "TZ" in schedule:
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        errors.append(invalid(field, schedule, text))
    return errors


def validate_time_zone(zone: str | None, field: str) -> list[FieldError]:
    """Return what is wrong with the name of a time zone; None is the control plane's own."""
    if zone is None:
        return []
    if not zone:
        return [invalid(field, zone, "timeZone must be nil or non-empty string")]
    unknown = invalid(field, zone, f"unknown time zone {zone}")
    if not all(_ZONE_PART.fullmatch(part) and part not in (".", "..") for part in zone.split("/")):
        return [unknown]
    errors = []
    if zone.lower() == "local":
        text = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        errors.append(invalid(field, zone, text))
    known = _known_zones()  # of a machine without the database nothing can be said
    return errors if not known or zone in known or zone == "Local" else [*errors, unknown]


@cache
def _known_zones() -> frozenset[str]:
    """Return the machine's time zones, for which hundreds of files are opened."""
    return frozenset(zoneinfo.available_timezones())


def _problem(schedule: str) -> str:
    """Return the first thing that is wrong with a schedule, or nothing."""
    if schedule.startswith("@"):
        if schedule.startswith(_EVERY):
            length = schedule.removeprefix(_EVERY)
            wrong = f"failed to parse duration {schedule}: time: invalid duration {json.dumps(length)}"
            return "" if _DURATION.fullmatch(length) else wrong
        return "" if schedule in _MACROS else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
    try:
        for field, bounds in zip(fields, _FIELDS, strict=True):
            for part in filter(None, field.split(",")):
                _check_range(part, *bounds)
    except ValueError as error:
        return str(error)
    return ""


def _check_range(text: str, least: int, most: int, names: dict[str, int]) -> None:
    """Raise ValueError if `text` is not one of `*`, N, N-M, each perhaps with /STEP."""
    span, *steps = text.split("/")
    low, *high = span.split("-")
    if low in ("*", "?"):
        start, end = least, most
    else:
        start = end = _number(low, names)
        if len(high) > 1:
            raise ValueError(f"too many hyphens: {text}")
        if high:
            end = _number(high[0], names)
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    step = _number(steps[0], {}) if steps else 1
    if steps and not high:
        end = most
    if start < least:
        raise ValueError(f"beginning of range ({start}) below minimum ({least}): {text}")
    if end > most:
        raise ValueError(f"end of range ({end}) above maximum ({most}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    why = "" if _INT.fullmatch(text) else "invalid syntax"
    if why or len(text) > _MOST_DIGITS:
        why = f"strconv.Atoi: parsing {json.dumps(text)}: {why or 'value out of range'}"
        raise ValueError(f"failed to parse int from {text}: {why}")
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
