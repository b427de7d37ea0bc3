"""The tour as a person reads it: lesson, command, live output, proof."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kubetour.checks import Proof
from kubetour.claims import CLAIMS, moves
from kubetour.interrupts import held_signals
from kubetour.lessons import Lesson
from kubetour.observe import Objects
from kubetour.questions import Prediction, Question
from kubetour.script import shell
from kubetour.steps import Run, Step
from kubetour.terminal.console import harmless_lines
from kubetour.terminal.inset import Inset
from kubetour.terminal.pictures import picture
from kubetour.terminal.prose import print_prose, print_wrapped
from kubetour.terminal.questions import print_answer, print_question
from kubetour.terminal.scene import LOOKS
from kubetour.text import Text, say, tell
from kubetour.tour import Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

MOST_LINES = 120  # of one command's output; all of it is in report.json
MOST_CONFIRMING = 8


class Full:
    """A presenter for a terminal, or for a file that someone will read."""

    def __init__(
        self,
        console: Console,
        language: str,
        lessons: Mapping[str, Lesson],
        provider: str,
        values: Mapping[str, object],
        pause: Callable[[], None] | None = None,
        clean: Callable[[str], str] = harmless_lines,
        ask: Callable[[Question], int | None] | None = None,
    ) -> None:
        self._console = console
        self._language = language
        self._lessons = lessons
        self._provider = provider
        self._values = values
        self._pause = pause
        self._clean = clean  # what every text from elsewhere goes through
        self._ask = ask
        self._question: Question | None = None
        self._status: Status | None = None
        self._inset: Inset | None = None
        self._most = MOST_LINES
        self._lines: list[str] = []
        self._confirming = False
        self._held: list[str] = []  # what may be JSON, once it is whole

    def begin(self, step: Step, number: int, total: int, seconds: float) -> None:
        """Print the header, the lesson and its question."""
        lesson = self._lessons.get(step.id)
        title = f"{step.id} · {lesson.title}" if lesson else step.id
        clock = f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"
        self._console.print()
        self._console.rule(f"{number}/{total} · {title} · {clock}", style="cyan", align="left")
        self._question = lesson.question(self._provider, self._values) if lesson else None
        if not self._question:  # a question's answer would be known by it
            self._claim(step)
        if lesson:
            print_prose(self._console, lesson.text(self._provider, self._values))
            self._console.print()
        if self._question:
            print_question(self._console, self._language, self._question)
            self._console.print()

    def ready(self, step: Step) -> Prediction | None:
        """Ask for a prediction, or wait for Enter, as the flags say."""
        if self._ask and self._question:
            chosen = self._ask(self._question)
            self._console.print()
            return None if chosen is None else Prediction(self._question, chosen)
        if self._pause:
            self._pause()
        return None

    def command(self, run: Run) -> None:
        """Print a command, in a form that can be copied: its own line breaks and no others."""
        self._flush()
        self._most, self._confirming = MOST_LINES, False
        self._typed(run)
        if self._inset:
            self._inset.begin()

    def confirm(self, run: Run) -> None:
        """Print a command that confirms."""
        self._flush()
        self._most, self._confirming = MOST_CONFIRMING, True
        self._typed(run)

    def line(self, text: str) -> None:
        """Print a line of output; of a long output, only its beginning."""
        self._lines.append(text)
        if self._confirming:
            return  # JSON is for programs: what it is shows only at its end
        if self._held or text.startswith("{"):
            self._held.append(self._lines.pop())
        elif len(self._lines) <= self._most:
            self._output(text)

    def note(self, text: Text) -> None:
        """Print something in between."""
        self._flush()
        self._console.print(f"  {self._clean(tell(self._language, text))}", style="dim")

    def waiting(self, proof: Proof) -> None:
        """Show, on a terminal, what is being waited for."""
        self._flush()
        if not self._console.is_terminal:
            return
        from rich.text import Text as Plain

        text = self._clean("  " + say(self._language, "tour.waiting", proof=proof.text))
        if self._inset:
            self._inset.waiting(text)
        elif self._status is None:
            self._status = self._console.status(Plain(text), spinner="dots")
            with held_signals():  # Rich, half started, can neither go on nor stop
                self._status.start()
        else:
            self._status.update(Plain(text))

    def end(self, outcome: Outcome) -> None:
        """Print the picture, if the proof has one, the proof, its notes, and the question's answer."""
        self._flush()
        self._rest()
        if self._inset:
            self._inset.end()
            self._inset = None
        if outcome.proof and not outcome.error:
            for line in picture(outcome.step.id, outcome.proof.data, self._language):
                self._console.print(self._clean(line), style="cyan", soft_wrap=True)
            proof = self._clean(tell(self._language, outcome.proof.text))
            print_wrapped(self._console, f"✓ {proof}", "bold green")
            for note in outcome.proof.notes:
                print_wrapped(self._console, f"! {self._clean(tell(self._language, note))}", "yellow")
            if self._question:
                self._console.print()
                self._claim(outcome.step)
                print_answer(self._console, self._language, self._question, outcome.prediction)

    def watches(self, step: Step) -> tuple[str, ...]:
        """Ask, on a terminal, for what the live picture shows, where Pods come and go."""
        if not (self._console.is_terminal and moves(step)):
            return ()
        self._inset = Inset(self._console, self._language, str(self._values["name"]))
        return LOOKS

    def changed(self, objects: Objects) -> None:
        """Let the live picture show it."""
        if self._inset:
            self._inset.changed(objects)

    def close(self) -> None:
        """Give the terminal its cursor back, if the end of a step could not."""
        self._rest()
        if self._inset:
            self._inset.close()

    def _rest(self) -> None:
        """Take away what says that something is waited for."""
        if self._status:
            with held_signals():
                self._status.stop()
            self._status = None

    def _claim(self, step: Step) -> None:
        if step.claim:
            statement = CLAIMS[step.claim].statement
            print_wrapped(self._console, say(self._language, "tour.claim", claim=statement), "bold")

    def _typed(self, run: Run) -> None:
        self._console.print(f"$ {self._clean(shell(run))}", style="bold", soft_wrap=True)

    def _output(self, text: str) -> None:
        self._console.print(self._clean(text), style="dim", soft_wrap=True)

    def _flush(self) -> None:
        """Print what is held back of the last command's output."""
        lines, self._lines = self._lines, []
        held, self._held = self._held, []
        json_lines = lines if self._confirming else held
        if json_lines and _is_json(json_lines):
            told = say(self._language, "tour.json", lines=len(json_lines))
            self._console.print(f"  {told}", style="dim", soft_wrap=True)
            held = []
            if self._confirming:
                return
        for text in held[: max(self._most - len(lines), 0)]:
            self._output(text)
        lines += held
        if self._confirming:
            for text in lines[: self._most]:
                self._output(text)
        if len(lines) > self._most:
            more = say(self._language, "tour.more", lines=len(lines) - self._most)
            self._console.print(f"  {more}", style="dim", soft_wrap=True)


def _is_json(lines: list[str]) -> bool:
    """Return whether the lines are JSON, but for the warnings that kubectl writes to stderr beside it."""
    lines = [line for line in lines if not line.lower().startswith("warning:")]
    text = "\n".join(lines).strip()
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return all(line.strip().startswith(("{", "[")) for line in lines if line.strip())
    return True
