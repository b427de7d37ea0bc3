"""Where to read how a cluster is reached: a file here, or one on another host."""

from __future__ import annotations

from typing import Protocol

from kubetour.errors import HostError


class Far(Protocol):
    """A cluster that only another host reaches. Nothing of it is asked before the first look."""

    def path(self) -> str:
        """Return the path of a kubeconfig that works from here; ClusterError if there can be none."""

    def trouble(self) -> HostError | None:
        """Return why no further attempt can succeed, if that is so."""


Kubeconfig = str | Far  # a path, "" for the user's own
