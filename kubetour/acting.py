"""A step's actions under way: in the foreground, or in the background until their turn comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from kubetour import causes
from kubetour.checks import Result
from kubetour.errors import KubetourError, RefusedError
from kubetour.interrupts import held_signals
from kubetour.performer import Performer
from kubetour.runner import Line, cut
from kubetour.script import program, shell
from kubetour.steps import Found, Lookup, Run, Rung, Stage, Step, bind
from kubetour.text import Text

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


class Acting:
    """The actions of one step. `results` grows by one pair for each command that has run."""

    def __init__(self, step: Step, performer: Performer) -> None:
        self.step = step
        self.already = False
        self.because: tuple[Run, ...] = ()  # what has said that there is nothing to do
        self.rung: Text | None = None
        self.results: list[tuple[Run, Result]] = []
        self.confirmed: list[tuple[Run, Result]] = []  # of the last time that this was asked
        self.asked: list[tuple[Run, Result]] = []  # before it acted: whether anything is to be done, and how
        self._performer = performer
        self._unmade = False
        self.begun = threading.Event()  # in the background
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
            if self._performer.await_turn(needs, self.begun.set) and self._acted.keep(self._act):
                if not self.already:
                    self._performer.release(self.step.id)
                self._confirmation.keep(self._confirm)

        thread = threading.Thread(target=work, daemon=True, name=f"early-{self.step.id}")
        with held_signals():  # what has begun is known to have, and nothing else is waited for
            thread.start()
            self._thread = thread

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

    def finish(self) -> None:
        """Let the actions that run come to their end, and save what can be saved of them, telling nobody.

        RefusedError if nothing of it is ours, Interrupted if a signal ends the waiting.
        """
        try:
            self.present(unseen, unseen)
        except RefusedError:
            raise
        except KubetourError:
            self.rescue(unseen, unseen)

    def confirm(self, command: Command, line: Line) -> None:
        """Run what confirms the step, or join what runs; KubetourError if a command fails."""
        if self._thread is None or self._asked:
            self._confirm(command, line)
        else:
            self._asked = True
            self._confirmation.relay(command, line)

    def _confirm(self, command: Command, line: Line) -> None:
        """Run what confirms it; what has said just now that there is nothing to do is not asked again."""
        known = [each for each in self.asked if self.already and each[0] in self.step.confirm]
        self.asked = [each for each in self.asked if each not in known]
        answers = dict(known)
        if self.step.at_once:
            new = [run for run in self.step.confirm if run not in answers]
            answers.update(zip(new, self._performer.perform_all(new), strict=True))
        self.confirmed = []
        for run in self.step.confirm:
            command(run)
            result = answers.get(run)
            if result is None:
                result = self._performer.perform(run, line)
            else:
                for text in result.stdout.splitlines():
                    line(cut(text))
            self.confirmed.append((run, result))
            if result.status != 0 and not self.step.again:
                raise self._failed(run, result)

    def repeat(self, line: Line) -> None:
        """Run the actions once more, and what confirms them; what they print is told only if all is well."""
        if self._attempt(unseen, unseen) is None and self.results:
            for text in self.results[-1][1].stdout.splitlines():
                line(cut(text))
        self.confirm(unseen, unseen)

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
        if self._unmade and left and self._is_gone(left, self._performer.perform(left)):
            self._performer.state.strike(*self.step.creates)

    def restore(self, command: Command, line: Line) -> None:
        """Put back what the actions have changed, as far as that succeeds."""
        for run in self.step.restore:
            command(run)
            self._performer.perform(run, line)

    def _act(self, command: Command, line: Line) -> None:
        if self._is_done():
            self.already = True
            return
        made = self._performer.state.created()
        brings = {run: entry for entry, run in self.step.brings if entry not in made}
        absent = [run for run, result in self._ask(*brings) if result.status != 0]
        self._performer.state.add(*self.step.creates, *(brings[run] for run in absent))
        failed = self._attempt(command, line)
        if failed and not self.step.again:
            error = self._failed(*failed)
            if self._has_gone():
                return
            if self.step.refusable and causes.forbidden(error):
                return  # the check decides whether it can be seen all the same
            self._unmade = True
            raise error
        self._performer.note_made(self.step.id)

    def _is_done(self) -> bool:
        """Return whether there is nothing to do; RefusedError if what is there is not by the ledger.

        What the ledger has is probably there, and what it has not probably is not: that is asked first, as
        the answer then makes the other question needless.
        """
        step = self.step
        ours = {*step.creates, *step.removes} <= set(self._performer.state.created())
        strange = not ours and step.exists
        if strange and not self._succeed(strange):
            return False
        tells = step.confirm if step.settled else (step.unless,) if step.unless else ()
        if step.settled and self._performer.has_made(step.needs):
            return False  # what is new cannot have been there for it
        if tells and self._succeed(tells[0]) and self._succeed(*tells[1:]):
            self.because = tells
            return True
        if not strange:
            return False
        if step.stage is Stage.CLUSTER:
            raise RefusedError("cluster-exists")
        raise RefusedError("made-by-others") if step.creates else RefusedError("not-made-here")

    def _has_gone(self) -> bool:
        """Return whether what the step only removes, and was made here, has gone by itself meanwhile.

        Then there is nothing to do. A container that an interrupted tour has told to stop is there for a
        while, and then is not.
        """
        step, made = self.step, self._performer.state.created()
        if not step.exists or step.creates or not step.removes or not set(step.removes) <= set(made):
            return False
        ((look, result),) = self._ask(step.exists)
        if not self._is_gone(look, result):
            return False
        self.already, self.because = True, (look,)
        self.results.clear()
        return True

    def _is_gone(self, look: Run, result: Result) -> bool:
        """Return whether who looked did not find it; False, too, where the engine cannot say."""
        return result.status != 0 and not causes.unanswered(self._failed(look, result))

    def _succeed(self, *runs: Run) -> bool:
        return all(result.status == 0 for _, result in self._ask(*runs))

    def _ask(self, *runs: Run) -> Sequence[tuple[Run, Result]]:
        """Run commands that only ask, side by side, and return them with their results."""
        found = list(zip(runs, self._performer.perform_all(runs), strict=True))
        self.asked += found
        return found

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
            ((_, result),) = self._ask(url.run)
            said = result.stdout.strip()
            if not said:
                return False
            url = url.before + said + url.after
        self._performer.found = {Found.PROGRAM: rung.program, Found.URL: (url,)}
        self.rung = rung.way
        return True

    def _failed(self, run: Run, result: Result) -> KubetourError:
        return causes.command_failed(shell(run), program(run), result)


def unseen(told: object) -> None:
    """Tell nobody."""
