"""What is there, as values, and what of it should not be there any more. Nothing is read here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Thing:
    """Something that is there: a container, a network, a volume, an image, a process, a file, …

    `entry` is what the ledger has of it if it was made here; "" where it does not carry the mark that all
    of its kind carry which are made here. `ours` says that it shows this very checkout's mark.
    """

    kind: str
    name: str
    id: str = ""  # tells it from another of the same name
    entry: str = ""
    ours: bool = False
    needed: bool = False  # somebody else uses it now, so it is left on purpose
    remove: str = ""  # the command that removes it

    @property
    def key(self) -> Key:
        """Return what makes it the same thing at another time."""
        return self.kind, self.name, self.id


@dataclass(frozen=True)
class Leftover:
    """What remains of this project's, and the command that removes it."""

    kind: str
    name: str
    remove: str


def leftovers(before: Collection[Key], after: Iterable[Thing], ledger: Collection[str]) -> list[Leftover]:
    """Return what is there, was made here, and is not needed: each once, in the order of `after`.

    What was there before the first thing was made is nobody's but the user's. `ledger` is all that was made
    since then, whether it has been removed or not.
    """
    left = (
        Leftover(thing.kind, thing.name, thing.remove)
        for thing in after
        if (thing.ours or (thing.entry and thing.entry in ledger))
        and not thing.needed
        and thing.key not in before
    )
    return list(dict.fromkeys(left))
