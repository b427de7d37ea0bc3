"""Verdicts on a container's process, on what the name of its image says, and on how it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.proofs.common import fails, holds
from kubetour.text import Text

KILLED = 137  # 128 + SIGKILL


@dataclass(frozen=True)
class ProcessOfHost:
    """A container has a name and process numbers of its own, and its process is one of this machine's."""

    looks: ClassVar[tuple[str, ...]] = ()

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on both host names, what `inspect` and `top` tell, and what /proc says here.

        NSpid has the process's number in each PID namespace from this one inwards:
        https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
        """
        named, start, named_inside, told, top, proc = seen.results[:6]
        outside, inside = named.stdout.strip(), named_inside.stdout.strip()
        number = told.stdout.split()[0]
        numbers = [word for line in re.findall(r"NSpid:(.*)", proc.stdout) for word in line.split()]
        up = re.search(r"(?m)^(\d+)\.\d+ \d+\.\d+$", proc.stdout)
        count = len(top.stdout.strip().splitlines()) - 1
        data = {"outside": outside, "inside": inside, "numbers": numbers, "processes": count}
        data |= {"start": start.seconds, "uptime": int(up[1]) if up and numbers else None}
        seconds = f"{start.seconds:.1f}"
        values = {"outside": outside, "inside": inside, "pid": number, "count": count, "seconds": seconds}
        if inside == outside:
            return fails("host-name-shared", data, **values)
        if not numbers:
            proof = holds("process-elsewhere", data, **values)
            return replace(proof, notes=(Text("proof.engine-elsewhere"),))
        if len(numbers) < 2:
            return fails("process-numbers-shared", data, **values)
        uptime = duration(int(up[1]) if up else 0)
        return holds("process-of-host", data, **values, first=numbers[-1], uptime=uptime)


@dataclass(frozen=True)
class PlainProcess:
    """On the embedded cluster: the container is a process of this machine, with only a name of its own."""

    looks: ClassVar[tuple[str, ...]] = ()

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on both host names, and whether there is a process of that number."""
        named, _, named_inside, told, looked = seen.results[:5]
        outside, inside = named.stdout.strip(), named_inside.stdout.strip()
        number = told.stdout.split()[0]
        values = {"outside": outside, "inside": inside, "pid": number}
        if inside == outside:
            return fails("host-name-shared", values, **values)
        runs = looked.stdout.startswith(f"{number} ")
        return (holds if runs else fails)("plain-process" if runs else "process-absent", values, **values)


def duration(seconds: int) -> str:
    """Return a time in the largest unit of which there are at least two."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


@dataclass(frozen=True)
class NameMoved:
    """One name stood for two images; the container that was started by that name still runs the first."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the image's ID before and after, and on what the container runs."""
        before, after = (_identity(seen.results[index].stdout) for index in (1, 4))
        runs = _identity(seen.results[5].stdout.split()[-1])
        data = {"image": self.image, "before": before, "after": after, "container": runs}
        values = {"image": self.image, "before": before[:12], "after": after[:12]}
        if before == after:
            return fails("name-stayed", data, **values)
        if re.fullmatch(r"[0-9a-f]{64}", runs) and runs != before:  # nerdctl tells a name there, not an ID
            return fails("container-moved", data, **values)
        return holds("name-moved", data, **values)


def _identity(text: str) -> str:
    return text.strip().removeprefix("sha256:")


@dataclass(frozen=True)
class PullPolicies:
    """The API server's default for `latest` is to ask the registry each time; for any other tag it is not."""

    looks: ClassVar[tuple[str, ...]] = ()

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on both policies."""
        latest, fixed = (result.stdout.strip() for result in seen.results[:2])
        data = {"latest": latest, "fixed": fixed}
        ok = (latest, fixed) == ("Always", "IfNotPresent")
        return (holds if ok else fails)("pull-policies" if ok else "pull-policies-other", data, **data)


@dataclass(frozen=True)
class GraceUsedUp:
    """A container did not end on SIGTERM: the engine waited, and killed it."""

    looks: ClassVar[tuple[str, ...]] = ()
    grace: int  # seconds

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on how long `stop` took, and the exit status."""
        seconds = seen.results[1].seconds
        said = seen.results[2].stdout.strip()
        data = {"grace": self.grace, "seconds": seconds, "status": int(said) if said.isdigit() else None}
        values = {"grace": self.grace, "seconds": f"{seconds:.1f}", "status": said or "–"}
        ok = data["status"] == KILLED and seconds >= self.grace
        return (holds if ok else fails)("grace-used-up" if ok else "ended-by-itself", data, **values)
