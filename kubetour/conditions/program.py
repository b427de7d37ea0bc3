"""Conditions of the programs that the tour calls."""

from __future__ import annotations

from kubetour.conditions.case import Case, Values, dotted, given, numbers
from kubetour.machine import Program
from kubetour.pins import pin

LEAST_NODE = (18,)  # app/app.js says so


def offline_without(name: str, case: Case) -> Values | None:
    """A program is not here and may not be downloaded."""
    program = program_of(case, name)
    return given(case.settings.offline and program and not program.found, tool=name)


def passed_over(name: str, case: Case) -> Values | None:
    """A program on PATH will not do."""
    reasons = why(program_of(case, name) or Program())
    return given(reasons, tool=name, why=reasons, least=dotted(pin(name).least))


def node_missing(case: Case) -> Values | None:
    """There is no Node, and our own app needs one."""
    return given(_ours(case) and missing(case.machine.node))


def node_broken(case: Case) -> Values | None:
    """The Node that would be taken does not work."""
    return given(_ours(case) and why(case.machine.node), why=why(case.machine.node))


def node_old(case: Case) -> Values | None:
    """The Node that would be taken is older than the app can use."""
    node = case.machine.node.found
    is_old = _ours(case) and node and numbers(node.version) < LEAST_NODE
    return given(is_old, version=node and node.version, path=node and node.path, least=dotted(LEAST_NODE))


def _ours(case: Case) -> bool:
    """Return whether the app is our own: what another needs, only its author knows."""
    return case.settings.is_our_app


def curl_missing(case: Case) -> Values | None:
    """There is no curl."""
    return given(missing(case.machine.curl))


def curl_broken(case: Case) -> Values | None:
    """The curl that would be taken does not work."""
    return given(why(case.machine.curl), why=why(case.machine.curl))


def program_of(case: Case, name: str) -> Program | None:
    """Return a program's facts; None for kind and minikube where no engine works: they do not matter then."""
    if name == "kubectl":
        return case.machine.kubectl
    maker = case.machine.kind if name == "kind" else case.machine.minikube
    return None if case.daemon.engine.trouble else maker


def missing(program: Program) -> bool:
    """Return whether there is no program of that name, good or bad."""
    return not program.found and not program.passed_over


def why(program: Program) -> str:
    """Return why programs were passed over."""
    return "; ".join(program.passed_over)
