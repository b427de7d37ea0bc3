"""Everything the program says, by key, in each language.

`en.py` and `zh.py` hold `MESSAGES`, one entry per key; a test keeps them parallel. The lowest layer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

LANGUAGES = ("en", "zh")
# What stands before a language in the name of a module of messages.
MODULES = (
    "help_",  # first: `inv --list` and `--help` need no other
    "",
    "tools_",
    "host_",
    "traps_",
    "report_",
    "lessons_",
    "pack_",
    "class_",
    "claims_",
    "live_",
    "app_",
    "explain_",
)


@dataclass(frozen=True)
class Text:
    """A message not yet said: its key and its values, in which other Texts may stand."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@cache
def catalog(language: str) -> Mapping[str, str]:
    """Return every message of a language."""
    messages: dict[str, str] = {}
    for module in MODULES:
        messages |= _messages(module, language)
    return messages


@cache
def _messages(module: str, language: str) -> Mapping[str, str]:
    found: Mapping[str, str] = import_module(f"kubetour.text.{module}{language}").MESSAGES
    return found


@cache
def _message(language: str, key: str) -> str:
    """Return one message, importing no more modules than it takes to find it."""
    for module in MODULES:
        if key in (messages := _messages(module, language)):
            return messages[key]
    raise KeyError(key)


def say(language: str, key: str, **values: Any) -> str:
    """Return the message of that key with the values in place; KeyError for an unknown key."""
    told = {
        name: tell(language, value) if isinstance(value, Text) else value for name, value in values.items()
    }
    return _message(language, key).format(**told)


def tell(language: str, text: Text) -> str:
    """Return a Text in a language."""
    return say(language, text.key, **text.values)


def choose(wanted: object) -> str:
    """Return the language asked for by flag or environment if there is such, else the locale's."""
    asked = str(wanted or os.environ.get("KUBETOUR_LANG") or "")
    return asked if asked in LANGUAGES else from_locale()


def from_locale(environ: Mapping[str, str] = os.environ) -> str:
    """Return the language of the locale, as POSIX ranks its variables: LC_ALL, LC_MESSAGES, LANG."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(variable):
            return "zh" if environ[variable].lower().startswith("zh") else "en"
    return "en"
