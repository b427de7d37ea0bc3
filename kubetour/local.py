"""Invoke's own runner for this machine, mended where it is not enough.

Registered in Invoke's configuration (`runners.local`), its extension point for this. The differences:
a command is a process group of its own, so that a signal reaches all of it and nothing else, and has our mark
in its environment, so that what it leaves behind is known; an interrupt
ends that group, where Invoke types ^C into a pipe that nobody reads; captured output costs linear time,
where Invoke joins all of it again for every chunk; a character that lies in two chunks stays whole; and the
end of a command is waited for, where Invoke looks a hundred times a second whether it has come.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
from collections.abc import Callable, Generator
from subprocess import DEVNULL, PIPE, Popen
from threading import Event, Thread, Timer
from typing import IO, Any

from invoke.runners import Local, Result, Runner

from kubetour.project import CHECKOUT_VARIABLE, ROOT

PATIENCE = 5.0  # seconds a command has, after an interrupt, before it is killed


class Capture(Runner):
    """How output is read and the end is waited for, here and on a host."""

    def follow(self, ended: Callable[[], object]) -> None:
        """Let `wait` return when `ended` has, which blocks until the command that was started has ended."""
        self.over = Event()

        def work() -> None:
            ended()
            self.over.set()

        Thread(target=work, daemon=True, name="wait-for-command").start()

    def wait(self) -> None:
        """Block until the command has ended, or nobody reads its output any more."""
        self.over.wait()

    def handle_stdout(self, buffer_: list[str], hide: bool, output: IO[Any]) -> None:
        """Pass on what the command prints; where that fails, it is not waited for."""
        with self._noticed():
            super().handle_stdout(buffer_, hide, output)

    def handle_stderr(self, buffer_: list[str], hide: bool, output: IO[Any]) -> None:
        """Pass on what the command prints on standard error; the same holds."""
        with self._noticed():
            super().handle_stderr(buffer_, hide, output)

    @contextlib.contextmanager
    def _noticed(self) -> Generator[None, None, None]:
        try:
            yield
        except BaseException:
            self.over.set()
            raise

    def read_proc_output(self, reader: Callable[[int], bytes | None]) -> Generator[str, None, None]:
        """Yield the output as it comes, decoded over the bounds of its chunks."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        while chunk := reader(self.read_chunk_size):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)

    def respond(self, buffer_: list[str]) -> None:
        """Do nothing: without watchers there is nobody to answer, and joining the buffer is what costs."""
        if self.watchers:
            super().respond(buffer_)


class GroupLocal(Capture, Local):
    """Run a command as a process group of its own."""

    def run(self, command: str, **kwargs: Any) -> Result | None:
        """Run it as Invoke does. One that cannot be waited for, as there is no thread for it, is killed."""
        try:
            return super().run(command, **kwargs)
        except BaseException:
            if hasattr(self, "process"):
                self.kill()
                Runner.stop(self)  # its timer would hold up the end of Python
            raise

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:
        """Start the command; no terminal is involved, so a pty is never made."""
        self.process = Popen(
            [shell, "-c", command],
            env={**env, CHECKOUT_VARIABLE: str(ROOT)},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        self.follow(self.process.wait)

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """End the group as Ctrl-C in a terminal would; the second time, or after some seconds, kill it."""
        if getattr(self, "interrupted", False):
            self.signal_group(signal.SIGKILL)
            return
        self.interrupted = True
        self.signal_group(signal.SIGINT)
        self.killer = Timer(PATIENCE, self.signal_group, (signal.SIGKILL,))
        self.killer.daemon = True
        try:
            self.killer.start()
        except RuntimeError:  # there can be no thread for it
            self.signal_group(signal.SIGKILL)

    def kill(self) -> None:
        """Kill the group: what Invoke does when a command's time is up."""
        self.signal_group(signal.SIGKILL)

    def stop(self) -> None:
        """Cancel every timer, as the process id may soon be another's, and close the pipes."""
        super().stop()
        if hasattr(self, "killer"):
            self.killer.cancel()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def signal_group(self, number: int) -> None:
        """Send a signal to whatever is left of the group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)
