"""Tasks from settings: each flag, its type and its help come from the one definition in `settings`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from invoke.tasks import task

from kubetour.settings import FIELDS, flag
from kubetour.text import from_locale, say

if TYPE_CHECKING:
    from invoke.context import Context

Body = Callable[..., None]
WORD = inspect.Parameter.empty
WORDS = object()  # as many as are typed, one at least

SPEAK = ("lang",)
ENGINE = ("provider", "host", "engine", "student", "offline", *SPEAK)
IMAGE = ("image", "registry", "app_dir", "base", "context", *ENGINE)
CLUSTER = ("provider", "host", "cluster_name", "context", "timeout", "student", "offline", *SPEAK)
WORKLOAD = ("name", "namespace", *CLUSTER)
EVERYTHING = tuple(FIELDS)


def verb(*settings: str, **extra: Any) -> Callable[[Body], Any]:
    """Return a decorator that makes a task of a body `(c, flags, **extra)`.

    Its flags are the named settings and `extra`, flags of its own with their defaults; a trailing underscore
    is for names that Python keeps for itself. What has WORD for its default is no flag: it follows the verb;
    WORDS are one or more of them, and the body gets a list.
    """
    names = tuple(dict.fromkeys(settings))

    def decorate(body: Body) -> Any:
        verb = body.__name__.strip("_").replace("_", "-")
        lists = {name: _words(name, verb, extra) for name, value in extra.items() if value is WORDS}

        def run(c: Context, **given: Any) -> None:
            own = {name: [given.pop(word) for word in words] for name, words in lists.items()}
            own |= {name: given.pop(name) for name in extra if name not in lists}
            body(c, {name: value for name, value in given.items() if value not in (None, False)}, **own)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        own = {name: value for name, value in extra.items() if name not in lists}
        defaults = {name: False if FIELDS[name].default is False else None for name in names} | own
        typed = [word for words in lists.values() for word in words]
        typed += [name for name, value in own.items() if value is WORD]
        words = [inspect.Parameter(name, kind) for name in typed]
        options = [inspect.Parameter(n, kind, default=v) for n, v in defaults.items() if v is not WORD]
        parameters = [inspect.Parameter("c", kind), *words, *options]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__name__ = body.__name__
        language = from_locale()
        run.__doc__ = say(language, f"task.{verb}")
        helps = {name: _help(language, name) for name in defaults}
        helps |= {word: _help(language, name) for name, words in lists.items() for word in words}
        return task(run, name=verb, help=helps, auto_shortflags=False)

    return decorate


def _words(name: str, verb: str, extra: dict[str, Any], argv: Sequence[str] = sys.argv) -> list[str]:
    """Return names for as many words as the command line has behind a verb, at least for one.

    Invoke's own parser takes a fixed number of words for a task, and the next one for another task.
    """
    valued = {flag(option) for option, value in {**extra, "lang": ""}.items() if value == ""}
    count, before = 0, ""
    for word in argv[argv.index(verb) + 1 :] if verb in argv else ():
        if before not in valued and not word.startswith("-"):
            count += 1
        before = word
    return [name, *(f"{name}_{number}" for number in range(2, count + 1))]


def _help(language: str, name: str) -> str:
    if name not in FIELDS:
        return say(language, f"flag.{name.rstrip('_')}")
    default = FIELDS[name].default
    shown = "" if default in ("", None, False) else f" [{default}]"
    return say(language, f"setting.{name}") + shown
