"""Version skew: how far kubectl and the Python client may be from the API server, in minor versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetour.text import Text

Minor = tuple[int, int]


@dataclass(frozen=True)
class Skew:
    """How many minor versions older and newer than the server a client may be; None is any number."""

    older: int | None
    newer: int | None

    def allows(self, client: Minor, server: Minor) -> bool:
        """Return whether a client may be used with a server."""
        ahead = client[1] - server[1]
        most = self.newer if ahead > 0 else self.older
        return client[0] == server[0] and (most is None or abs(ahead) <= most)


# https://kubernetes.io/releases/version-skew-policy/#kubectl
POLICY = Skew(older=1, newer=1)


def minor(version: str) -> Minor | None:
    """Return the minor version: of v1.36.2-gke.100 (1, 36), of 1.33+ (1, 33); None if it is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def made_for(client: str) -> Minor | None:
    """Return the minor version of Kubernetes that a release of the Python client is made for.

    Release 37 is made for 1.37; with others, what both know works:
    https://github.com/kubernetes-client/python#compatibility
    """
    found = re.match(r"\d+", client)
    return (1, int(found[0])) if found else None


def warnings(server: str, kubectl: str, client: str, skew: Skew = POLICY) -> tuple[Text, ...]:
    """Return what to say of the versions of kubectl and the Python client; of an unknown one, nothing."""
    there = minor(server)
    if there is None:
        return ()
    said = []
    here = minor(kubectl)
    if here and not skew.allows(here, there):
        fits = ".".join(map(str, there))
        said.append(Text("skew.kubectl", {"version": kubectl, "server": server, "fits": fits}))
    here = made_for(client)
    if here and not skew.allows(here, there):
        fits = ".".join(map(str, here))
        said.append(Text("skew.client", {"version": client, "server": server, "fits": fits}))
    return tuple(said)
