"""`./inv bench [--only NAME]`: run the benchmarks; exit status 1 if a bound does not hold."""

from __future__ import annotations

import sys

from benchmarks import api, fakes, proxying, ready, scaling, startup, tour, watching
from benchmarks.measure import machine

ALL = {
    "startup": startup.main,
    "tour": tour.main,
    "ready": ready.main,
    "scaling": scaling.main,
    "fakes": fakes.main,
    "api": api.main,
    "watching": watching.main,
    "proxying": proxying.main,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(ALL)}.", file=sys.stderr)
        return 2
    print(machine(), "\n")
    held = []
    for name in names or ALL:
        print(f"## {name}\n")
        held.append(ALL[name]())
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
