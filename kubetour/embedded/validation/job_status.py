"""Rules of a Job's status: its conditions, which contradict each other easily, its times and its counters."""

from __future__ import annotations

from collections.abc import Iterator

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import NOT_NEGATIVE, OMITTED, FieldError, invalid, required

_COUNTERS = ("active", "succeeded", "failed", "ready", "terminating")
_FINISHED = frozenset(("Complete", "Failed"))
# Two conditions that no Job has at once, in the order in which Kubernetes looks for them.
_CONTRARY = (
    (("Complete", "Failed"), "cannot set Complete=True and Failed=true conditions"),
    (("Complete", "FailureTarget"), "cannot set Complete=True and FailureTarget=true conditions"),
)
_CRITERIA = "SuccessCriteriaMet"
_CONTRARY_TO_CRITERIA = (
    ("Failed", f"cannot set {_CRITERIA}=True and Failed=true conditions"),
    ("FailureTarget", f"cannot set {_CRITERIA}=True and FailureTarget=true conditions"),
)


def validate_job_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Yield what is wrong with a Job's new status; most of it only where the change makes it so."""
    status, before = new.get("status") or {}, old.get("status") or {}
    true, was = _true(status), _true(before)
    for key in _COUNTERS:
        if status.get(key, 0) < 0:
            yield invalid(f"status.{key}", status[key], NOT_NEGATIVE)
    yield from _conditions(status, before)
    if true & _FINISHED:
        ends = not was & _FINISHED
        if status.get("active", 0) > 0 and (ends or _changed("active", status, before)):
            yield invalid("status.active", status["active"], "active>0 is invalid for finished job")
        if not status.get("startTime") and (ends or _changed("startTime", status, before)):
            yield required("status.startTime", "startTime is required for finished job")
        if status.get("terminating", 0) > 0 and (ends or _changed("terminating", status, before)):
            text = "terminating>0 is invalid for finished job"
            yield invalid("status.terminating", status["terminating"], text)
    if "ready" in status and status["ready"] > status.get("active", 0):
        yield invalid("status.ready", status["ready"], "cannot set more ready pods than active")
    for other, text in _CONTRARY_TO_CRITERIA:
        if {_CRITERIA, other} <= true:
            yield _condition(text)
    yield from _going_back(new, status, before)


def _true(status: Object) -> frozenset[str]:
    return frozenset(
        each.get("type", "") for each in status.get("conditions") or [] if each.get("status") == "True"
    )


def _changed(key: str, status: Object, before: Object) -> bool:
    return bool(status.get(key) != before.get(key))


def _condition(text: str) -> FieldError:
    return invalid("status.conditions", OMITTED, text)


def _conditions(status: Object, before: Object) -> Iterator[FieldError]:
    """What a Job that is complete or has failed must have, and what it must not."""
    true, was = _true(status), _true(before)
    for pair, text in _CONTRARY:
        if true.issuperset(pair) and not was.issuperset(pair):
            yield _condition(text)
    done, start = status.get("completionTime"), status.get("startTime")
    if ("Complete" in true) != ("Complete" in was) or _changed("completionTime", status, before):
        if done and "Complete" not in true:
            text = "cannot set completionTime when there is no Complete=True condition"
            yield invalid("status.completionTime", done, text)
        if not done and "Complete" in true:
            yield required("status.completionTime", "completionTime is required for Complete jobs")
    # Times are text of one form, which sorts as they do.
    if done and start and done < start:
        yield invalid("status.completionTime", done, "completionTime cannot be set before startTime")
    if "Failed" in true - was and "FailureTarget" not in true:
        yield _condition("cannot set Failed=True condition without the FailureTarget=true condition")
    if "Complete" in true - was and _CRITERIA not in true:
        yield _condition(f"cannot set Complete=True condition without the {_CRITERIA}=true condition")


def _going_back(new: Object, status: Object, before: Object) -> Iterator[FieldError]:
    """A Job's end is for ever, and what it counted stays counted."""
    true, was = _true(status), _true(before)
    for kind in ("Failed", "Complete", "FailureTarget"):
        if kind in was - true:
            yield _condition(f"cannot disable the terminal {kind}=True condition")
    spec = new["spec"]
    shrinks = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    for key in ("failed", "succeeded"):
        if status.get(key, 0) < before.get(key, 0) and not (key == "succeeded" and shrinks):
            yield invalid(f"status.{key}", status.get(key, 0), f"cannot decrease the {key} counter")
    done, begun = before.get("completionTime"), before.get("startTime")
    if done and status.get("completionTime") not in (None, done):
        yield invalid("status.completionTime", status["completionTime"], "completionTime cannot be mutated")
    if begun and status.get("startTime") != begun and not spec.get("suspend"):
        yield required("status.startTime", "startTime cannot be removed for unsuspended job")
    if _CRITERIA in was - true:
        yield _condition(f"cannot disable the {_CRITERIA}=True condition")
