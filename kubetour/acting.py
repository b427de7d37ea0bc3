"""A step's actions under way: in the foreground, or in the background until their turn comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetour import causes
from kubetour.checks import Result
from kubetour.errors import Interrupted, KubetourError, RefusedError
from kubetour.runner import Running, cut, last_signal
from kubetour.script import program, shell
from kubetour.silence import QUIET, Silence, of_engine
from kubetour.state import State
from kubetour.steps import Found, Lookup, Run, Rung, Stage, Step, bind
from kubetour.text import Text

if TYPE_CHECKING:
    from invoke.context import Context

GRACE = 5.0  # seconds for kubectl to end by itself, where it was given a --timeout

Line = Callable[[str], None]
Command = Callable[[Run], None]


class Backlog:
    """What a part of a step in the background tells: commands and lines, until it ends or fails."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[Run | str | None] = queue.SimpleQueue()
        self._error: BaseException | None = None

    def keep(self, work: Callable[[Command, Line], None]) -> bool:
        """Do the work and keep what it tells; return whether it went well."""
        try:
            work(self._told.put, self._told.put)
        except BaseException as error:  # raised again where the step's turn comes
            self._error = error
        self._told.put(None)
        return self._error is None

    def relay(self, command: Command, line: Line) -> None:
        """Tell what was told so far, and what is told until its end; raise what failed."""
        while (told := self._told.get()) is not None:
            if isinstance(told, Run):
                command(told)
            else:
                line(told)
        if self._error:
            raise self._error


class Performer:
    """Runs commands and knows which of them are still running, so that none outlives the tour.

    kubectl by itself waits for ever for an API server that is silent: it is ended when `timeout`, the seconds
    that a step has, and some more have passed. So does an engine's client: `silence` ends it.
    """

    def __init__(self, c: Context, state: State, timeout: float) -> None:
        self.c = c
        self.state = state
        self._timeout = timeout
        self.found: dict[Found, tuple[str, ...]] = {}  # by a step's ladder, for the steps after it
        self._running: set[Running] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._hung: KubetourError | None = None  # why the engine is asked no more
        self._ready: set[str] = set()  # the steps that others may build on
        self._closed = False
        self._changed = threading.Condition()

    def perform(self, run: Run, line: Line = lambda _: None) -> Result:
        """Run a command to its end and return its result; Interrupted if a signal, or `end`, ended it.

        EngineError where the engine has stopped to answer.
        """
        with self._lock:
            if self._ended:
                raise Interrupted(last_signal())
            if self._hung and of_engine(run):
                raise self._hung
            running = Running(self.c, run, line, self._timeout + GRACE if _asks(run) else None)
            self._running.add(running)
        try:
            if not of_engine(run):
                return running.wait()
            with Silence(self.c, running, min(QUIET, self._timeout)) as silence:
                result = running.wait()
            self._hung = silence.error()
            if self._hung:
                raise self._hung
            return result
        finally:
            with self._lock:
                self._running.discard(running)

    def release(self, step: str) -> None:
        """Let begin what runs early and needs this step."""
        with self._changed:
            self._ready.add(step)
            self._changed.notify_all()

    def await_turn(self, acting: Acting, needs: frozenset[str]) -> bool:
        """Return True, and let it have begun, when all these are released; False if nothing may begin now."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or needs <= self._ready)
            acting.begun = not self._closed
            return acting.begun

    def close(self) -> None:
        """Let no step begin early any more; what has begun goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """End every command that still runs, and let none begin."""
        self.close()
        with self._lock:
            self._ended = True
            running = tuple(self._running)
        for command in running:
            command.end()


def _asks(run: Run) -> bool:
    """Return whether a command asks the API server, itself or by another command in one of its words."""
    return program(run) == "kubectl" or any(isinstance(part, Lookup) and _asks(part.run) for part in run.argv)


class Acting:
    """The actions of one step. `results` grows by one pair for each command that has run."""

    def __init__(self, step: Step, performer: Performer) -> None:
        self.step = step
        self.already = False
        self.because: tuple[Run, ...] = ()  # what has said that there is nothing to do
        self.rung: Text | None = None
        self.results: list[tuple[Run, Result]] = []
        self.confirmed: list[tuple[Run, Result]] = []  # of the last time that this was asked
        self._performer = performer
        self._unmade = False
        self.begun = False  # in the background
        self._thread: threading.Thread | None = None
        self._acted, self._confirmation = Backlog(), Backlog()
        self._asked = False  # whether what confirms it was asked for in its turn

    @property
    def undone(self) -> bool:
        """Return whether its last actions have removed what the first ones made."""
        made, run = set(self.step.creates), len(self.results)
        return (
            bool(made)
            and made <= set(self.step.removes)
            and run == len(self.step.actions)
            and not self._unmade
        )

    def start(self, needs: frozenset[str]) -> None:
        """Begin in the background as soon as these steps are released; `present` and `confirm` then tell it.

        When its actions have made what they are for, that is a release too: whoever needs no more than
        that need not wait for the proof. What was there before has to be proved first: it may not be ours.
        """

        def work() -> None:
            if self._performer.await_turn(self, needs) and self._acted.keep(self._act):
                if not self.already:
                    self._performer.release(self.step.id)
                self._confirmation.keep(self._confirm)

        self._thread = threading.Thread(target=work, daemon=True, name=f"early-{self.step.id}")
        self._thread.start()

    def join(self) -> None:
        """Wait for what runs in the background."""
        if self._thread is not None:
            self._thread.join()

    def present(self, command: Command, line: Line) -> None:
        """Run the actions, or join those that run, telling commands and output. Raises what failed."""
        if self._thread is None:
            self._act(command, line)
        else:
            self._acted.relay(command, line)

    def confirm(self, command: Command, line: Line) -> None:
        """Run what confirms the step, or join what runs; KubetourError if a command fails."""
        if self._thread is None or self._asked:
            self._confirm(command, line)
        else:
            self._asked = True
            self._confirmation.relay(command, line)

    def _confirm(self, command: Command, line: Line) -> None:
        self.confirmed = []
        for run in self.step.confirm:
            command(run)
            result = self._performer.perform(run, line)
            self.confirmed.append((run, result))
            if result.status != 0 and not self.step.again:
                raise self._failed(run, result)

    def repeat(self, line: Line) -> None:
        """Run the actions once more, and what confirms them; what they print is told only if all is well."""
        if self._attempt(lambda run: None, lambda text: None) is None and self.results:
            for text in self.results[-1][1].stdout.splitlines():
                line(cut(text))
        self.confirm(lambda run: None, lambda text: None)

    def rescue(self, command: Command, line: Line) -> None:
        """Run what the step has for when it fails; whether that succeeds changes nothing.

        If its actions have left nothing, what was entered into the ledger is taken back. What was there
        before is left alone: it is not half made, and perhaps not ours. Where nobody can say what is left, as
        the engine has gone, the ledger keeps it.
        """
        if self.already:
            return
        for run in self.step.rescue:
            command(run)
            self._performer.perform(run, line)
        left = self.step.exists or self.step.unless
        if self._unmade and left:
            looked = self._performer.perform(left)
            if looked.status != 0 and not causes.unanswered(self._failed(left, looked)):
                self._performer.state.strike(*self.step.creates)

    def restore(self, command: Command, line: Line) -> None:
        """Put back what the actions have changed, as far as that succeeds."""
        for run in self.step.restore:
            command(run)
            self._performer.perform(run, line)

    def _act(self, command: Command, line: Line) -> None:
        asked = self.step.confirm if self.step.settled else (self.step.unless,) if self.step.unless else ()
        if asked and all(self._performer.perform(run).status == 0 for run in asked):
            self.already, self.because = True, asked
            return
        self._refuse_what_is_not_ours()
        brought = (entry for entry, there in self.step.brings if self._performer.perform(there).status != 0)
        self._performer.state.add(*self.step.creates, *brought)
        failed = self._attempt(command, line)
        if failed and not self.step.again:
            error = self._failed(*failed)
            if self.step.refusable and causes.forbidden(error):
                return  # the check decides whether it can be seen all the same
            self._unmade = True
            raise error

    def _attempt(self, command: Command, line: Line) -> tuple[Run, Result] | None:
        """Run the actions, on each rung in turn until they succeed; return the last that failed, or None."""
        failed = None
        for rung in self.step.ladder or (None,):
            if rung is None or self._climb(rung):
                failed = self._run(command, line)
                if failed is None:
                    break
        return failed

    def _run(self, command: Command, line: Line) -> tuple[Run, Result] | None:
        """Run the actions until one fails; return that one, or None."""
        for action in self.step.actions:
            run = bind(action, self._performer.found)
            command(run)
            result = self._performer.perform(run, line)
            self.results.append((run, result))
            if result.status != 0:
                return run, result
        return None

    def _climb(self, rung: Rung) -> bool:
        """Take a rung for this step and those after it; False if there is no such way."""
        url = rung.url
        if isinstance(url, Lookup):
            said = self._performer.perform(url.run).stdout.strip()
            if not said:
                return False
            url = url.before + said + url.after
        self._performer.found = {Found.PROGRAM: rung.program, Found.URL: (url,)}
        self.rung = rung.way
        return True

    def _refuse_what_is_not_ours(self) -> None:
        """Raise RefusedError if what the step would make or remove is there, but not by the ledger."""
        step = self.step
        ours = {*step.creates, *step.removes} <= set(self._performer.state.created())
        if not step.exists or ours or self._performer.perform(step.exists).status != 0:
            return
        if step.stage is Stage.CLUSTER:
            raise RefusedError("cluster-exists")
        raise RefusedError("made-by-others") if step.creates else RefusedError("not-made-here")

    def _failed(self, run: Run, result: Result) -> KubetourError:
        return causes.command_failed(shell(run), program(run), result)
