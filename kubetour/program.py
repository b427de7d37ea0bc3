"""Invoke's command line, which makes the arguments of those tasks only that are called."""

from __future__ import annotations

from typing import Any

from invoke._version import __version__
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program as Invoke
from invoke.tasks import Task

_FILLED = ("args", "positional_args", "flags", "inverse_flags")


class Unread(ParserContext):
    """What the parser knows of a task: its arguments are made when it first asks for one.

    Invoke makes them for every task and copies them all twice, a tenth of what `inv --list` takes.
    """

    def __init__(self, name: str, aliases: tuple[str, ...], task: Task[Any]) -> None:
        self.name, self.aliases, self._task = name, aliases, task

    def __getattr__(self, name: str) -> Any:
        """Return an attribute that is not there yet; AttributeError if there never will be."""
        if name not in _FILLED:
            raise AttributeError(name)
        super().__init__(self.name, self.aliases, self._task.get_arguments())
        return self.__dict__[name]

    def __deepcopy__(self, memo: object) -> Unread:
        """Return one that nothing has been read into: the parser copies none but such."""
        return Unread(self.name or "", tuple(self.aliases), self._task)

    def __repr__(self) -> str:
        """Return its name; Invoke's own form would ask for all arguments."""
        return f"<Unread {self.name!r}>"


class Program(Invoke):
    """Invoke itself, but for that."""

    def _make_parser(self) -> Parser:
        names = self.collection.task_names.items()
        tasks = (Unread(name, tuple(aliases), self.collection[name]) for name, aliases in names)
        return Parser(initial=self.initial_context, contexts=tasks)


program = Program(name="Invoke", binary="inv[oke]", binary_names=["invoke", "inv"], version=__version__)
