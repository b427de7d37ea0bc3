"""The live picture below the commands of a step that makes Pods come and go, while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetour.interrupts import held_signals
from kubetour.observe import Objects
from kubetour.terminal.live import picture
from kubetour.terminal.scene import Scene, scene

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FRAMES = 8  # a second
MARGIN = 2  # lines of the window that it leaves free


class Inset:
    """What is printed meanwhile appears above it. Its last state stays, if anything has changed."""

    def __init__(self, console: Console, language: str, name: str) -> None:
        from rich.live import Live

        self._console = console
        self._language = language
        self._name = name
        self._first: Objects = {}
        self._last: Objects = {}
        self._waiting = ""
        self._live = Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=FRAMES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def changed(self, objects: Objects) -> None:
        """Take what there is now. In the thread of a watch, which waits: it is drawn in another."""
        if "pods" in objects:
            self._first = self._first or objects
            self._last = objects

    def begin(self) -> None:
        """Appear, if it has not yet."""
        if not self._live.is_started:
            with held_signals():  # Rich, half started, can neither go on nor stop
                self._live.start()

    def waiting(self, text: str) -> None:
        """Say below the picture what is being waited for."""
        self._waiting = text

    def end(self) -> None:
        """Vanish, and leave the last picture if it is another than the first."""
        self.close()
        last = self._scene(self._last)
        if last != self._scene(self._first):
            width, height = self._console.size
            self._console.print(picture(last, self._language, width, height - MARGIN), soft_wrap=True)

    def close(self) -> None:
        """Vanish, if it has not yet."""
        with held_signals():
            self._live.stop()

    def _scene(self, objects: Objects) -> Scene:
        return scene(objects, self._name)

    def _drawn(self) -> Text:
        from rich.text import Text

        if not self._last:
            return Text(self._waiting)
        width, height = self._console.size
        drawn = picture(self._scene(self._last), self._language, width, height - MARGIN - 1)
        waiting = Text(self._waiting, style="dim")
        waiting.truncate(width, overflow="ellipsis")
        return Text("\n", no_wrap=True, overflow="crop").join([drawn, waiting])
