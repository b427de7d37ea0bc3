"""The tasks and their flags, by Invoke's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from kubetour.project import ROOT
from kubetour.settings import FIELDS
from kubetour.text import LANGUAGES, catalog

VERBS = (
    "doctor",
    "build",
    "layers",
    "run",
    "push",
    "create-cluster",
    "cluster-info",
    "nodes",
    "describe-node",
    "load",
    "run-pod",
    "expose-pod",
    "deploy",
    "expose",
    "services",
    "hit",
    "scale",
    "pods",
    "describe-pod",
    "logs",
    "status",
    "watch",
    "render",
    "script",
    "lesson",
    "report",
    "down",
    "tour",
    "prove",
    "pack",
    "unpack",
    "class",
    "explain",
    "test",
    "lint",
    "bench",
)
ENVIRONMENT = {**{k: v for k, v in os.environ.items() if not k.startswith("KUBETOUR_")}, "LC_ALL": "C.UTF-8"}


def invoke(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *argv],
        cwd=ROOT,
        env={**ENVIRONMENT, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_there_is_a_task_for_every_verb_and_each_says_what_it_does() -> None:
    done = invoke("--list", "--list-format", "json")
    assert done.returncode == 0, done.stderr
    tasks = {task["name"]: task["help"] for task in json.loads(done.stdout)["tasks"]}
    assert set(VERBS) <= set(tasks)
    assert all(tasks.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_and_every_verb_has_help(language: str) -> None:
    messages = catalog(language)
    assert {f"setting.{name}" for name in FIELDS} <= set(messages)
    assert {f"task.{verb}" for verb in VERBS} <= set(messages)


def test_listing_the_tasks_imports_nothing_that_is_slow() -> None:
    slow = ("kubernetes", "fabric", "paramiko", "jinja2", "aiohttp", "rich", "cryptography")
    code = f"import sys, tasks; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_help_names_every_flag_of_a_task_with_its_default() -> None:
    text = invoke("--help", "scale").stdout
    for flag in ("--replicas", "--name", "--namespace", "--provider", "--timeout", "--lang", "[3]"):
        assert flag in text


def test_help_is_told_in_the_locales_language() -> None:
    assert catalog("zh")["task.scale"][:4] in invoke("--help", "scale", LC_ALL="zh_CN.UTF-8").stdout


@pytest.mark.parametrize(
    ("argv", "environ", "said"),
    [
        (("scale", "--replicas", "0"), {}, "--replicas"),
        (("scale",), {"KUBETOUR_REPLICAS": "0"}, "KUBETOUR_REPLICAS"),
        (("tour", "--provider", "nope"), {}, "--provider"),
        (("tour", "--keep", "--down"), {}, "--keep"),
        (("tour", "--pause"), {}, "--pause"),
        (("tour", "--predict"), {}, "--predict"),
        (("tour", "--predict", "--quiet"), {}, "--quiet"),
        (("tour", "--predict", "--json"), {}, "--json"),
        (("lesson", "--provider", "embedded", "--lessons", "docs"), {}, "docs"),
    ],
)
def test_bad_input_ends_with_2_and_names_what_to_change(
    argv: tuple[str, ...], environ: dict[str, str], said: str
) -> None:
    done = invoke(*argv, **environ)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_flag_comes_before_the_environment() -> None:
    done = invoke("scale", "--replicas", "many", KUBETOUR_REPLICAS="0")
    assert "'many'" in done.stderr
