"""The chapter taken by `inv tour --quiet` against the same commands typed one after another.

The page is the tour's own commands for these steps, without its proofs, and after each the least waiting
with which the next one works: `kubectl wait`, `rollout status`, a curl that is repeated until it is answered.
The experiments are on no page, so neither side has them.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import limit
from benchmarks.desk import NAME, ROOT, STEPS, Desk, desk
from benchmarks.measure import against
from benchmarks.results import Result

ROUNDS = {"embedded": 5, "kind": 1}  # a round on kind takes more than two minutes
MOST = {"embedded": 1.0, "kind": 0.8}
# Seconds that things take on kind, fixed: so the ratio shows how the work is arranged, and nothing else.
PACE = {"create": 16.0, "ready": 30.0, "load": 6.0}
BUILD, ROLLOUT = 6.0, 1.5
_SLOW = """#!/bin/sh
case " $* " in
*" --help "*) ;;
*" {words} "*)
    sleep {seconds} &
    status=0; {program} "$@" || status=$?
    wait
    exit $status ;;
esac
exec {program} "$@"
"""


def script(record: Mapping[str, Any], *, loads_early: bool = False) -> str:
    """Return the page; with `loads_early`, nodes need not be Ready for the image to be loaded."""
    lines = ["set -eu"]
    for step in record["steps"]:
        texts = [command["text"] for command in step["commands"]]
        if step["step"] == "hit":
            texts = [f"until {texts[-1]}; do sleep 0.1; done"]
        elif step["step"] == "hit-all":
            texts = texts[-1:]
        waits = [command["text"] for command in step["confirm"]]
        nodes = loads_early and step["step"] == "create-cluster"
        waits = [text for text in waits if " rollout status " in text or (" wait " in text and not nodes)]
        lines += [*texts, *waits]
    return "\n".join(lines) + "\n"


def slow(folder: Path, program: str, words: str, seconds: float) -> None:
    """Put a program into a folder: the real one, but that with these words it takes so long."""
    real = shutil.which(program)
    path = folder / program
    path.write_text(
        _SLOW.format(words=words, seconds=seconds, program=shlex.quote(str(real))), encoding="utf-8"
    )
    path.chmod(0o755)


def _timed(here: Desk, page: str) -> float:
    path = here.folder / "page.sh"
    path.write_text(page, encoding="utf-8")
    began = time.monotonic()
    here.run(("sh", "-eu", str(path)))
    return time.monotonic() - began


def _forget(here: Desk, record: Mapping[str, Any]) -> None:
    """Remove what the page has made, of which no ledger knows."""
    create = next(s for s in record["steps"] if s["step"] == "create-cluster")["commands"][0]["text"]
    program = create.partition(" create cluster ")[0]
    build = next(s for s in record["steps"] if s["step"] == "build")
    image = build["confirm"][0]["text"].rpartition(" ")[2]
    engine = build["commands"][0]["text"].partition(" build ")[0]
    here.run(("sh", "-euc", f"{program} delete cluster --name {NAME}; {engine} image rm {image}"))


def measure(provider: str, here: Desk) -> Result:
    """Print the tables of a provider; return the ratios, that to the limit included."""
    ours = "`./inv tour --quiet`"
    times: dict[str, list[float]] = {ours: []}
    records: list[dict[str, Any]] = []
    here.warm()
    for _ in range(ROUNDS[provider]):
        seconds, record = here.chapter()
        here.down()
        times[ours].append(seconds)
        records.append(record)
        pages = {"the page": script(records[0])}
        if provider == "kind":
            pages["the page, loading before nodes are Ready"] = script(records[0], loads_early=True)
        for name, page in pages.items():
            times.setdefault(name, []).append(_timed(here, page))
            _forget(here, record)
    print(f"| {provider}, {len(STEPS)} steps | wall, median s | min–max |\n|---|---|---|")
    for name, found in times.items():
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f}–{max(found):.2f} |")
    print()
    result = Result()
    for name, found in times.items():
        if name != ours:
            rounds = against(times[ours], found)
            bound = {"most": MOST[provider]} if name == "the page" else {}
            result.add(f"{provider}: the tour to {name}", statistics.median(rounds), rounds, **bound)
    if provider == "kind":
        result.ratios += limit.table(provider, records).ratios
    return result


@contextmanager
def slow_kind(root: Path) -> Iterator[Desk]:
    """Yield a desk with kind's stand-in, where things take as long as they do on kind."""
    programs = root / "bin"
    programs.mkdir()
    slow(programs, "docker", "build", BUILD)
    slow(programs, "kubectl", "rollout status", ROLLOUT)
    path = os.pathsep.join(
        map(str, (programs, ROOT / "tests/standins", ROOT / ".venv/bin", os.environ["PATH"]))
    )
    pace = ",".join(f"{name}={seconds}" for name, seconds in PACE.items())
    with desk(root, "kind", PATH=path, KIND_STANDIN_PACE=pace) as here:
        yield here


def main() -> Result:
    """Print the tables; return the ratios."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="bench") as root, desk(Path(root), "embedded") as here:
        result.ratios += measure("embedded", here).ratios
    if shutil.which("docker") is None:
        print("SKIP kind: there is no docker (no pass)")
        return result
    with tempfile.TemporaryDirectory(prefix="bench") as root, slow_kind(Path(root)) as here:
        result.ratios += measure("kind", here).ratios
    return result
