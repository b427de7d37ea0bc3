"""Errors that a person can act on.

Each names its text in `kubetour.text` by a key, never by a sentence, so that every error is told in both
languages, with its cause and its fix. `kubetour.codes` has a code for each key, and the family decides the
exit status:

    Told                      what ends a run and is told
     ├─ Interrupted     130   Ctrl-C (143 SIGTERM, 129 SIGHUP)
     └─ KubetourError     1   anything else that went wrong
         ├─ UsageError        2   a parameter, a template or a file of yours
         ├─ ToolError         3   a program is missing, broken or too old
         ├─ EngineError       4   the container engine or a command of it
         ├─ ClusterError      5   the cluster cannot be reached, or a command to it failed
         │   └─ HostError     5   the host cannot be reached, or the connection to it is gone
         ├─ DeadlineError     6   it did not happen in time
         ├─ ProofError        7   it happened, but not as claimed
         ├─ LockedError       8   another run works here
         ├─ RefusedError      9   not ours to touch
         ├─ ResourceError    10   disk, ports, memory
         ├─ LeftoverError     1   something is left after `down`
         └─ IntegrityError   11   a download is not what it should be

A signal is no error: who takes any error for an answer ("it is not there") must not take a signal for one.
"""

from __future__ import annotations

import errno
from typing import Any

from kubetour.text import Text, say, tell

# What the kernel says where this machine, or a limit set for this user, has no more of something:
# memory, processes, open files.
SHORT = (errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)
# The same in programs' words: the C library's, Python's, and Go's.
SHORT_WORDS = (
    r"resource temporarily unavailable|cannot allocate memory|can't start new thread"
    r"|failed to create new OS thread"
)


class Told(Exception):  # noqa: N818  (the errors among them are KubetourErrors)
    """What ends a run: a key into the text catalogs, the values its text needs, and evidence in raw lines."""

    exit_status = 1

    def __init__(self, key: str, *, evidence: str = "", **values: Any) -> None:
        super().__init__(key, values)
        self.key = key
        self.evidence = evidence
        self.causes: tuple[Text, ...] = ()  # what a diagnosis found, the likeliest first
        self.values = values

    def __str__(self) -> str:
        """Return the key and its values: for logs; people are told in their language by `explain`."""
        return f"{self.key} {self.values}"

    def explain(self, language: str) -> tuple[str, str]:
        """Return the cause and the fix: the texts `error.KEY` and `error.KEY.fix`."""
        cause, fix = f"error.{self.key}", f"error.{self.key}.fix"
        return say(language, cause, **self.values), say(language, fix, **self.values)

    @property
    def code(self) -> str:
        """Return its code, by which `inv explain` and docs/errors.md know it."""
        from kubetour.codes import code_of  # the table is long, and most commands succeed

        return code_of(self.key)

    def diagnosis(self, language: str) -> list[str]:
        """Return what a diagnosis found, the likeliest first, each with its code."""
        from kubetour.codes import coded

        return [coded(text.key, tell(language, text)) for text in self.causes]


class Interrupted(Told):
    """A signal ended the run; the exit status is 128 plus its number."""

    def __init__(self, signal_number: int, **values: Any) -> None:
        super().__init__("interrupted", **values)
        self.exit_status = 128 + signal_number


class KubetourError(Told):
    """Something went wrong."""


class UsageError(KubetourError):
    """A parameter, a template or a file of the user's is not as it must be."""

    exit_status = 2


class ToolError(KubetourError):
    """A program is missing, broken or too old."""

    exit_status = 3


class EngineError(KubetourError):
    """The container engine cannot be reached, or a command of it failed."""

    exit_status = 4


class ClusterError(KubetourError):
    """The cluster cannot be reached, or a command to it failed."""

    exit_status = 5


class HostError(ClusterError):
    """The host that commands run on cannot be reached, lets us not in, or the connection to it is gone."""


class DeadlineError(KubetourError):
    """Something did not happen in time."""

    exit_status = 6


class ProofError(KubetourError):
    """Something happened, but not as claimed."""

    exit_status = 7


class LockedError(KubetourError):
    """Another run works in this checkout."""

    exit_status = 8


class RefusedError(KubetourError):
    """It is not this project's to touch."""

    exit_status = 9


class ResourceError(KubetourError):
    """The machine has too little of something: disk, ports, memory."""

    exit_status = 10


def short(error: Exception) -> ResourceError:
    """Return the error for what the kernel refuses, or Python's own words for it."""
    reason = getattr(error, "strerror", "") or str(error) or type(error).__name__
    return ResourceError("machine-short", reason=reason)


class IntegrityError(KubetourError):
    """A download is not what it should be."""

    exit_status = 11


class LeftoverError(KubetourError):
    """Something of this project's is still there after all was removed."""
