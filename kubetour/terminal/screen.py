"""Where the live picture appears: on a terminal, drawn anew; on a pipe, as a line for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetour.interrupts import held_signals
from kubetour.terminal.changes import NOTHING, changes
from kubetour.terminal.console import harmless
from kubetour.terminal.live import Traffic, picture
from kubetour.terminal.prose import wrap
from kubetour.terminal.scene import Scene
from kubetour.text import Text, say, tell

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text as Drawn


class Screen:
    """A terminal's alternate screen, as top and less use it: a change of the window's size cannot garble it.

    What was shown last stays on the ordinary screen afterwards.
    """

    is_slow = True  # it is for eyes: of a burst of changes, the last is enough

    def __init__(self, console: Console, language: str, title: Text) -> None:
        from rich.live import Live

        self._console = console
        self._language = language
        self._title = title
        self._shown: object = None
        self._last: Drawn | None = None
        self._live = Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def __enter__(self) -> Screen:
        """Return itself; the screen changes with the first picture."""
        return self

    def __exit__(self, *unused: object) -> None:
        """Go back to the ordinary screen, and leave the last picture there."""
        with held_signals():  # Rich, half stopped, leaves the terminal without a cursor
            self._live.stop()
        if self._last is not None:
            self._console.print(self._last, soft_wrap=True)

    def show(self, scene: Scene, traffic: Traffic | None, trouble: str) -> bool:
        """Draw a scene, and why it may not be current; return whether anything was new in it."""
        from rich.text import Text as Drawn

        state = (scene, traffic, trouble, self._console.size)
        if state == self._shown:
            return False
        self._shown = state
        width, height = self._console.size
        title = Drawn(tell(self._language, self._title), style="dim")
        title.truncate(width, overflow="ellipsis")
        lines = [title]
        if trouble:
            lost = Drawn(say(self._language, "live.lost", reason=harmless(trouble)), style="bold red")
            lines += wrap(lost, width)
        self._last = picture(scene, self._language, width, height - len(lines), traffic)
        if not self._live.is_started:
            with held_signals():
                self._live.start()
        whole = Drawn("\n", no_wrap=True, overflow="crop").join([*lines, self._last])
        self._live.update(whole, refresh=True)
        return True


class Lines:
    """A pipe or a file: nothing on it is overwritten. Each line begins with the seconds since the first."""

    is_slow = False  # it gets every change

    def __init__(self, console: Console, language: str, clock: Callable[[], float]) -> None:
        self._console = console
        self._language = language
        self._clock = clock
        self._began = clock()
        self._scene = NOTHING
        self._traffic: Traffic | None = None
        self._trouble = ""

    def __enter__(self) -> Lines:
        """Return itself."""
        return self

    def __exit__(self, *unused: object) -> None:
        """Say what the requests came to."""
        if self._traffic:
            self._requests(self._traffic)
            for name, count in sorted(self._traffic.by.items()):
                self._print(f"requests/{name}  {count}")

    def show(self, scene: Scene, traffic: Traffic | None, trouble: str) -> bool:
        """Print what has changed, if anything; return whether there was."""
        lines = list(changes(self._scene, scene, self._language))
        before = self._traffic or Traffic(0)
        self._traffic = traffic  # before anything is printed: whoever reads it may end the watch at once
        for line in lines:
            self._print(line)
        if trouble and trouble != self._trouble:
            self._print(say(self._language, "live.lost", reason=harmless(trouble)))
        if traffic and (traffic.failed > before.failed or (traffic.answered and not before.answered)):
            self._requests(traffic)
        self._scene, self._trouble = scene, trouble
        return bool(lines)

    def _requests(self, traffic: Traffic) -> None:
        parts = (
            say(self._language, "live.answered", count=traffic.answered),
            say(self._language, "live.failed", count=traffic.failed),
        )
        self._print("requests  " + "  ".join(parts))

    def _print(self, text: str) -> None:
        self._console.print(f"{self._clock() - self._began:8.1f} s  {text}", soft_wrap=True)
