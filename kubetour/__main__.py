"""`python -m kubetour ARGUMENTS`, which `./inv` runs: Invoke, as `python -m invoke` is, only sooner there.

Invoke imports a YAML parser, a sixth of its start, which it needs where there is an `invoke.yaml`.

Until a task begins and listens for signals (`ending.told`), Ctrl-C ends it at once and without a word, as it
does most programs: Python would print where it was. That comes first; `signal` would import others before.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]

if __name__ == "__main__":
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LATE = "invoke.vendor.yaml"


class Late:
    """Finds a module that is loaded when the first of its attributes is asked for.

    A MetaPathFinder by what it does: to say so, importlib.abc would cost more than all that is saved.
    """

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load that module late; None for any other, and where there is none."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == LATE else None
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, Late)
    from kubetour.program import program

    program.run()
