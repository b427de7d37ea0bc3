"""The host that the commands run on: this machine. `remote.host` is one that is reached by SSH."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kubetour import tools
from kubetour.kubeconfig import Kubeconfig
from kubetour.pins import this_system
from kubetour.ports import free_port
from kubetour.project import ROOT
from kubetour.tools import Say, Tool

if TYPE_CHECKING:
    from invoke.context import Context

    from kubetour.buildcontext import BuildContext
    from kubetour.providers import Provider
    from kubetour.state import State


class Host:
    """Whatever has to be asked of the host that runs the commands, or done to it around them."""

    name = ""  # as `--host` names it; "" is this machine

    def context(self, c: Context) -> Context:
        """Return the context that runs commands there; HostError or RefusedError if it cannot be reached."""
        return c

    @property
    def root(self) -> str:
        """Return the directory that commands run in."""
        return str(ROOT)

    @property
    def system(self) -> str:
        """Return its system and processor as releases name them: linux/amd64."""
        return this_system()

    def kubectl(self, offline: bool, say: Say) -> str:
        """Return how to call kubectl; ToolError or IntegrityError if there is none to be had."""
        return tools.kubectl(offline, say)

    def kind(self, offline: bool, say: Say) -> Tool:
        """Return kind; ToolError or IntegrityError if there is none to be had."""
        return tools.kind(offline, say)

    def minikube(self, offline: bool, say: Say) -> str:
        """Return how to call minikube; ToolError or IntegrityError if there is none to be had."""
        return tools.minikube(offline, say)

    @property
    def is_root(self) -> bool:
        """Return whether commands run as root."""
        return os.geteuid() == 0

    def curl(self) -> bool:
        """Return whether there is a curl."""
        return tools.find_curl() is not None

    def python(self) -> str:
        """Return how the project's Python is called."""
        return tools.python()

    def bare_python(self) -> str:
        """Return how to call a Python that may have the standard library alone, or "" if there is none."""
        return self.python()

    def free_port(self, wanted: int, taken: tuple[int, ...] = ()) -> int:
        """Return the first port from `wanted` on that nothing listens on; ResourceError if none is near."""
        return free_port(wanted, taken)

    def placed(self, context: BuildContext) -> BuildContext:
        """Return the build context as commands name it."""
        return context

    def brought(self, path: str) -> str:
        """Return how commands name a file of this machine."""
        return path

    def prepare(self, provider: Provider, context: BuildContext, offline: bool, say: Say) -> None:
        """Bring there what the commands need, as far as it is not there yet."""

    def has_nothing(self, provider: Provider) -> bool:
        """Return whether nothing of this project can be there."""
        return False

    def kubeconfig(self, provider: Provider) -> Kubeconfig:
        """Return the kubeconfig to read the cluster with from here."""
        return provider.kubeconfig

    def by_hand(self, kubeconfig: str) -> str:
        """Return the line to type for going on by hand, with that kubeconfig."""
        return f'export KUBECONFIG="{ROOT / kubeconfig}"'

    def leave(self, state: State, say: Say) -> None:
        """Remove what was brought there, once nothing that was made is left."""


HERE = Host()
