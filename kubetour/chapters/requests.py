"""How the tour asks for an answer: curl commands, from this machine and from inside a node."""

from __future__ import annotations

from kubetour.proofs.spreading import CONNECTIONS
from kubetour.providers import Provider
from kubetour.steps import Found, Run, Variable

# No --retry: the tour repeats the whole command. Five seconds are plenty for a host name.
CURL = ("-sS", "--fail", "--max-time", "5", "--noproxy", "*")


# `Connection: close` matters: curl would send the next request over the connection it has, and a Service
# balances connections, not requests.
ONCE = ("-H", "Connection: close")


def get(provider: Provider, url: str) -> Run:
    """Return a request by curl from this machine, with no proxy in between."""
    return Run((*provider.tools.curl, *CURL, *ONCE, url))


def reach(count: int = 0) -> Run:
    """Return a request to the Service as the ladder found out that it is reached from outside.

    With a count, curl's globbing makes so many of it, a connection of its own for each.
    """
    url = Variable(Found.URL, f"?[1-{count}]" if count else "")
    return Run((Variable(Found.PROGRAM), *CURL, *ONCE, url))


def over_one_connection(count: int) -> Run:
    """Return that many requests to the Service by one curl, which keeps its connection if the app does.

    After each answer it says how many connections it had to make for it.
    """
    url = Variable(Found.URL, f"?[1-{count}]")
    return Run((Variable(Found.PROGRAM), *CURL, "-w", f"\\n{CONNECTIONS}%{{num_connects}}\\n", url))


def inside(provider: Provider, service: str) -> Run | None:
    """Return a request to a Service's cluster address from inside a node, or None where that cannot be."""
    return provider.on_node(*provider.node_curl, *CURL, provider.cluster_url(service))
