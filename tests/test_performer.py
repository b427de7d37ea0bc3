"""Who runs a tour's commands, with an engine that is a script."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import performer, silence
from kubetour.errors import EngineError
from kubetour.performer import Performer
from kubetour.state import State
from kubetour.steps import Run

# It answers no question; one command hangs, and the other goes on to print until it may end.
ENGINE = """#!/bin/sh
echo "$1" >> asked
case "$1" in
  long) while [ ! -e ended ]; do echo .; sleep 0.05; done ;;
  *) exec tail -f /dev/null ;;
esac
"""


def test_an_engine_that_hangs_is_asked_no_more_although_a_command_of_its_own_ends_well_later(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "docker"
    engine.write_text(ENGINE, encoding="utf-8")
    engine.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(performer, "QUIET", 1.0)
    monkeypatch.setattr(silence, "PATIENCE", 0.3)
    runs = Performer(c, State(tmp_path / "state"), 60)
    begun = threading.Event()
    long = threading.Thread(target=runs.perform, args=(Run(("docker", "long")), lambda line: begun.set()))
    long.start()
    assert begun.wait(20)
    with pytest.raises(EngineError):
        runs.perform(Run(("docker", "build")))
    (tmp_path / "ended").touch()
    long.join(20)
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    with pytest.raises(EngineError):
        runs.perform(Run(("docker", "build")))
    assert (tmp_path / "asked").read_text(encoding="utf-8") == asked
