"""How the tour asks for an answer: curl commands, from this machine and from inside a node."""

from __future__ import annotations

from kubetour.providers import Provider
from kubetour.steps import Lookup, Run

# No --retry: the tour repeats the whole command. Five seconds are plenty for a host name.
CURL = ("-sS", "--fail", "--max-time", "5", "--noproxy", "*")


def get(provider: Provider, *urls: str | Lookup) -> Run:
    """Return a request by curl: a connection of its own for each URL, and no proxy in between.

    `Connection: close` matters: curl would send the next request over the connection it has, and a
    Service balances connections, not requests.
    """
    return Run((*provider.tools.curl, *CURL, "-H", "Connection: close", *urls))


def inside(provider: Provider, service: str) -> Run | None:
    """Return a request to a Service's cluster address from inside a node, or None where that cannot be."""
    address = provider.kubectl("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
    url = Lookup(address, "http://", f":{provider.settings.port}/")
    return provider.on_node(*provider.node_curl, *CURL, url)


def numbered(url: str | Lookup, count: int) -> str | Lookup:
    """Return a URL that curl's globbing turns into that many requests."""
    numbers = f"?[1-{count}]"
    return url + numbers if isinstance(url, str) else Lookup(url.run, url.before, url.after + numbers)
