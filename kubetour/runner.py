"""The one caller of the shell: a Run goes in, its text runs through Invoke, a Result comes out.

`c` is an `invoke.Context`; a `fabric.Connection` is one too and gets the same text.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from kubetour.checks import TIMED_OUT, Result
from kubetour.errors import HostError, Interrupted
from kubetour.interrupts import heard, held_signals, last_signal
from kubetour.local import GroupLocal
from kubetour.script import shell
from kubetour.steps import Run

if TYPE_CHECKING:
    from invoke.context import Context
    from invoke.runners import Promise

Line = Callable[[str], None]
LONGEST_LINE = 10_000  # characters of a line that is passed on as it comes; the result has all of it
MOST = 5  # commands side by side: half of the sessions that sshd allows on a connection by default
LOOK = 30.0  # seconds for a command that only asks the API server something


class Sink:
    """A stream for Invoke to write to: passes whole lines on to `line`.

    Where that fails, as nobody is there any more, the rest is dropped and `error` says why: an exception
    would end the thread that reads for the command, and nobody would wait for the command any more.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._rest: list[str] = []
        self.error: OSError | None = None

    def write(self, text: str) -> None:
        """Take a piece of output."""
        if "\n" not in text:
            self._rest.append(text)  # joined once: a long line must not cost the square of its length
            return
        *lines, rest = "".join([*self._rest, text]).split("\n")
        self._rest = [rest]
        for line in lines:
            self._pass_on(line.removesuffix("\r"))

    def flush(self) -> None:
        """Do nothing: what is whole has been passed on."""

    def close(self) -> None:
        """Pass on a last line that did not end."""
        if rest := "".join(self._rest):
            self._pass_on(rest)
        self._rest = []

    def _pass_on(self, line: str) -> None:
        try:
            if not self.error:
                self._line(cut(line))
        except OSError as error:
            self.error = error


def cut(line: str) -> str:
    """Return a line as it is told to people: of one that is endless, only the beginning."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


class Running:
    """A command that runs in the background until `wait` is called."""

    def __init__(self, c: Context, run: Run, line: Line, timeout: float | None = None) -> None:
        self._line = line
        self._sinks = Sink(self._tell), Sink(self._tell)
        self._started = self.heard = time.monotonic()  # heard: when it last printed a line
        self.run = run
        self._promise: Promise = c.run(  # type: ignore[assignment]  # asynchronous: a Promise
            shell(run),
            in_stream=False,
            hide=True,
            warn=True,
            pty=False,
            dry=False,  # with --dry no step gets here, and probes must run
            asynchronous=True,
            out_stream=self._sinks[0],
            err_stream=self._sinks[1],
            timeout=timeout,
        )

    def _tell(self, line: str) -> None:
        """Pass on a line, but not what a command says of having been interrupted: its own traceback, say."""
        self.heard = time.monotonic()
        if not (hasattr(self, "_promise") and getattr(self._promise.runner, "interrupted", False)):
            self._line(line)

    def wait(self) -> Result:
        """Return the result when the command has ended; Interrupted if a signal ended it for us."""
        with held_signals():  # but for the waiting itself, that all of it is done
            return self._wait()

    def _wait(self) -> Result:
        from invoke.exceptions import CommandTimedOut

        runner = self._promise.runner
        try:
            done = heard(self._join)
            status = int(done.exited)
        except CommandTimedOut as error:
            done, status = error.result, TIMED_OUT
        except KeyboardInterrupt:  # in a moment in which Invoke does not expect one
            self.end()
            raise Interrupted(last_signal()) from None
        finally:
            runner.stop()  # which Invoke leaves out where a command runs asynchronously
        for sink in self._sinks:
            sink.close()
            if sink.error:
                raise sink.error
        if getattr(runner, "interrupted", False):
            raise Interrupted(last_signal())
        if lost := getattr(runner, "lost", None):  # the connection to the host it ran on
            raise lost
        seconds = time.monotonic() - self._started
        return Result(status, done.stdout, done.stderr, seconds, self._started)

    def _join(self) -> Any:
        """Wait, but not in Invoke, which for a signal just before its waiting joins its readers for ever."""
        self._promise.runner.wait()
        return self._promise.join()

    def finished(self) -> bool:
        """Return whether the command has ended."""
        return bool(self._promise.runner.process_is_finished)

    def kill(self) -> None:
        """Kill the command; who waits for it gets its result."""
        self._promise.runner.kill()

    def end(self) -> None:
        """End the command and wait for it: nothing of it stays behind."""
        runner = self._promise.runner
        with held_signals(), suppress(Interrupted, HostError):
            if not runner.process_is_finished:
                runner.send_interrupt(KeyboardInterrupt())
            self._wait()


def perform(c: Context, run: Run, line: Line | None = None, timeout: float | None = None) -> Result:
    """Run a command to its end and return its result, whatever its exit status; `line` sees it live.

    A command that is over its time (seconds) is killed and has exit status 124.
    """
    (result,) = side_by_side(lambda run: Running(c, run, line or (lambda _: None), timeout), (run,))
    return result


def perform_all(c: Context, runs: Iterable[Run], timeout: float | None = None) -> tuple[Result, ...]:
    """Run commands side by side and return their results in their order, whatever their exit status."""
    return side_by_side(lambda run: Running(c, run, lambda _: None, timeout), runs)


def side_by_side(
    begin: Callable[[Run], Running],
    runs: Iterable[Run],
    wait: Callable[[Running], Result] = lambda running: running.wait(),
) -> tuple[Result, ...]:
    """Return the results of commands in their order, of which at most MOST run at a time.

    None may need another one. If one ends for a signal, or cannot be begun, all are ended.
    """
    waiting, results = deque[Running](), list[Result]()
    try:
        for run in runs:
            if len(waiting) == MOST:
                results.append(wait(waiting[0]))
                waiting.popleft()
            with held_signals():  # what has begun is known to have
                waiting.append(begin(run))
        while waiting:
            results.append(wait(waiting[0]))
            waiting.popleft()
    except BaseException as error:
        try:
            end_all(waiting)
        except KeyboardInterrupt:  # the first signal, a moment after another error
            end_all(waiting)
            raise Interrupted(last_signal()) from None
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(last_signal()) from None
        raise
    return tuple(results)


def end_all(commands: Iterable[Running]) -> None:
    """End commands and wait for them: all of them, even if one cannot be."""
    with ExitStack() as ending:
        for running in commands:
            ending.callback(running.end)


def configure(c: Context) -> None:
    """Set the runner and the shell that this project needs."""
    c.config.runners.local = GroupLocal
    c.config.run.shell = "/bin/sh"
