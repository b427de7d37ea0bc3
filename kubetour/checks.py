"""What is looked at, and the verdict: an Observation goes in, a Proof comes out. `proofs` has the checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from kubetour.text import Text

Object = Mapping[str, Any]

TIMED_OUT = 124  # the exit status of a command that was ended, as timeout(1) gives it


@dataclass(frozen=True)
class Result:
    """One command that ran: its exit status, what it printed, its wall time and when it began.

    Both in seconds; `began` is a reading of time.monotonic.
    """

    status: int
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    began: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Change:
    """A change that a watch has told: when, of which resource, ADDED, MODIFIED or DELETED, and the object.

    `at` is in seconds since the step's first command began; what was there before has a time below zero.
    """

    at: float
    resource: str
    event: str
    object: Object


@dataclass(frozen=True)
class Observation:
    """All that a check may know: what the commands said, and the cluster's objects by plural name."""

    results: tuple[Result, ...] = ()
    confirmed: tuple[Result, ...] = ()
    objects: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()  # of a recorded step: what was there before, and each change since
    rung: Text | None = None  # of the step's ladder: the one that the actions ran with
    told: str | None = None  # the way by which an earlier step saw who answered ("": it saw none)

    def named(self, resource: str, name: str) -> Object | None:
        """Return the object of that name, or None."""
        return next(
            (item for item in self.objects.get(resource, ()) if item["metadata"]["name"] == name), None
        )

    def labelled(self, resource: str, labels: Mapping[str, str]) -> tuple[Object, ...]:
        """Return the objects that carry all these labels."""
        return tuple(
            item
            for item in self.objects.get(resource, ())
            if labels.items() <= item["metadata"].get("labels", {}).items()
        )


@dataclass(frozen=True)
class Proof:
    """A verdict and its grounds. `data` is for report.json and for pictures, in plain JSON values.

    `notes` are warnings: it holds, but a person should know. A `final` failure is one that no waiting can
    mend: what is there is not ours. One that is `refuted` was measured, and waiting changes nothing of that.
    What holds `for_now` may still become more than that, for instance when a cloud has found an address.
    """

    holds: bool
    text: Text
    data: Mapping[str, Any] = field(default_factory=dict)
    final: bool = False
    refuted: bool = False
    for_now: bool = False
    notes: tuple[Text, ...] = ()

    @property
    def settled(self) -> bool:
        """Return whether waiting is over."""
        return self.holds or self.final or self.refuted


class Check(Protocol):
    """A frozen value that can judge: two of the same kind and expectation are equal."""

    looks: ClassVar[tuple[str, ...]]  # plural names of the resources it has to see

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on what was seen."""
