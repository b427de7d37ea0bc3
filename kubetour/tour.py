"""Running steps: act, confirm, watch until the check holds, tell; stop at the first that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kubetour import causes
from kubetour.acting import Acting, Command, unseen
from kubetour.checks import Change, Observation, Proof, Result
from kubetour.errors import ClusterError, EngineError, Interrupted, KubetourError, RefusedError, Told
from kubetour.failures import diagnose, not_proved
from kubetour.interrupts import last_signal
from kubetour.observe import Cluster, Objects
from kubetour.performer import Performer
from kubetour.questions import Prediction
from kubetour.recording import Recording
from kubetour.runner import Line
from kubetour.state import State
from kubetour.steps import Run, Step
from kubetour.text import Text

if TYPE_CHECKING:
    from invoke.context import Context

ROUND = 0.5  # seconds between two rounds of a step that may fall short
FIRST_LOOK = 5.0  # seconds that who watches a step may need to see how things are before it


@dataclass(frozen=True)
class Outcome:
    """A step that was run: what its commands gave, the verdict, its begin and its time in seconds.

    `started` counts from `origin`, the clock's reading when the run began. Before that, a person was waited
    for `waited` seconds.
    """

    step: Step
    already: bool = False
    results: tuple[tuple[Run, Result], ...] = ()
    confirmed: tuple[tuple[Run, Result], ...] = ()
    proof: Proof | None = None
    error: Told | None = None
    started: float = 0.0
    seconds: float = 0.0
    origin: float = 0.0
    waited: float = 0.0
    prediction: Prediction | None = None
    because: tuple[Run, ...] = ()  # the commands that have said that it is so already
    asked: tuple[tuple[Run, Result], ...] = ()  # beforehand: whether there is anything to do, and how


class Presenter(Protocol):
    """Who tells a person, or a program, what happens. Every method returns nothing."""

    def begin(self, step: Step, number: int, total: int, seconds: float) -> None:
        """A step begins, so many seconds after the first; waiting for a person does not count."""

    def ready(self, step: Step) -> Prediction | None:
        """Return when the step may run: what a person predicts of it, if they were asked and did."""

    def command(self, run: Run) -> None:
        """A command of the step runs."""

    def confirm(self, run: Run) -> None:
        """A command runs that confirms the step."""

    def line(self, text: str) -> None:
        """A command printed a line."""

    def note(self, text: Text) -> None:
        """There is something to say between a command and its proof."""

    def waiting(self, proof: Proof) -> None:
        """The check does not hold yet; this is what was seen last."""

    def end(self, outcome: Outcome) -> None:
        """A step has ended, proved or not."""

    def watches(self, step: Step) -> tuple[str, ...]:
        """Return the resources of which it wants to be told each change while that step runs."""

    def changed(self, objects: Objects) -> None:
        """What is known of these resources has changed. Told in a watch's thread, which waits meanwhile."""

    def close(self) -> None:
        """The run is over, whatever ended it, be it in the middle of a step: nothing moves any more."""


@dataclass
class Tour:
    """One run of some steps on one cluster."""

    c: Context
    cluster: Cluster
    state: State
    presenter: Presenter
    timeout: float
    clock: Callable[[], float] = time.monotonic
    outcomes: list[Outcome] = field(default_factory=list)
    told: str | None = None  # the way by which the app tells who answers, once a step has found it out

    def run(self, steps: Iterable[Step]) -> list[Outcome]:
        """Run the steps in order and return their outcomes; the last one has an error if it failed.

        Whatever ends the run, an interrupt included, no command of it stays behind.
        """
        steps = tuple(steps)
        begun = self.clock()
        performer = Performer(self.c, self.state, self.timeout)
        early = {step.id: Acting(step, performer) for step in steps[1:] if step.early}
        background = tuple(early.values())
        try:
            before: set[str] = set()
            for step in steps:
                if step.id in early:
                    early[step.id].start(frozenset(before.intersection(step.needs)))
                before.add(step.id)
            for number, step in enumerate(steps, 1):
                acting = early.pop(step.id, None) or Acting(step, performer)
                waited = sum(outcome.waited for outcome in self.outcomes)
                worked = self.clock() - begun - waited
                announce = partial(self.presenter.begin, step, number, len(steps), worked)
                outcome = self._step(step, acting, announce, begun)
                self.outcomes.append(outcome)
                self.presenter.end(outcome)
                if outcome.error:
                    performer.close()
                    self._finish_early(early.values(), outcome.error)
                    break
                performer.release(step.id)
        finally:
            # Nothing may be called before `try`: the first signal, if an error came before it, strikes here.
            try:
                self._end(performer, background)
            except KeyboardInterrupt:
                self._end(performer, background)
                raise
        return self.outcomes

    def _end(self, performer: Performer, background: Iterable[Acting]) -> None:
        """Leave no command, no thread and nothing that moves behind; a second time, what is left of it."""
        with ExitStack() as ending:
            ending.callback(self.presenter.close)
            for acting in background:
                ending.callback(acting.join)
            performer.end()

    def _finish_early(self, early: Iterable[Acting], error: Told) -> None:
        """Let what runs in the background come to its end: a half-made cluster helps nobody."""
        for acting in early if not isinstance(error, Interrupted) else ():
            if not acting.begun.is_set():
                continue
            self.presenter.note(Text("tour.finishing", {"step": acting.step.id}))
            try:
                with suppress(KubetourError):  # nothing of it is ours, or nothing can be saved
                    acting.finish()
            except (Interrupted, KeyboardInterrupt):
                return

    def _step(self, step: Step, acting: Acting, announce: Callable[[], None], origin: float) -> Outcome:
        begun, waited = self.clock(), 0.0
        prediction: Prediction | None = None
        proof: Proof | None = None
        error: Told | None = None
        looking = ExitStack()
        try:
            announce()
            asked, prediction = self.clock(), self.presenter.ready(step)
            begun = self.clock()  # a person may take their time
            waited = begun - asked
            recording = self._look(step, looking)
            acting.present(self.presenter.command, self.presenter.line)
            if acting.already:
                self.presenter.note(Text("tour.already"))
            acting.confirm(self.presenter.confirm, self.presenter.line)
            proof = self._prove(step, acting, begun + self.timeout, recording)
            if not proof.holds:
                error = not_proved(step, proof, acting.results, self.timeout)
            else:
                self.told = proof.data.get("way", self.told)
        except Told as caught:
            error = caught
        except KeyboardInterrupt:
            error = Interrupted(last_signal())
        finally:
            looking.close()
        if error and step.refusable and causes.forbidden(error):
            error, proof = None, Proof(True, Text("proof.forbidden"))
        if error is None or acting.undone:
            self.state.strike(*step.removes)
        if error:
            error = self._save(acting, error)
        return Outcome(
            step,
            acting.already,
            tuple(acting.results),
            tuple(acting.confirmed),
            proof,
            error,
            begun - origin,
            self.clock() - begun,
            origin,
            waited,
            prediction,
            acting.because,
            tuple(acting.asked),
        )

    def _look(self, step: Step, looking: ExitStack) -> Recording | None:
        """Begin, before a step acts, what goes on until it is judged: the recording, what is shown live."""
        if watched := self.presenter.watches(step):
            looking.enter_context(self.cluster.telling(watched, self.presenter.changed))
            with suppress(ClusterError):  # if it cannot be read, the commands tell why
                self.cluster.wait(step.check.looks, lambda seen: True, min(FIRST_LOOK, self.timeout))
        if not step.recorded:
            return None
        return looking.enter_context(self.cluster.recording(step.check.looks, self.timeout))

    def _save(self, acting: Acting, error: Told) -> Told:
        """Find out why a step failed and save what can be saved; return its error, or an interrupt since."""
        if isinstance(error, KubetourError) and acting.step.check.looks:
            diagnose(error, self.cluster)
        if isinstance(error, RefusedError) or acting.undone:
            return error  # what is there is not ours to take back, or there is nothing
        if not isinstance(error, Interrupted):
            error = self._rescue(acting.rescue) or error
        return self._rescue(acting.restore) or error

    def _rescue(self, work: Callable[[Command, Line], None]) -> Interrupted | None:
        """Save what can be saved of a step that failed; return the interrupt if one came meanwhile.

        Where the engine hangs, nothing can be: the ledger has what it may have made.
        """
        try:
            work(self.presenter.command, self.presenter.line)
        except (Interrupted, KeyboardInterrupt):
            return Interrupted(last_signal())
        except EngineError:
            pass
        return None

    def _prove(self, step: Step, acting: Acting, deadline: float, recording: Recording | None) -> Proof:
        """Return the verdict: the first that holds, or the last one when time is up."""

        def judge(objects: Objects) -> Proof:
            results = tuple(result for _, result in acting.results)
            changes = _since(results, recording.changes()) if recording else ()
            after = tuple(result for _, result in acting.confirmed)
            return step.check(Observation(results, after, objects, changes, acting.rung, self.told))

        patient = self.clock() + step.patience

        def over(proof: Proof) -> bool:
            return proof.settled and not (step.again and proof.for_now and self.clock() < patient)

        looks = step.check.looks
        if looks and step.again:  # a round is short, but the first reading may take as long as the step
            self.cluster.wait(looks, lambda seen: True, max(deadline - self.clock(), 0.0))
        if looks and step.patience and not step.again:
            self.cluster.wait(
                looks,
                lambda seen: judge(seen).settled and not judge(seen).for_now,
                min(step.patience, deadline - self.clock()),
                lambda seen: self.presenter.waiting(judge(seen)),
            )
        while True:
            left = max(deadline - self.clock(), 0.0)
            if not looks:
                objects: Objects = {}
            else:
                objects = self.cluster.wait(
                    looks,
                    lambda seen: over(judge(seen)),
                    min(ROUND, left) if step.again else left,
                    lambda seen: self.presenter.waiting(judge(seen)),
                )
            proof = judge(objects)
            if proof.holds and step.hold:
                objects = self.cluster.wait(looks, lambda seen: not judge(seen).holds, step.hold)
                return judge(objects)
            if over(proof) or not step.again or not left:
                return proof
            self.presenter.waiting(proof)
            if not looks:
                time.sleep(min(ROUND, left))
            if proof.holds:  # what may still come is seen by what confirms
                acting.confirm(unseen, unseen)
            else:
                acting.repeat(self.presenter.line)


def _since(results: tuple[Result, ...], changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes with their times counted from when the first command began."""
    began = results[0].began if results else 0.0
    return tuple(replace(change, at=change.at - began) for change in changes)
