"""What every task does around its steps: settings, lock, presenter, tour, report, errors, exit status."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from kubetour import ownership, report, restclient, slate
from kubetour.dry import print_script
from kubetour.ending import tell_error
from kubetour.lessons import Lesson
from kubetour.observe import Cluster
from kubetour.project import ROOT, TEMPLATES
from kubetour.proofs.traffic import requests_for
from kubetour.questions import Question
from kubetour.session import Session, open_session
from kubetour.settled import settled
from kubetour.steps import Stage, Step
from kubetour.terminal import console as consoles
from kubetour.terminal.brief import Json, Quiet
from kubetour.terminal.cast import cast
from kubetour.terminal.full import Full
from kubetour.terminal.questions import Asker, typed
from kubetour.terminal.recorder import Recorder
from kubetour.text import LANGUAGES, Text, say, tell
from kubetour.tour import Outcome, Presenter, Tour

if TYPE_CHECKING:
    from invoke.context import Context
    from rich.console import Console

Choose = Callable[[Session], tuple[Step, ...]]


def play(c: Context, flags: Mapping[str, Any], choose: Choose, **options: Any) -> None:
    """Run the steps that `choose` picks from a session's plan, and end the process if one fails.

    With Invoke's `--dry`, print them as a script instead.
    """
    if c.config.run.dry:
        print_script(c, flags, choose)
        return
    with settled(c, flags) as (host, resolved, state), state.lock():
        language = resolved.settings.language
        out = consoles.make(sys.stderr if options.get("json") else None)
        hush = options.get("quiet") or options.get("json")

        def note(text: Text) -> None:
            if not hush:
                out.print(tell(language, text), soft_wrap=True)

        for name in state.broken():
            out.print(say(language, "state.broken", file=name), soft_wrap=True)
        _behind(_preload)
        session = open_session(c, resolved, state, note, host)
        if (missing := session.course.missing.get(language)) and options.get("lessons"):
            note(missing)
        steps = choose(session)
        if any(step.check.looks for step in steps):
            _behind(partial(restclient.preload, whole=not session.provider.serves_here))
        if not options.get("forget"):
            session.remember()
        outcomes: list[Outcome] = []
        record = ""
        if steps:
            there = session.prepare(c)
            ownership.refuse_anothers_app(there, session, steps)
            slate.begin(there, session, steps)
            outcomes, record = run(there, session, steps, language, options)
        if outcomes and outcomes[-1].error:
            _tell_failure(session, outcomes, record, language, bool(options.get("proving")))
        if options.get("forget") or (steps and steps[-1].stage is Stage.DOWN):
            host.leave(state, note)
        if options.get("after"):
            options["after"](session, outcomes, record)


def _preload() -> None:
    """Import what manifests and the report take."""
    import jinja2.sandbox  # noqa: F401

    import kubetour.html.files  # noqa: F401


def _behind(work: Callable[[], None]) -> None:
    """Import while the main thread waits for the first commands; whoever needs it sooner waits for it."""
    threading.Thread(target=work, daemon=True, name="preload").start()


def run(
    c: Context, session: Session, steps: tuple[Step, ...], language: str, options: Mapping[str, Any]
) -> tuple[list[Outcome], str]:
    """Run steps and return their outcomes and the path of the report, which is written whatever happens."""
    settings = session.settings
    began, clock = time.time(), time.monotonic()
    directory = session.state.new_run()
    provider = session.provider
    kubeconfig = session.host.kubeconfig(provider)
    with Cluster(kubeconfig, provider.context, provider.namespace) as cluster:
        recorder = Recorder(presenter(session, language, options))
        told = session.state.told(settings.image)
        tour = Tour(c, cluster, session.state, recorder, settings.timeout, told=told)
        try:
            outcomes = tour.run(steps)
        finally:
            seconds = time.monotonic() - clock
            if tour.told is not None and tour.told != told:
                session.state.keep_told(settings.image, tour.told)
            documents = {
                spoken: report.report(
                    tour.outcomes,
                    [step.id for step in steps],
                    settings,
                    provider.name,
                    session.resolved.origins,
                    spoken,
                    began,
                    seconds,
                    questions(session, spoken),
                )
                for spoken in LANGUAGES
            }
            from kubetour.html import files

            titles = session.course.titles()
            page = files.write(session.state, directory, documents, language, titles, TEMPLATES)
            teller = partial(full, session, language, options)
            recording = cast(recorder.events, teller, language, f"kubetour · {provider.name}", began)
            session.state.write(directory / "run.cast", recording)
    return outcomes, str(page.relative_to(ROOT))


def presenter(session: Session, language: str, options: Mapping[str, Any]) -> Presenter:
    """Return who tells what happens, as the flags ask for it."""
    out = consoles.make()
    if options.get("json"):
        return Json(out, language)
    if options.get("quiet"):
        return Quiet(out, language)
    pause = None
    if options.get("pause") and sys.stdin.isatty():

        def pause() -> None:
            out.print(say(language, "tour.pause"), style="yellow", end="")
            try:
                typed()
            except EOFError:  # nobody is there any more
                raise KeyboardInterrupt from None

    ask = Asker(out, language) if options.get("predict") else None
    return full(session, language, options, out, pause=pause, ask=ask)


def full(session: Session, language: str, options: Mapping[str, Any], console: Console, **given: Any) -> Full:
    """Return who tells a run in full, with its lessons where the flags ask for them."""
    lessons = session.course.lessons[language]
    if not options.get("lessons"):  # of a single task, a person in a hurry wants the command
        lessons = {name: Lesson(name, lesson.title) for name, lesson in lessons.items()}
    return Full(console, language, lessons, session.provider.name, lesson_values(session), **given)


def questions(session: Session, language: str) -> dict[str, Question]:
    """Return the question of each step that has one, in a language."""
    values = lesson_values(session)
    lessons = session.course.lessons[language].values()
    asked = ((lesson.id, lesson.question(session.provider.name, values)) for lesson in lessons)
    return {name: question for name, question in asked if question}


def lesson_values(session: Session) -> dict[str, object]:
    """Return what the placeholders in the lessons stand for."""
    settings, provider = session.settings, session.provider
    return {
        "image": settings.image,
        "name": settings.name,
        "replicas": settings.replicas,
        "port": settings.port,
        "provider": provider.name,
        "cluster": settings.cluster_name,
        "nodes": len(provider.nodes()) or "?",
        "requests": settings.requests or requests_for(settings.replicas),
    }


def _tell_failure(
    session: Session, outcomes: list[Outcome], record: str, language: str, proving: bool
) -> None:
    """Say what is left behind and how to go on, then raise the failed step's error."""
    out = consoles.make(sys.stderr)
    last = outcomes[-1]
    error = last.error
    assert error is not None  # noqa: S101  (the caller looked)
    made = session.state.created()
    tell_error(error, language)
    _tell_score(out, outcomes, language)
    if made:
        out.print(say(language, "tour.left", what=", ".join(made)), soft_wrap=True)
    if proving and last.step.claim:
        out.print(say(language, "prove.again", claim=last.step.claim), soft_wrap=True)
    else:
        out.print(say(language, "tour.resume", step=last.step.id), soft_wrap=True)
    out.print(say(language, "tour.report", path=record), soft_wrap=True)
    raise SystemExit(error.exit_status)


def _tell_score(out: Console, outcomes: list[Outcome], language: str) -> None:
    """Say how many predictions were right, if there were any, of steps that were proved."""
    predictions = [each.prediction for each in outcomes if each.prediction and not each.error]
    if predictions:
        right = sum(prediction.correct for prediction in predictions)
        out.print(say(language, "tour.score", right=right, count=len(predictions)), style="bold")


def summary(session: Session, outcomes: list[Outcome], record: str) -> None:
    """End a whole tour: what was proved, the record, how to go on, how to clean up."""
    language = session.settings.language
    out = consoles.make()
    seconds = outcomes[-1].started + outcomes[-1].seconds - sum(each.waited for each in outcomes)
    out.print()
    out.rule(say(language, "tour.done"), style="green", align="left")
    out.print(say(language, "tour.proved", count=len(outcomes), seconds=f"{seconds:.1f}"), style="bold green")
    _tell_score(out, outcomes, language)
    out.print(say(language, "tour.report", path=record), soft_wrap=True)
    if outcomes[-1].step.stage is Stage.DOWN:
        return
    if session.provider.kubeconfig:
        out.print(say(language, "tour.by-hand"))
        out.print(f"  {session.host.by_hand(session.provider.kubeconfig)}", style="bold", soft_wrap=True)
    out.print(say(language, "tour.clean-up"))
    out.print("  ./inv down", style="bold")
