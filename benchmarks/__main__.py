"""`./inv bench`: run the benchmarks; exit status 1 if a bound does not hold, or one is slower than before."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    again,
    api,
    endurance,
    fakes,
    hits,
    limit,
    page,
    plots,
    proxying,
    ready,
    remote,
    rendering,
    repeat,
    scaling,
    startup,
    tour,
    waiting,
    watching,
)
from benchmarks.results import Result, document, machine, slower, tell

ALL = {
    "startup": startup.main,
    "page": page.main,
    "limit": limit.main,
    "again": again.main,
    "waiting": waiting.main,
    "hits": hits.main,
    "rendering": rendering.main,
    "remote": remote.main,
    "tour": tour.main,
    "ready": ready.main,
    "scaling": scaling.main,
    "fakes": fakes.main,
    "api": api.main,
    "watching": watching.main,
    "proxying": proxying.main,
}
LONG = ("endurance", "repeat")  # only where it is named


def main(argv: list[str]) -> int:
    """Run the named benchmarks, or all. SIGTERM ends them as Ctrl-C does: what they made is removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser("./inv bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*ALL, *LONG)))
    parser.add_argument("--output", type=Path, help="write what was found as JSON")
    parser.add_argument("--compare", type=Path, help="an earlier run's JSON: fail if a ratio has got worse")
    parser.add_argument("--plots", type=Path, help="draw what was found as SVG, in this directory")
    parser.add_argument("--minutes", type=float, default=60.0, help="of endurance")
    parser.add_argument("--seed", type=int, default=0, help="of endurance; one by chance is printed")
    parser.add_argument(
        "--restarts", type=int, default=20, help="of endurance: kills of the server before it"
    )
    parser.add_argument("--times", type=int, default=100, help="of repeat: how many tours")
    parser.add_argument("--whole", action="store_true", help="of repeat: with the experiments")
    given = parser.parse_args(argv)
    every: dict[str, Callable[[], Result]] = {
        **ALL,
        "endurance": lambda: endurance.main(given.minutes, given.seed, given.restarts),
        "repeat": lambda: repeat.main(given.times, given.whole),
    }
    if unknown := sorted(set(given.names) - set(every)):
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(every)}")
    old = json.loads(given.compare.read_text(encoding="utf-8")) if given.compare else {"benchmarks": {}}
    print(", ".join(f"{name} {value}" for name, value in machine().items()), "\n")
    results: dict[str, Result] = {}
    for name in given.names or ALL:
        print(f"## {name}\n", flush=True)
        results[name] = every[name]()
        print()
        if given.output:  # after each: a benchmark may be stopped
            given.output.write_text(json.dumps(document(results), indent=1) + "\n", encoding="utf-8")
    if given.plots:
        plots.write(document(results), given.plots)
    worse = slower(results, old)
    for line in worse:
        tell(line)
    return 0 if all(result.held for result in results.values()) and not worse else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
