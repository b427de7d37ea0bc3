"""Tasks from settings: each flag, its type and its help come from the one definition in `settings`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from invoke.parser.argument import Argument
from invoke.tasks import Task

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


class Verb(Task[Any]):
    """A task that knows its arguments, so that nobody has to look for them in a signature.

    `words` are those of its arguments that are no flags, `operands` those of them that take several words.
    """

    def __init__(
        self, body: Body, name: str, defaults: Mapping[str, Any], words: tuple[str, ...], operands: str
    ) -> None:
        super().__init__(body, name=name, positional=words)
        self._defaults = defaults
        self._operands = operands

    def __deepcopy__(self, memo: object) -> Verb:
        """Return a copy that counts its own calls: nothing else in it ever changes."""
        return copy.copy(self)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the arguments, those that are no flags first, each with its help."""
        language = from_locale()
        names = (*self.positional, *(name for name in self._defaults if name not in self.positional))
        return [self._argument(name, language) for name in names]

    def _argument(self, name: str, language: str) -> Argument:
        default = self._defaults[name]
        return Argument(
            names=(name.strip("_").replace("_", "-"),),
            attr_name=name if "_" in name else None,
            kind=list if name == self._operands else str if default in (None, WORD) else type(default),
            default=None if default is WORD else default,
            positional=name in self.positional,
            help=_help(language, name),
        )


def verb(*settings: str, operands: str = "", **extra: Any) -> Callable[[Body], Verb]:
    """Return a decorator that makes a task of a body `(c, flags, **extra)`.

    Its flags are the named settings and `extra`, flags of its own with their defaults; a trailing underscore
    is for names that Python keeps for itself. `operands` names one of `extra`, a list, that takes every word
    which is no flag; what has WORD for its default is no flag either, but the one word behind the verb.
    """
    names = tuple(dict.fromkeys(settings))

    def decorate(body: Body) -> Verb:
        def run(c: Context, **given: Any) -> None:
            own = {name: given.pop(name) for name in extra}
            body(c, {name: value for name, value in given.items() if value not in (None, False)}, **own)

        defaults = {name: False if FIELDS[name].default is False else None for name in names} | extra
        words = tuple(name for name, default in defaults.items() if default is WORD or name == operands)
        name = body.__name__.strip("_").replace("_", "-")
        run.__name__ = body.__name__
        run.__module__ = body.__module__
        run.__doc__ = say(from_locale(), f"task.{name}")
        return Verb(run, name, defaults, words, operands)

    return decorate


def _help(language: str, name: str) -> str:
    if name not in FIELDS:
        return say(language, f"flag.{name.rstrip('_')}")
    default = FIELDS[name].default
    shown = "" if default in ("", None, False) else f" [{default}]"
    return say(language, f"setting.{name}") + shown
