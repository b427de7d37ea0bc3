"""A run made up for tests: everything that a page can show, and an app that prints what it should not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubetour.checks import Proof, Result
from kubetour.errors import DeadlineError
from kubetour.questions import Prediction, Question
from kubetour.report import report
from kubetour.settings import Settings
from kubetour.steps import Run
from kubetour.text import LANGUAGES, Text
from kubetour.tour import Outcome
from tests.making import step

ORIGIN = 1000.0  # the clock's reading when the run began
HOSTILE = (
    "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\n"
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202egnihton\u202c </pre></code></html> {{ 7*7 }} ]]> &"
    " \x00\x01\ud800\ufffe\r\n"
)
PODS = ("web-5d7cbddd68-aaaaa", "web-5d7cbddd68-bbbbb", "web-5d7cbddd68-ccccc")
CHAIN = {
    "deployment": "web",
    "replicasets": ["web-5d7cbddd68"],
    "service": "web",
    "address": "10.96.0.10",
    "selector": {"app": "web"},
    "endpoints": list(PODS),
    "pods": [
        {"name": name, "node": "worker", "address": f"10.0.0.{i}", "ready": i != 2}
        for i, name in enumerate(PODS)
    ],
}
LAYERS = [
    {"instruction": "FROM node:24-alpine", "size": "8.3MB"},
    {"instruction": "COPY app/app.js ./", "size": "2.27kB"},
    {"instruction": "USER 1000", "size": "0B"},
]
TIMELINE: dict[str, Any] = {
    "deployment": 0.004,
    "replicaset": 0.009,
    "pods": [
        {
            "name": PODS[0],
            "node": "worker",
            "created": 0.012,
            "scheduled": 0.02,
            "pulled": 0.31,
            "started": 0.45,
            "ready": 1.502,
            "endpoint": 1.52,
        },
        {
            "name": PODS[1],
            "node": "",
            "created": 0.013,
            "scheduled": None,
            "pulled": None,
            "started": None,
            "ready": None,
            "endpoint": None,
        },
    ],
}
LOAD: dict[str, Any] = {
    "rate": 50,
    "requests": 150,
    "failed": 4,
    "seconds": [
        {"at": 0, "ok": 50, "failed": 0, "by": {PODS[0]: 50}},
        {"at": 1, "ok": 46, "failed": 4, "by": {PODS[0]: 30, PODS[1]: 16}},
        {"at": 2, "ok": 50, "failed": 0, "by": {PODS[0]: 20, PODS[1]: 20, PODS[2]: 10}},
    ],
    "marks": [{"at": 0.5, "text": "kubectl scale deployment/web --replicas=3"}],
}
# Of the zh ones, one fits what was asked in en, and one does not.
QUESTIONS = {
    "en": {
        "build": Question("Will it build *twice*?", ("Yes", "No <b>"), 1, "No."),
        "layers": Question("How many layers?", ("one", "two"), 1, "Two."),
    },
    "zh": {
        "build": Question("会构建*两次*吗？", ("会", "不会 <b>"), 1, "不会。"),
        "layers": Question("有几层？", ("一层", "两层", "三层"), 1, "两层。"),
    },
}
DATA: dict[str, dict[str, Any]] = {
    "layers": {"layers": LAYERS},
    "picture": CHAIN,
    "hit-all": {"answers": dict(zip(PODS, (9, 13, 15), strict=True)), "requests": 37, "load": LOAD},
    "pods": {"nodes": {"worker": [PODS[0]], "worker2": [PODS[2], PODS[1]]}, "timeline": TIMELINE},
}


def ran(
    text: str, began: float, seconds: float = 0.5, stdout: str = "", status: int = 0, stderr: str = ""
) -> tuple[Run, Result]:
    """Return a command that ran so many seconds after the run began."""
    return Run(tuple(text.split())), Result(status, stdout, stderr, seconds, ORIGIN + began)


def outcomes() -> list[Outcome]:
    """Return steps that were proved: one of them with a command that had begun before its turn."""
    names = ("build", "layers", "create-cluster", "picture", "hit-all", "pods")
    made = []
    for number, name in enumerate(names):
        command = ran(f"do {name}", 0.25 if name == "create-cluster" else number, stdout=f"{name} done\n")
        proof = Proof(True, Text("proof.scaled", {"declared": 3, "ready": 3}), DATA.get(name, {}))
        one = step(name, claim="spread" if name == "hit-all" else "")
        made.append(Outcome(one, False, (command,), (), proof, None, float(number), 0.9, ORIGIN))
    warning = Text("skew.client", {"version": "37.0.2", "server": "v1.33.1", "fits": "1.37"})
    assert made[0].proof
    made[0] = replace(
        made[0], already=True, confirmed=(ran("see it", 0.6),), proof=replace(made[0].proof, notes=(warning,))
    )
    made[0] = replace(made[0], prediction=Prediction(QUESTIONS["en"]["build"], 0), waited=0.0)
    made[1] = replace(made[1], prediction=Prediction(QUESTIONS["en"]["layers"], 1), started=1.5, waited=0.5)
    return made


def failed() -> Outcome:
    """Return a step that failed, after the same command was run three times, with hostile output."""
    error = DeadlineError(
        "not-in-time", evidence=HOSTILE, proof=Text("proof.answered-other", {"answer": HOSTILE}), seconds=180
    )
    error.causes = (Text("cause.crash", {"pod": HOSTILE, "reason": "CrashLoopBackOff", "code": 1}),)
    results = tuple(
        ran("curl web", 6.0 + n, stdout=f"try {n}: {HOSTILE}", status=22, stderr=HOSTILE) for n in range(3)
    )
    return Outcome(step("hit", claim="nothing-lost"), False, results, (), None, error, 6.0, 3.0, ORIGIN)


def documents(*more: Outcome, planned: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Return the record of a run, `more` steps after those that were proved, in each language."""
    every = [*outcomes(), *more]
    ids = (*(outcome.step.id for outcome in every), *planned)
    return {
        language: report(
            every,
            ids,
            Settings(image="商店"),
            "embedded",
            {"image": "flag"},
            language,
            1.0,
            9.5,
            QUESTIONS[language],
        )
        for language in LANGUAGES
    }
