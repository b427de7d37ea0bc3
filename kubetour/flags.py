"""Tasks from settings: each flag, its type and its help come from the one definition in `settings`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from invoke.tasks import task

from kubetour.settings import FIELDS
from kubetour.text import from_locale, say

if TYPE_CHECKING:
    from invoke.context import Context

Body = Callable[..., None]
WORD = inspect.Parameter.empty

SPEAK = ("lang",)
ENGINE = ("provider", "host", "engine", "student", "offline", *SPEAK)
IMAGE = ("image", "registry", "app_dir", "base", "context", *ENGINE)
CLUSTER = ("provider", "host", "cluster_name", "context", "timeout", "student", "offline", *SPEAK)
WORKLOAD = ("name", "namespace", *CLUSTER)
EVERYTHING = tuple(FIELDS)


def verb(*settings: str, operands: str = "", **extra: Any) -> Callable[[Body], Any]:
    """Return a decorator that makes a task of a body `(c, flags, **extra)`.

    Its flags are the named settings and `extra`, flags of its own with their defaults; a trailing underscore
    is for names that Python keeps for itself. `operands` names one of `extra`, a list, that takes every word
    which is no flag; what has WORD for its default is no flag either, but the one word behind the verb.
    """
    names = tuple(dict.fromkeys(settings))

    def decorate(body: Body) -> Any:
        def run(c: Context, **given: Any) -> None:
            own = {name: given.pop(name) for name in extra}
            body(c, {name: value for name, value in given.items() if value not in (None, False)}, **own)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        defaults = {name: False if FIELDS[name].default is False else None for name in names} | extra
        parameters = [inspect.Parameter(name, kind, default=value) for name, value in defaults.items()]
        parameters.sort(key=lambda each: each.default is not WORD)
        words = tuple(each.name for each in parameters if each.default is WORD)
        run.__signature__ = inspect.Signature([inspect.Parameter("c", kind), *parameters])  # type: ignore[attr-defined]
        run.__name__ = body.__name__
        language = from_locale()
        run.__doc__ = say(language, f"task.{body.__name__.strip('_').replace('_', '-')}")
        return task(
            run,
            name=body.__name__.strip("_").replace("_", "-"),
            help={name: _help(language, name) for name in defaults},
            positional=(operands,) if operands else words,
            iterable=(operands,) if operands else (),
            auto_shortflags=False,
        )

    return decorate


def _help(language: str, name: str) -> str:
    if name not in FIELDS:
        return say(language, f"flag.{name.rstrip('_')}")
    default = FIELDS[name].default
    shown = "" if default in ("", None, False) else f" [{default}]"
    return say(language, f"setting.{name}") + shown
