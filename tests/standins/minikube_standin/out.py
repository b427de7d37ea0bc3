"""What minikube prints where there is no terminal, and how it ends."""

from __future__ import annotations

import sys


class ExitError(Exception):
    """The end of the program with an exit status, all being said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def step(text: str) -> None:
    """Print a line of progress."""
    print(f"* {text}", flush=True)


def option(text: str) -> None:
    """Print a line below a step."""
    print(f"  - {text}", flush=True)


def err(text: str, mark: str = "! ") -> None:
    """Print a warning, or with another mark something else, on stderr."""
    print(f"{mark}{text}", file=sys.stderr, flush=True)


def fatal(reason: str, status: int, text: str, advice: str = "") -> ExitError:
    """Print why the program ends and return the exception that ends it.

    The reasons are those of https://minikube.sigs.k8s.io/docs/contrib/errorcodes/
    """
    print(file=sys.stderr)
    err(f"Exiting due to {reason}: {text}", "X ")
    if advice:
        err(f"Suggestion: {advice}", "* ")
    print(file=sys.stderr)
    return ExitError(status)


def tip(text: str, action: str, profile: str, status: int) -> ExitError:
    """Print what is wrong with a profile and which command helps, and return the end."""
    step(text)
    shown = "" if profile == "minikube" else f" -p {profile}"
    print(f'  To start a cluster, run: "minikube {action}{shown}"')
    return ExitError(status)
