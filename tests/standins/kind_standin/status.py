"""kind's progress on stderr, as it is where stderr is no terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


class Log:
    """stderr, or nothing with --quiet."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    def __call__(self, line: str) -> None:
        if not self.quiet:
            print(line, file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase, then tick or cross it."""
        self(f" • {name}  ...")
        try:
            yield
        except BaseException:
            self(f" ✗ {name}")
            raise
        self(f" ✓ {name}")
