"""A tour of tiny steps for a real shell, on a cluster of plain objects."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from invoke.context import Context

from kubetour.acting import Acting
from kubetour.checks import Object, Observation, Proof
from kubetour.errors import (
    ClusterError,
    DeadlineError,
    EngineError,
    Interrupted,
    ProofError,
    RefusedError,
)
from kubetour.interrupts import signals
from kubetour.observe import Objects
from kubetour.proofs.cluster import NodesReady
from kubetour.proofs.workload import ServiceAddress
from kubetour.questions import Prediction, Question
from kubetour.recording import Recorder, Recording
from kubetour.state import State
from kubetour.steps import Run, Rung, Stage, Step
from kubetour.text import Text
from kubetour.tour import Outcome, Tour
from tests.making import ANSWERS, NO_ANSWER, NOT_THERE, NOT_TRIED, There, climb, ctrl_c, sh, step
from tests.shapes import event, node, pod, service

NO_DAEMON = "echo 'Cannot connect to the Docker daemon. Is the docker daemon running?' >&2; exit 1"


@dataclass
class Memory:
    """A presenter that keeps what it was told."""

    told: list[tuple[str, Any]] = field(default_factory=list)
    looks: tuple[str, ...] = ()
    closed: bool = False

    def begin(self, step: Step, number: int, total: int, seconds: float) -> None:
        self.told.append(("begin", step.id))

    def ready(self, step: Step) -> Prediction | None:
        return None

    def command(self, run: Run) -> None:
        self.told.append(("command", run.argv[-1]))

    def confirm(self, run: Run) -> None:
        self.told.append(("confirm", run.argv[-1]))

    def line(self, text: str) -> None:
        self.told.append(("line", text))

    def note(self, text: Text) -> None:
        self.told.append(("note", text.key))

    def waiting(self, proof: Proof) -> None:
        self.told.append(("waiting", proof.text.key))

    def end(self, outcome: Outcome) -> None:
        self.told.append(("end", outcome.step.id))

    def watches(self, step: Step) -> tuple[str, ...]:
        return self.looks

    def changed(self, objects: Objects) -> None:
        self.told.append(("changed", objects))

    def close(self) -> None:
        self.closed = True


@dataclass
class Plain:
    """A cluster whose objects change one state at a time, each time it is waited for."""

    states: list[tuple[Object, ...]] = field(default_factory=lambda: [()])
    error: ClusterError | None = None
    now: float = 0.0  # seconds, as the tour's clock reads them
    first: float = 0.0  # seconds that the first reading takes
    recorder: Recorder = field(default_factory=Recorder)
    recordings: int = 0  # that are under way

    def clock(self) -> float:
        return self.now

    def wait(
        self,
        looks: Iterable[str],
        met: Callable[[Objects], bool],
        timeout: float,
        tick: Callable[[Objects], None] | None = None,
    ) -> Objects:
        if self.error:
            raise self.error
        self.first, late = 0.0, self.first
        self.now += min(late, timeout)
        if late > timeout:
            raise ClusterError("cluster-unreachable", context="test", reason="no answer")
        while True:
            objects = self._objects()
            if met(objects):
                return objects
            if len(self.states) == 1:
                self.now += timeout
                return objects
            if tick:
                tick(objects)
            before = self._stores()
            self.states.pop(0)
            for name, store in self._stores().items():
                self.recorder.listed(name, before.get(name, {}), store)

    @contextmanager
    def recording(self, looks: Iterable[str], timeout: float) -> Iterator[Recording]:
        stores = self._stores()
        recording = self.recorder.begin({name: stores.get(name, {}) for name in looks})
        self.recordings += 1
        try:
            yield recording
        finally:
            self.recorder.end(recording)
            self.recordings -= 1

    def _stores(self) -> dict[str, dict[str, Object]]:
        return {
            name: {item["metadata"]["uid"]: item for item in items} for name, items in self._objects().items()
        }

    @contextmanager
    def telling(self, looks: Iterable[str], listener: Callable[[Objects], None]) -> Iterator[None]:
        listener(dict.fromkeys(looks, ()))
        yield
        listener(self._objects())

    def _objects(self) -> Objects:
        found: dict[str, tuple[Object, ...]] = {}
        for item in self.states[0]:
            plural = item["kind"].lower() + "s"
            found[plural] = (*found.get(plural, ()), item)
        return found


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def cluster() -> Plain:
    return Plain()


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def tour(c: Context, cluster: Plain, state: State, memory: Memory) -> Tour:
    return Tour(c, cluster, state, memory, 30.0, cluster.clock)  # type: ignore[arg-type]


def test_steps_run_in_order_each_acting_confirming_and_proving(tour: Tour, memory: Memory) -> None:
    outcomes = tour.run(
        (step("one", "echo 1", word="1", confirm=(sh("echo sure"),)), step("two", "echo 2", word="2"))
    )
    assert [outcome.step.id for outcome in outcomes] == ["one", "two"]
    assert all(outcome.proof and outcome.proof.holds and not outcome.error for outcome in outcomes)
    assert memory.told == [
        ("begin", "one"),
        ("command", "echo 1"),
        ("line", "1"),
        ("confirm", "echo sure"),
        ("line", "sure"),
        ("end", "one"),
        ("begin", "two"),
        ("command", "echo 2"),
        ("line", "2"),
        ("end", "two"),
    ]
    assert outcomes[0].results[0][1].stdout == "1\n"
    assert outcomes[0].confirmed[0][1].stdout == "sure\n"


def test_a_presenter_that_watches_a_step_is_told_of_changes_from_its_first_command_to_its_proof(
    tour: Tour, memory: Memory
) -> None:
    memory.looks = ("pods",)
    tour.run((step("one", "echo 1", word="1"),))
    assert memory.told == [
        ("begin", "one"),
        ("changed", {"pods": ()}),
        ("command", "echo 1"),
        ("line", "1"),
        ("changed", {}),
        ("end", "one"),
    ]


def test_a_step_that_repeats_gives_the_first_reading_more_time_than_a_round(
    tour: Tour, cluster: Plain
) -> None:
    cluster.first, cluster.states = 3.0, [(pod("web"),)]
    (outcome,) = tour.run((step("one", "echo 1", check=There("web"), again=True),))
    assert outcome.error is None


def test_a_program_that_env_starts_is_the_one_that_failed(tour: Tour) -> None:
    run = Run(("env", "KIND_EXPERIMENTAL_PROVIDER=podman", "sh", "-c", "exit 3"))
    (outcome,) = tour.run((replace(step("one"), actions=(run,)),))
    assert outcome.error is not None
    assert outcome.error.values["program"] == "sh"


def test_the_first_failure_stops_the_tour_with_the_errors_family(tour: Tour, memory: Memory) -> None:
    outcomes = tour.run((step("one", "echo said >&2; exit 3", "echo never"), step("two", "echo 2")))
    (only,) = outcomes
    assert isinstance(only.error, EngineError)
    assert only.error.key == "command-failed"
    assert only.error.values["status"] == 3
    assert only.error.evidence == "said"
    assert [name for name, _ in memory.told] == ["begin", "command", "line", "end"]


def test_a_known_failure_has_its_own_family(tour: Tour) -> None:
    (only,) = tour.run((step("one", "echo 'write /x: no space left on device'; exit 1"),))
    assert only.error
    assert only.error.exit_status == 10


def test_a_confirmation_that_fails_fails_the_step(tour: Tour) -> None:
    (only,) = tour.run((step("one", "echo 1", confirm=(sh("exit 4"),)),))
    assert only.error
    assert only.error.values["status"] == 4


def test_a_claim_that_does_not_hold_is_a_proof_error_when_there_is_nothing_to_wait_for(tour: Tour) -> None:
    (only,) = tour.run((step("one", "echo no; echo why >&2", word="yes"),))
    assert isinstance(only.error, ProofError)
    assert only.error.evidence == "why"
    assert only.proof
    assert not only.proof.holds


def test_actions_are_left_out_when_they_are_already_done(tour: Tour, memory: Memory, state: State) -> None:
    one = step(
        "one", "echo acted", unless=sh("true"), confirm=(sh("echo sure"),), word="sure", creates=("a/b",)
    )
    (only,) = tour.run((one,))
    assert only.already
    assert only.error is None
    assert ("note", "tour.already") in memory.told
    assert ("command", "echo acted") not in memory.told
    assert state.created() == ()


def test_actions_run_when_they_are_not_done_yet(tour: Tour) -> None:
    (only,) = tour.run((step("one", "echo acted", unless=sh("false"), word="acted"),))
    assert not only.already
    assert only.error is None


def test_the_ledger_names_a_thing_before_it_is_made_and_no_longer_after_it_is_removed(
    tour: Tour, state: State
) -> None:
    ledger = state.root / "created.json"
    make = step("make", f"grep -o web/1 {ledger}", word="web/1", creates=("web/1", "pod/2"))
    remove = step("remove", f"grep -o web/1 {ledger}", word="web/1", removes=("web/1",))
    outcomes = tour.run((make, remove))
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert state.created() == ("pod/2",)


@pytest.mark.parametrize("command", ["exit 1", "echo other"])
def test_what_could_not_be_removed_stays_in_the_ledger(tour: Tour, state: State, command: str) -> None:
    state.add("web/1")
    tour.run((step("remove", command, word="gone", removes=("web/1",)),))
    assert state.created() == ("web/1",)


def test_what_failed_half_made_is_in_the_ledger(tour: Tour, state: State) -> None:
    tour.run((step("make", "exit 1", creates=("web/1",)),))
    assert state.created() == ("web/1",)


def test_an_early_step_runs_while_those_before_it_do_and_is_told_in_its_turn(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Each waits for the other at the pipe: one after the other, they would never end.
    outcomes = tour.run(
        (
            step("tools", "true"),
            step("build", f"echo built > {pipe}"),
            step("create", f"cat {pipe}; echo up", word="up", early=True, needs=("tools",)),
        )
    )
    assert [outcome.error for outcome in outcomes] == [None, None, None]
    begun = memory.told.index(("begin", "create"))
    assert [entry for entry in memory.told[begun:] if entry[0] == "line"] == [
        ("line", "built"),
        ("line", "up"),
    ]
    assert ("line", "up") not in memory.told[:begun]


def test_an_early_step_does_not_begin_before_what_it_needs(tour: Tour, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    outcomes = tour.run(
        (
            step("one", "true"),
            step("two", f"echo x > {flag}"),
            step("three", f"cat {flag}", word="x", early=True, needs=("two",)),
        )
    )
    assert outcomes[-1].error is None


def test_an_early_failure_is_told_in_its_turn(tour: Tour) -> None:
    outcomes = tour.run((step("one", "echo 1"), step("two", "exit 7", early=True)))
    assert outcomes[0].error is None
    assert outcomes[1].error
    assert outcomes[1].error.values["status"] == 7


def test_an_early_step_begins_when_what_it_needs_was_made_in_the_background_and_is_not_proved_yet(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # The first waits for the last: were that one to wait for its turn, or for a proof, none would end.
    outcomes = tour.run(
        (
            step("run", f"cat {pipe}", word="loaded"),
            step("create", "echo up", word="up", early=True),
            step("load", f"echo loaded > {pipe}; echo in", word="in", early=True, needs=("create",)),
        )
    )
    assert [outcome.error for outcome in outcomes] == [None, None, None]
    assert [entry[1] for entry in memory.told if entry[0] == "begin"] == ["run", "create", "load"]
    assert ("line", "in") not in memory.told[: memory.told.index(("begin", "load"))]


@pytest.mark.parametrize(
    ("confirm", "acts"),
    [
        pytest.param(("true", "true"), False, id="all of it is there"),
        pytest.param(("true", "false"), True, id="a part is missing"),
    ],
)
def test_a_settled_step_acts_only_where_what_confirms_it_does_not_succeed_beforehand(
    tour: Tour, memory: Memory, tmp_path: Path, confirm: tuple[str, ...], acts: bool
) -> None:
    mark = tmp_path / "acted"
    confirming = tuple(sh(f"{command} || test -e {mark}") for command in confirm)
    (only,) = tour.run((step("load", f"touch {mark}", settled=True, confirm=confirming),))
    assert only.error is None
    assert mark.exists() is acts
    assert only.already is not acts
    assert only.because == (() if acts else confirming)
    assert (("note", "tour.already") in memory.told) is not acts


def test_what_confirms_an_early_step_runs_in_the_background_too_and_is_told_in_its_turn(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    outcomes = tour.run(
        (
            step("run", f"cat {pipe}", word="confirmed"),
            step("load", "echo in", early=True, confirm=(sh(f"echo confirmed > {pipe}; echo sure"),)),
        )
    )
    assert [outcome.error for outcome in outcomes] == [None, None]
    told = memory.told[memory.told.index(("begin", "load")) :]
    assert [entry for entry in told if entry[0] in ("line", "confirm")][-1] == ("line", "sure")
    assert ("line", "sure") not in memory.told[: memory.told.index(("begin", "load"))]
    assert [result.stdout for _, result in outcomes[1].confirmed] == ["sure\n"]


def test_where_what_confirms_an_early_step_fails_that_is_told_in_its_turn(tour: Tour) -> None:
    outcomes = tour.run((step("run", "true"), step("load", "true", early=True, confirm=(sh("exit 7"),))))
    assert [bool(outcome.error) for outcome in outcomes] == [False, True]


@pytest.mark.parametrize(
    ("create", "given"),
    [
        pytest.param("exit 1", {}, id="it could not be made"),
        pytest.param("true", {"unless": sh("true"), "word": "never"}, id="it was there and is not proved"),
    ],
)
def test_an_early_step_does_not_begin_where_what_it_needs_is_not_there_or_maybe_not_ours(
    tour: Tour, tmp_path: Path, create: str, given: dict[str, Any]
) -> None:
    mark = tmp_path / "loaded"
    outcomes = tour.run(
        (
            step("one", "true"),
            step("create", create, early=True, **given),
            step("load", f"touch {mark}", early=True, needs=("create",)),
        )
    )
    assert [outcome.step.id for outcome in outcomes] == ["one", "create"]
    assert not mark.exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("early-")]


def test_where_what_was_there_before_is_proved_the_early_step_comes_in_its_turn(tour: Tour) -> None:
    outcomes = tour.run(
        (
            step("one", "true"),
            step("create", "exit 1", unless=sh("true"), early=True),
            step("load", "echo in", word="in", early=True, needs=("create",)),
        )
    )
    assert [outcome.error for outcome in outcomes] == [None, None, None]
    assert outcomes[1].already


def test_an_early_step_that_was_picked_without_what_it_needs_begins_at_once(tour: Tour) -> None:
    outcomes = tour.run((step("one", "true"), step("load", "true", early=True, needs=("create",))))
    assert [outcome.error for outcome in outcomes] == [None, None]


def test_when_a_step_fails_what_has_not_begun_in_the_background_never_does(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    ready, gate = tmp_path / "ready", tmp_path / "gate"
    os.mkfifo(ready)
    os.mkfifo(gate)

    def note(text: Text) -> None:
        memory.told.append(("note", text.key))
        gate.write_text("open")  # what runs in the background waits for this

    memory.note = note  # type: ignore[method-assign]
    outcomes = tour.run(
        (
            step("one", f"cat {ready}; exit 1"),
            step("two", f"echo > {ready}; cat {gate}; touch {tmp_path}/made", early=True),
            step("three", f"touch {tmp_path}/loaded", early=True, needs=("two",)),
        )
    )
    assert [outcome.step.id for outcome in outcomes] == ["one"]
    assert [entry for entry in memory.told if entry[0] == "note"] == [("note", "tour.finishing")]
    assert (tmp_path / "made").exists()
    assert not (tmp_path / "loaded").exists()


def test_when_a_step_fails_what_runs_in_the_background_comes_to_its_end(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    ready, gate = tmp_path / "ready", tmp_path / "gate"
    os.mkfifo(ready)
    os.mkfifo(gate)

    def note(text: Text) -> None:
        memory.told.append(("note", text.key))
        gate.write_text("open")

    memory.note = note  # type: ignore[method-assign]
    outcomes = tour.run(
        (
            step("one", f"cat {ready}; exit 1"),
            step("two", f"echo > {ready}; cat {gate}; echo x > {tmp_path}/made", early=True),
        )
    )
    assert [outcome.step.id for outcome in outcomes] == ["one"]
    assert (tmp_path / "made").exists()
    assert ("note", "tour.finishing") in memory.told


def test_ctrl_c_while_it_is_saved_what_can_be_waits_for_nothing_else_in_the_background(
    tour: Tour, tmp_path: Path
) -> None:
    two, three = tmp_path / "two", tmp_path / "three"
    os.mkfifo(two)
    os.mkfifo(three)
    with signals():
        tour.run(
            (
                step("one", f"cat {two} {three}; exit 1"),
                step("two", f"echo > {two}; exit 1", early=True, rescue=(sh(ctrl_c()),)),
                step("three", f"echo > {three}; sleep 30; touch {tmp_path}/waited", early=True),
            )
        )
    assert not (tmp_path / "waited").exists()


def test_where_nothing_can_run_in_the_background_that_is_what_is_told(
    tour: Tour, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def only_others(thread: threading.Thread) -> None:
        if thread.name == "early-three":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", only_others)
    with pytest.raises(RuntimeError, match="start new thread"):
        tour.run(
            (
                step("one", "true"),
                step("two", "true", early=True, needs=("one",)),
                step("three", "true", early=True),
            )
        )
    assert memory.closed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("early-")]


def test_when_the_tour_is_interrupted_no_command_stays_behind(
    tour: Tour, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    def line(text: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(memory, "line", line)
    with signals():
        outcomes = tour.run(
            (
                step("one", f"cat {ready}; exec tail -f /dev/null"),
                step(
                    "two", f"echo $$ > {tmp_path}/pid; echo up > {ready}; exec tail -f /dev/null", early=True
                ),
            )
        )
    assert isinstance(outcomes[-1].error, Interrupted)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("early-")]
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "pid").read_text()), 0)


def test_a_step_that_may_fall_short_is_repeated_until_its_check_holds(
    tour: Tour, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubetour.tour.ROUND", 0.0)
    again = f"echo x >> {tmp_path}/n; test $(wc -l < {tmp_path}/n) -ge 3 && echo enough"
    (only,) = tour.run((step("hit", again, word="enough", again=True),))
    assert only.error is None
    assert [result.status for _, result in only.results] == [1, 1, 0]
    assert [name for name, _ in memory.told].count("waiting") == 2


def test_repeating_ends_when_time_is_up_with_a_deadline_error(
    tour: Tour, cluster: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tick() -> float:
        cluster.now += 1.0
        return cluster.now

    monkeypatch.setattr("kubetour.tour.ROUND", 0.0)
    tour.clock = tick
    tour.timeout = 4.0
    (only,) = tour.run((step("hit", "echo no", word="yes", again=True),))
    assert isinstance(only.error, DeadlineError)
    assert only.error.values["seconds"] == 4
    assert len(only.results) > 1


def test_a_ladder_is_climbed_until_a_rung_holds_and_the_steps_after_it_use_that_one(
    tour: Tour, memory: Memory
) -> None:
    first, then = tour.run(climb(NO_ANSWER, NOT_THERE, ANSWERS, NOT_TRIED))
    assert first.error is None
    assert then.error is None
    assert [run.argv for run, _ in first.results] == [("false", "http://a/"), ("echo", "-n", "http://c:80/")]
    assert [run.argv for run, _ in then.results] == [("echo", "-n", "and", "http://c:80/?2")]
    assert [word for name, word in memory.told if name == "command"] == [
        *("http://a/", "http://c:80/"),
        "http://c:80/?2",
    ]


def test_the_check_is_told_which_rung_held(tour: Tour) -> None:
    @dataclass(frozen=True)
    class ByRung:
        looks: ClassVar[tuple[str, ...]] = ()

        def __call__(self, seen: Observation) -> Proof:
            return Proof(seen.rung == ANSWERS.way, Text("proof.ended", {"what": str(seen.rung)}))

    first, _ = climb(NO_ANSWER, ANSWERS)
    (only,) = tour.run((replace(first, check=ByRung()),))
    assert only.error is None


def test_where_no_rung_holds_each_ones_word_is_evidence(
    tour: Tour, cluster: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubetour.tour.ROUND", 0.0)
    tour.timeout = 0.0
    loud = [Rung(NO_ANSWER.way, ("cat",), f"/none/{name}") for name in "ab"]
    (only,) = tour.run(climb(*loud, NOT_THERE)[:1])
    assert isinstance(only.error, DeadlineError)
    assert ["/none/a" in line or "/none/b" in line for line in only.error.evidence.splitlines()] == [True] * 2


@pytest.mark.parametrize(
    ("command", "given"),
    [("false", {}), ("true", {"word": "never", "again": True})],
    ids=["a command failed", "not proved in time"],
)
def test_what_tells_why_a_step_failed_is_kept_and_what_is_half_made_taken_back(
    tour: Tour, memory: Memory, command: str, given: dict[str, Any]
) -> None:
    tour.timeout = 0.0
    tour.presenter = memory
    rescue = (sh("echo logs"), sh("exit 1"), sh("echo removed"))
    (only,) = tour.run((step("create", command, rescue=rescue, **given),))
    assert only.error
    assert [word for name, word in memory.told if name == "line"] == ["logs", "removed"]


@dataclass(frozen=True)
class Refuting:
    """A check that has measured and refutes at once."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)

    def __call__(self, seen: Observation) -> Proof:
        return Proof(False, Text("proof.load-silent"), refuted=True)


def test_a_measurement_that_refutes_is_not_waited_for(tour: Tour, cluster: Plain) -> None:
    (only,) = tour.run((step("load", check=Refuting()),))
    assert only.error
    assert (only.error.key, only.error.exit_status, cluster.now) == ("refuted", 7, 0.0)


@pytest.mark.parametrize(
    ("command", "given"),
    [("false", {}), ("true", {"check": Refuting()}), ("true", {"word": "never"})],
    ids=["a command failed", "refuted", "not so"],
)
def test_what_a_step_changed_is_put_back_where_it_fails(
    tour: Tour, memory: Memory, command: str, given: dict[str, Any]
) -> None:
    tour.presenter = memory
    restore = (sh("exit 1"), sh("echo as before"))
    (only,) = tour.run((step("load", command, **given, restore=restore),))
    assert only.error
    assert memory.told[-2:] == [("line", "as before"), ("end", "load")]


def test_what_a_step_changed_stays_where_it_is_proved(tour: Tour, memory: Memory) -> None:
    tour.presenter = memory
    (only,) = tour.run((step("load", restore=(sh("echo as before"),)),))
    assert only.error is None
    assert ("line", "as before") not in memory.told


@pytest.mark.parametrize("where", ["begin", "command"])
def test_what_a_step_changed_is_put_back_where_it_is_interrupted(
    tour: Tour, memory: Memory, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    tell = getattr(memory, where)
    interrupts = iter([KeyboardInterrupt])

    def interrupted(*told: Any) -> None:
        tell(*told)
        for error in interrupts:
            raise error

    monkeypatch.setattr(memory, where, interrupted)
    (only,) = tour.run((step("load", "true", restore=(sh("echo as before"),)), step("next", "true")))
    assert isinstance(only.error, Interrupted)
    assert ("line", "as before") in memory.told


@dataclass(frozen=True)
class Changes:
    """A check that keeps what a recorded step's watches told: times, as before (-) or since, and names."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)

    def __call__(self, seen: Observation) -> Proof:
        told = [f"{'-' if c.at < 0 else '+'}{c.object['metadata']['name']}" for c in seen.changes]
        return Proof("+b" in told, Text("proof.ended", {"what": "it"}), {"told": told})


def test_a_recorded_steps_check_sees_what_was_before_and_what_came(tour: Tour, cluster: Plain) -> None:
    cluster.states = [(pod("a"),), (pod("a"), pod("b"))]
    (only,) = tour.run((step("watch", "true", check=Changes(), recorded=True),))
    assert only.proof
    assert only.proof.data["told"] == ["-a", "+b"]
    assert cluster.recordings == 0  # it has ended with the step


REMOVE = (sh("echo removed"),)


@pytest.mark.parametrize(
    "given",
    [
        {"check": NodesReady(1, ours=True), "unless": sh("true")},
        {"check": NodesReady(1, ours=True), "unless": sh("false"), "exists": sh("true")},
        {"command": "echo 'node(s) already exist for a cluster' >&2; exit 1"},
    ],
    ids=["there, and foreign", "there, and not in the ledger", "its name is taken"],
)
@pytest.mark.parametrize("early", [False, True])
def test_what_is_not_ours_is_not_taken_back(
    tour: Tour, cluster: Plain, memory: Memory, given: dict[str, Any], early: bool
) -> None:
    cluster.states = [(node("other", labels={}),)]
    values = {"command": "echo acted", **given}
    command = values.pop("command")
    make = step("create", command, rescue=REMOVE, creates=("kind-cluster/a",), early=early, **values)
    *_, last = tour.run((step("first", "echo 1", word="1"), make))
    assert last.error
    assert last.error.exit_status == 9
    assert ("line", "removed") not in memory.told


def test_what_was_there_before_is_not_taken_back_when_it_is_late(
    tour: Tour, cluster: Plain, memory: Memory
) -> None:
    tour.timeout = 0.0
    cluster.states = [(node("a", ready="False"),)]
    check = NodesReady(1, ours=True)
    make = step("create", "", unless=sh("true"), check=check, rescue=REMOVE, creates=("kind-cluster/a",))
    (only,) = tour.run((make,))
    assert isinstance(only.error, DeadlineError)
    assert ("line", "removed") not in memory.told


def test_a_step_in_the_background_that_is_not_ours_is_not_taken_back(tour: Tour, tmp_path: Path) -> None:
    mark = tmp_path / "removed"
    refused = step(
        "create", "", exists=sh("true"), creates=("a/b",), early=True, rescue=(sh(f"touch {mark}"),)
    )
    tour.run((step("first", "exit 1"), refused))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("true", {"word": "never", "unless": sh("true")}),
        ("echo 'node(s) already exist for a cluster with the name x'; false", {}),
    ],
    ids=["it was there before", "it is not ours"],
)
@pytest.mark.parametrize("early", [False, True])
def test_what_this_run_has_not_made_is_not_taken_back(
    tour: Tour, memory: Memory, command: str, given: dict[str, Any], early: bool
) -> None:
    tour.presenter = memory
    create = step("create", command, rescue=(sh("echo removed"),), early=early, **given)
    outcomes = tour.run((step("one", "true"), create))
    assert outcomes[-1].error
    assert ("line", "removed") not in memory.told


def test_the_ledger_is_mended_only_after_the_rescue(tour: Tour, state: State, tmp_path: Path) -> None:
    mark = tmp_path / "half-made"
    half = step(
        "create",
        f"touch {mark}; exit 1",
        unless=sh(f"test -e {mark}"),
        creates=("kind-cluster/a",),
        rescue=(sh(f"rm {mark}"),),
    )
    tour.run((half,))
    assert state.created() == ()
    tour.run((replace(half, rescue=()),))
    assert state.created() == ("kind-cluster/a",)


@pytest.mark.parametrize(
    ("ours", "there", "asked"),
    [
        pytest.param(False, "exit 1", ["exists"], id="not in the ledger, and not there: it cannot be done"),
        pytest.param(False, "exit 0", ["exists", "unless"], id="not in the ledger, but there"),
        pytest.param(True, "exit 0", ["unless"], id="in the ledger: it may be done"),
    ],
)
def test_the_question_that_may_make_the_other_one_needless_comes_first(
    tour: Tour, state: State, ours: bool, there: str, asked: list[str]
) -> None:
    if ours:
        state.add("web/1")
    exists, unless = sh(f"echo exists; {there}"), sh("echo unless; exit 0")
    (only,) = tour.run((step("make", "echo acted", unless=unless, exists=exists, creates=("web/1",)),))
    assert [result.stdout.strip() for _, result in only.asked] == asked
    assert only.already is (asked[-1] == "unless")


def test_what_says_that_there_is_nothing_to_do_is_not_asked_again_to_confirm_it(
    tour: Tour, memory: Memory, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    inspect, ready = sh(f"echo x >>{count}; wc -l <{count}"), sh("echo Ready")
    (only,) = tour.run((step("build", "exit 1", unless=inspect, confirm=(inspect, ready)),))
    assert only.error is None
    assert only.already
    assert [result.stdout.strip() for _, result in only.confirmed] == ["1", "Ready"]
    assert only.asked == (), "each answer is recorded once"
    assert only.because == (inspect,)
    assert [each for each in memory.told if each[0] in ("confirm", "line")] == [
        ("confirm", inspect.argv[-1]),
        ("line", "1"),
        ("confirm", ready.argv[-1]),
        ("line", "Ready"),
    ]


def test_what_made_a_step_act_is_asked_again_to_confirm_it(tour: Tour, tmp_path: Path) -> None:
    mark = tmp_path / "made"
    inspect = sh(f"test -e {mark}")
    (only,) = tour.run((step("build", f"touch {mark}", unless=inspect, confirm=(inspect,)),))
    assert [result.status for _, result in only.asked] == [1]
    assert [result.status for _, result in only.confirmed] == [0]


@pytest.mark.parametrize("settled", [False, True], ids=["afterwards", "beforehand"])
def test_what_confirms_a_step_at_once_is_asked_side_by_side_and_told_in_order(
    tour: Tour, memory: Memory, tmp_path: Path, settled: bool
) -> None:
    met = tmp_path / "met"
    os.mkfifo(met)  # one after the other, the first of the two would wait for ever
    confirm = (sh("echo one"), sh(f"read word <{met}; echo $word"), sh(f"echo two >{met}; echo three"))
    (only,) = tour.run((step("load", "true", confirm=confirm, at_once=True, settled=settled),))
    assert only.error is None
    assert [result.stdout.strip() for _, result in only.confirmed] == ["one", "two", "three"]
    assert [text for kind, text in memory.told if kind == "line"] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("needed", "asked"),
    [
        pytest.param({"unless": sh("false")}, False, id="what it needs was made just now"),
        pytest.param({"unless": sh("true")}, True, id="what it needs was there"),
    ],
)
@pytest.mark.parametrize("early", [False, True], ids=["in its turn", "early"])
def test_a_settled_step_is_not_asked_whether_it_is_done_where_what_it_needs_is_new(
    tour: Tour, needed: dict[str, Any], asked: bool, early: bool
) -> None:
    create = step("create", "true", early=early, **needed)
    load = step("load", "echo loaded", needs=("create",), settled=True, confirm=(sh("true"),), early=early)
    *_, loaded = tour.run((step("first", "true"), create, load))
    assert loaded.error is None
    assert loaded.already is asked
    assert [result.stdout for _, result in loaded.results] == ([] if asked else ["loaded\n"])
    assert loaded.asked == ()  # as its answer confirms it, it is among those


def test_what_came_along_and_is_in_the_ledger_is_not_asked_for(tour: Tour, state: State) -> None:
    state.add("docker-network/kind")
    (only,) = tour.run((step("create", "true", brings=(("docker-network/kind", sh("exit 0")),)),))
    assert only.asked == ()
    assert state.created() == ("docker-network/kind",)


@pytest.mark.parametrize(("there", "entered"), [("exit 1", ("docker-network/kind",)), ("exit 0", ())])
def test_what_comes_along_is_entered_unless_it_was_there_before(
    tour: Tour, state: State, there: str, entered: tuple[str, ...]
) -> None:
    (only,) = tour.run((step("create", "true", brings=(("docker-network/kind", sh(there)),)),))
    assert only.error is None
    assert state.created() == entered


def test_the_cluster_is_watched_until_the_check_holds(tour: Tour, cluster: Plain, memory: Memory) -> None:
    cluster.states = [(), (pod("other"),), (pod("web"),)]
    (only,) = tour.run((step("deploy", "true", check=There("web")),))
    assert only.error is None
    assert [name for name, _ in memory.told].count("waiting") == 2


def test_a_timeout_is_told_with_what_stands_in_the_way(tour: Tour, cluster: Plain) -> None:
    broken = pod("other", ready=False)
    cluster.states = [(broken, node(ready="False"), event("other", "Unhealthy", 1, "Warning", "refused"))]
    (only,) = tour.run((step("deploy", "true", check=There("web")),))
    assert isinstance(only.error, DeadlineError)
    assert [text.key for text in only.error.causes] == ["cause.node", "cause.probe"]
    assert "other: Unhealthy: refused" in only.error.evidence
    assert only.seconds >= 30


def test_a_cluster_that_cannot_be_read_is_the_error_itself(tour: Tour, cluster: Plain) -> None:
    cluster.error = ClusterError("cluster-unreachable", context="x", reason="refused")
    (only,) = tour.run((step("deploy", "true", check=There("web")),))
    assert only.error is cluster.error


def test_what_must_stay_so_and_does_not_is_an_error(tour: Tour, cluster: Plain) -> None:
    cluster.states = [(pod("web"),), (), (pod("web"),)]
    (only,) = tour.run((step("delete", "true", check=There("web", gone=True), hold=2.0),))
    assert isinstance(only.error, DeadlineError)
    assert only.proof
    assert not only.proof.holds


def test_what_stays_so_is_proved(tour: Tour, cluster: Plain) -> None:
    cluster.states = [(pod("web"),), ()]
    (only,) = tour.run((step("delete", "true", check=There("web", gone=True), hold=2.0),))
    assert only.error is None
    assert cluster.now == 2.0


def test_an_interrupt_is_an_outcome_and_what_was_made_stays_in_the_ledger(
    tour: Tour, memory: Memory, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(text: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(memory, "line", line)
    with signals():
        outcomes = tour.run(
            (step("one", "echo go; exec tail -f /dev/null", creates=("web/1",)), step("two", "echo 2"))
        )
    (only,) = outcomes
    assert isinstance(only.error, Interrupted)
    assert only.error.exit_status == 143
    assert state.created() == ("web/1",)
    assert ("end", "one") in memory.told


class TestAPersonWhoIsWaitedFor:
    QUESTION = Question("Which?", ("this", "that"), 1, "That.")
    THINKS = 100.0  # seconds, more than the tour's timeout

    @pytest.fixture(autouse=True)
    def thinking(self, memory: Memory, cluster: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
        def ready(step: Step) -> Prediction:
            cluster.now += self.THINKS
            return Prediction(self.QUESTION, 1)

        monkeypatch.setattr(memory, "ready", ready)

    def test_has_all_the_time_there_is(self, tour: Tour, cluster: Plain) -> None:
        cluster.states = [(), (pod("web"),)]
        cluster.first = 20.0  # of the timeout's 30
        (only,) = tour.run((step("one", "echo 1", check=There("web")),))
        assert only.error is None
        assert (only.started, only.waited, only.seconds) == (self.THINKS, self.THINKS, 20.0)
        assert only.prediction == Prediction(self.QUESTION, 1)

    def test_does_not_make_the_clock_go_on(
        self, tour: Tour, memory: Memory, cluster: Plain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown: list[float] = []
        monkeypatch.setattr(memory, "begin", lambda *told: shown.append(told[3]))
        cluster.first = 2.0
        tour.run((step("one", "true", check=There("web", gone=True)), step("two", "true")))
        assert shown == [0.0, 2.0]

    def test_does_not_hold_up_what_runs_in_the_background(
        self, tour: Tour, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = tmp_path / "made"
        os.mkfifo(made)
        read: list[str] = []
        monkeypatch.setattr(memory, "ready", lambda step: read.append(made.read_text()) if not read else None)
        tour.run((step("one", "true"), step("two", f"echo early > {made}", early=True)))
        assert read == ["early\n"]


def test_ctrl_c_while_a_lesson_is_read_is_an_outcome(
    tour: Tour, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*unused: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(memory, "begin", begin)
    (only,) = tour.run((step("one", "echo 1"),))
    assert isinstance(only.error, Interrupted)
    assert only.results == ()


def test_a_terminal_that_is_closed_as_a_step_is_told_lets_nothing_run_on(
    tour: Tour, memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be shown comes first, and a moment later the signal, in the midst of ending everything."""
    begun, late, running = tmp_path / "begun", [signal.SIGHUP], list[int]()
    os.mkfifo(begun)

    def end(*unused: object) -> None:
        running.append(int(begun.read_text()))
        raise OSError(errno.EIO, "closed")

    def join(acting: Acting) -> Callable[[], None]:
        while late:
            os.kill(os.getpid(), late.pop())
        return partial(joined, acting)

    joined = Acting.join
    monkeypatch.setattr(memory, "end", end)
    monkeypatch.setattr(Acting, "join", property(join))
    early = step("two", f"echo $$ > {begun}; exec tail -f /dev/null", early=True)
    with signals(), pytest.raises(KeyboardInterrupt):
        tour.run((step("one", "true"), early))
    with pytest.raises(ProcessLookupError):
        os.kill(running[0], signal.SIGKILL)


def test_ctrl_c_between_two_steps_ends_what_still_moves_on_the_terminal(
    tour: Tour, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*unused: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(memory, "end", end)
    with pytest.raises(KeyboardInterrupt):
        tour.run((step("one", "echo 1"),))
    assert memory.closed


def test_no_steps_give_no_outcomes(tour: Tour) -> None:
    assert tour.run(()) == []


def test_what_failed_and_left_nothing_is_not_in_the_ledger(tour: Tour, state: State) -> None:
    tour.run((step("make", "exit 1", unless=sh("false"), creates=("web/1",)),))
    assert state.created() == ()


@pytest.mark.parametrize(("stage", "key"), [(Stage.CLUSTER, "cluster-exists"), (Stage.RUN, "made-by-others")])
def test_what_exists_and_is_not_in_the_ledger_is_refused(
    tour: Tour, memory: Memory, state: State, stage: Stage, key: str
) -> None:
    make = step("make", "echo acted", unless=sh("false"), exists=sh("true"), creates=("web/1",), stage=stage)
    (only,) = tour.run((make,))
    assert only.error
    assert only.error.key == key
    assert ("command", "echo acted") not in memory.told
    assert state.created() == ()


def test_what_a_step_would_remove_and_is_not_in_the_ledger_is_refused(tour: Tour, state: State) -> None:
    remove = step("remove", "echo acted", exists=sh("true"), removes=("web/1",))
    (only,) = tour.run((remove,))
    assert only.error is not None
    assert only.error.key == "not-made-here"
    assert only.results == ()
    state.add("web/1")
    assert (
        tour.run((step("remove", "echo acted", word="acted", exists=sh("true"), removes=("web/1",)),))[
            -1
        ].error
        is None
    )
    assert state.created() == ()


@pytest.mark.parametrize(
    ("made", "there", "is_well"),
    [
        pytest.param("web/1", "false", True, id="gone"),
        pytest.param("web/1", "true", False, id="still there"),
        pytest.param("web/2", "false", False, id="never made here"),
        pytest.param("web/1", NO_DAEMON, False, id="nobody can say"),
    ],
)
def test_what_was_to_be_removed_and_has_gone_by_itself_meanwhile_is_removed(
    tour: Tour, memory: Memory, state: State, made: str, there: str, is_well: bool
) -> None:
    state.add(made)
    (only,) = tour.run((step("remove", "exit 1", exists=sh(there), removes=("web/1",)),))
    assert (only.error is None) is is_well
    assert (("note", "tour.already") in memory.told) is is_well
    assert state.created() == (() if is_well else (made,))


@pytest.mark.parametrize("word", ["gone", "nonsense"], ids=["holds", "refuted"])
def test_what_removes_again_what_it_makes_leaves_no_entry_whatever_the_verdict(
    tour: Tour, memory: Memory, state: State, word: str
) -> None:
    entries: dict[str, Any] = {"creates": ("a/b",), "removes": ("a/b",)}
    rescue = (sh("echo rescued"),)
    tour.run(
        (step("make", "echo made", "echo gone", word=word, exists=sh("false"), rescue=rescue, **entries),)
    )
    assert state.created() == ()
    assert ("command", "sh -c 'echo rescued'") not in memory.told


def test_what_removes_again_what_it_makes_is_taken_back_where_it_fails_half_way(
    tour: Tour, state: State, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    rescue = (sh(f"rm {half}"),)
    entries: dict[str, Any] = {"creates": ("a/b",), "removes": ("a/b",)}
    commands = (f"touch {half}", "exit 1", f"rm {half}")
    tour.run((step("make", *commands, exists=sh(f"test -e {half}"), rescue=rescue, **entries),))
    assert not half.exists()
    assert state.created() == ()


def test_what_exists_and_is_in_the_ledger_is_acted_on_again(tour: Tour, state: State) -> None:
    state.add("web/1")
    make = step("make", "echo acted", word="acted", unless=sh("false"), exists=sh("true"), creates=("web/1",))
    (only,) = tour.run((make,))
    assert only.error is None
    assert state.created() == ("web/1",)


def test_what_failed_stays_in_the_ledger_where_the_engine_cannot_say_whether_it_is_there(
    tour: Tour, state: State
) -> None:
    (only,) = tour.run((step("make", NO_DAEMON, unless=sh("false"), exists=sh(NO_DAEMON), creates=("a/b",)),))
    assert only.error
    assert only.error.key == "engine-daemon"
    assert state.created() == ("a/b",)


def test_what_failed_and_left_half_of_it_stays_in_the_ledger(
    tour: Tour, state: State, tmp_path: Path
) -> None:
    there = sh(f"test -e {tmp_path / 'half'}")
    half = step(
        "make", f"touch {tmp_path / 'half'}; exit 1", unless=sh("false"), exists=there, creates=("a/b",)
    )
    tour.run((half,))
    assert state.created() == ("a/b",)


def test_what_is_not_ours_ends_the_wait_at_once(tour: Tour, cluster: Plain) -> None:
    foreign = node("other", labels={})
    cluster.states = [(foreign,), (foreign,)]
    (outcome,) = tour.run([step("nodes", check=NodesReady(1, ours=True))])
    assert isinstance(outcome.error, RefusedError)
    assert outcome.error.values["proof"].key == "proof.cluster-foreign"
    assert cluster.now == 0.0


FORBIDDEN = "echo 'Error from server (Forbidden): nodes is forbidden' >&2; exit 1"
REFUSED = ClusterError("cluster-refused", path="/api/v1/nodes", status=403, reason="nodes is forbidden")


def test_what_the_cluster_may_forbid_and_does_is_told_and_the_tour_goes_on(
    tour: Tour, cluster: Plain
) -> None:
    cluster.error = REFUSED
    nodes = step("nodes", FORBIDDEN, check=NodesReady(1, ours=False), refusable=True)
    first, second = tour.run((nodes, step("two", "echo 2", word="2")))
    assert (first.error, second.error) == (None, None)
    assert first.proof
    assert first.proof.holds
    assert first.proof.text.key == "proof.forbidden"
    assert first.results[0][1].status == 1


def test_a_command_that_is_forbidden_leaves_the_verdict_to_the_check(tour: Tour, cluster: Plain) -> None:
    cluster.states = [(node("one"),)]
    (only,) = tour.run((step("nodes", FORBIDDEN, check=NodesReady(1, ours=False), refusable=True),))
    assert only.error is None
    assert only.proof
    assert only.proof.text.key == "proof.nodes"


@pytest.mark.parametrize("command", [FORBIDDEN, "true"])
def test_what_must_not_be_forbidden_and_is_ends_the_tour(tour: Tour, cluster: Plain, command: str) -> None:
    cluster.error = REFUSED
    (only,) = tour.run((step("nodes", command, check=NodesReady(1, ours=False)),))
    assert isinstance(only.error, ClusterError)


def test_a_step_that_may_be_forbidden_still_fails_for_any_other_reason(tour: Tour) -> None:
    (only,) = tour.run((step("nodes", "echo no >&2; exit 1", refusable=True),))
    assert only.error
    assert only.error.key == "command-failed"


def test_a_diagnosis_leaves_out_what_may_not_be_seen(
    tour: Tour, cluster: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.states = [(pod("other", ready=False), event("other", "Unhealthy", 1, "Warning", "refused"))]
    wait = cluster.wait

    def without_nodes(looks: Iterable[str], *rest: Any) -> Objects:
        if "nodes" in looks:
            raise REFUSED
        return wait(looks, *rest)

    monkeypatch.setattr(cluster, "wait", without_nodes)
    (only,) = tour.run((step("deploy", "true", check=There("web")),))
    assert only.error
    assert [text.key for text in only.error.causes] == ["cause.probe"]
    assert "other: Unhealthy: refused" in only.error.evidence


def test_what_holds_for_now_is_waited_for_to_become_more(tour: Tour, cluster: Plain, memory: Memory) -> None:
    cluster.states = [(service(),), (service(ingress=[{"ip": "192.0.2.7"}]),)]
    (only,) = tour.run((step("services", "true", check=ServiceAddress("web"), patience=9.0),))
    assert only.proof
    assert only.proof.data == {"external": "192.0.2.7"}
    assert ("waiting", "proof.service-pending") in memory.told


def test_what_holds_for_now_and_stays_so_holds_when_patience_is_over(tour: Tour, cluster: Plain) -> None:
    cluster.states = [(service(),)]
    (only,) = tour.run((step("services", "true", check=ServiceAddress("web"), patience=9.0),))
    assert only.error is None
    assert only.proof
    assert only.proof.data == {"external": None}
    assert cluster.now == 9.0


@dataclass(frozen=True)
class Telling:
    """A check that holds at once, and for more than now when the confirming command has said a word."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    word: str

    def __call__(self, seen: Observation) -> Proof:
        told = any(self.word in result.stdout for result in seen.confirmed)
        data = {"way": "log" if told else "", "before": seen.told}
        return Proof(True, Text("proof.ended", {"what": self.word}), data, for_now=not told)


def later(tmp_path: Path) -> str:
    """Return a command that says `here` when it is run for the third time."""
    file = tmp_path / "count"
    return f"echo x >>{file}; if [ $(wc -l <{file}) -ge 3 ]; then echo here; fi"


def test_what_confirms_a_step_is_asked_again_while_it_may_tell_more_and_the_request_is_not(
    tour: Tour, tmp_path: Path
) -> None:
    confirm = (sh(later(tmp_path)),)
    (only,) = tour.run(
        (step("hit", "echo ok", check=Telling("here"), confirm=confirm, again=True, patience=9.0),)
    )
    assert only.proof
    assert only.proof.data["way"] == "log"
    assert len(only.results) == 1
    assert [result.stdout for _, result in only.confirmed] == ["here\n"]


def test_a_step_that_falls_short_is_confirmed_anew_with_each_round(tour: Tour, tmp_path: Path) -> None:
    (only,) = tour.run(
        (step("hit", "echo", word="here", confirm=(sh(later(tmp_path)),), again=True, stage=Stage.APP),)
    )
    assert only.error is None
    assert len(only.results) == 3


def test_how_the_app_tells_who_answers_is_known_to_the_steps_after(tour: Tour) -> None:
    told = step("hit-container", "true", check=Telling("here"), confirm=(sh("echo here"),))
    then = step("hit", "true", check=Telling("here"))
    first, second = tour.run((told, then))
    assert first.proof
    assert second.proof
    assert (first.proof.data["before"], second.proof.data["before"]) == (None, "log")
    assert tour.told == ""
