"""How the tour asks for an answer: curl commands, from this machine and from inside a node."""

from __future__ import annotations

from dataclasses import replace

from kubetour.checks import Check
from kubetour.proofs.anyapp import LATE, PodTells
from kubetour.proofs.spreading import CONNECTIONS
from kubetour.proofs.traffic import AnsweredBy
from kubetour.providers import Provider
from kubetour.steps import Found, Run, Variable

# No --retry: the tour repeats the whole command. Five seconds are plenty for a host name.
CURL = ("-sS", "--fail", "--max-time", "5", "--noproxy", "*")
# Of an app that is not our own, the headers may tell who answered, and 404 at / is an answer, too.
SHOWN = ("-i", "-sS", "--max-time", "5", "--noproxy", "*")


# `Connection: close` matters: curl would send the next request over the connection it has, and a Service
# balances connections, not requests.
ONCE = ("-H", "Connection: close")
FORWARDED = "http://{}/"  # the address is known when kubectl forwards: see `forwarded`


def mark(provider: Provider, step: str) -> str:
    """Return the word that a step's requests to an app that is not our own carry; "" for our own."""
    return f"{provider.mark}.{step}" if provider.mark else ""


def get(provider: Provider, step: str, url: str, count: int = 0) -> Run:
    """Return a request by curl from this machine, with no proxy in between; as many as counted."""
    return Run((*provider.tools.curl, *_flags(provider, step), *ONCE, url + _query(provider, step, count)))


def reach(provider: Provider, step: str, count: int = 0) -> Run:
    """Return a request to the Service as the ladder found out that it is reached from outside.

    With a count, curl's globbing makes so many of it, a connection of its own for each.
    """
    url = Variable(Found.URL, _query(provider, step, count))
    return Run((Variable(Found.PROGRAM), *_flags(provider, step), *ONCE, url))


def over_one_connection(provider: Provider, step: str, count: int) -> Run:
    """Return that many requests to the Service by one curl, which keeps its connection if the app does.

    After each answer it says how many connections it had to make for it.
    """
    url = Variable(Found.URL, _query(provider, step, count))
    told = ("-w", f"\\n{CONNECTIONS}%{{num_connects}}\\n")
    return Run((Variable(Found.PROGRAM), *_flags(provider, step), *told, url))


def forwarded(provider: Provider, step: str, count: int) -> Run | None:
    """Return that many requests through a port that kubectl forwards to the Service; None where none can be.

    kubectl takes a free port of this machine by itself.
    """
    if not provider.tools.forwarded:
        return None
    settings = provider.settings
    forward = provider.kubectl("port-forward", f"service/{settings.name}", f":{settings.port}")
    ask = get(provider, step, FORWARDED, count)
    return Run((*provider.tools.forwarded, "--", *forward.argv, "--", *ask.argv))


def inside(provider: Provider, step: str, service: str) -> Run | None:
    """Return a request to a Service's cluster address from inside a node, or None where that cannot be."""
    url = provider.cluster_url(service)
    url = replace(url, after=url.after + _query(provider, step))
    return provider.on_node(*provider.node_curl, *_flags(provider, step), url)


def answered(provider: Provider, step: str, labels: tuple[tuple[str, str], ...]) -> Check:
    """Return the check that a Pod with these labels gave the step's answer."""
    return PodTells(labels, mark(provider, step)) if provider.mark else AnsweredBy(labels)


def logs(provider: Provider, selector: str) -> tuple[Run, ...]:
    """Return what shows the requests that Pods wrote down, as an app that is not our own may do only that."""
    # A Pod may end between the question which there are and the one for its log.
    look = ("logs", "-l", selector, "--prefix", "--tail=-1", "--ignore-errors")
    return (provider.kubectl(*look),) if provider.mark else ()


def lateness(provider: Provider) -> float:
    """Return the seconds to wait for what such a log may still tell."""
    return LATE if provider.mark else 0.0


def _flags(provider: Provider, step: str) -> tuple[str, ...]:
    return (*SHOWN, "-A", mark(provider, step)) if provider.mark else CURL


def _query(provider: Provider, step: str, count: int = 0) -> str:
    parts = (mark(provider, step), f"[1-{count}]" if count else "")
    return "?" + ".".join(filter(None, parts)) if any(parts) else ""
