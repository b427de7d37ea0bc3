"""The embedded cluster: kind's commands and Docker's, spoken by `python -m kubetour.embedded`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from kubetour.providers.kind import Kind
from kubetour.skew import Skew
from kubetour.steps import Run, Step, Word


@dataclass(frozen=True)
class Embedded(Kind):
    """A cluster without a container engine. It is driven by commands alone; nothing of it is imported."""

    name: ClassVar[str] = "embedded"
    # It is v1.36; its tests were passed with kubectl 1.20 and 1.27 to 1.33, and no version was found to fail.
    skew: ClassVar[Skew] = Skew(older=16, newer=None)
    in_containers: ClassVar[bool] = False

    @property
    def program(self) -> tuple[str, ...]:
        """Return how the embedded cluster is called."""
        return (self.tools.python, "-m", "kubetour.embedded")

    @property
    def engine(self) -> tuple[str, ...]:
        """Return the same: it builds and runs images, too."""
        return self.program

    @property
    def engine_name(self) -> str:
        """Return the embedded builder's name."""
        return self.name

    @property
    def node_curl(self) -> tuple[str, ...]:
        """Return how curl is called on a node: a node is this machine."""
        return self.tools.curl

    def up(self) -> tuple[Step, ...]:
        """Return the step that creates the cluster; one of ours that has ended is started again instead."""
        (create,) = super().up()
        where = ("--name", self.cluster, "--kubeconfig", self.kubeconfig)
        return (replace(create, unless=Run((*self.program, "start", "cluster", *where))),)

    def on_node(self, *argv: Word, node: Word = "") -> Run | None:
        """Return a command on a node."""
        return Run((*self.program, "exec", node or self.nodes()[0], "--", *argv))

    def stop_node(self, node: str) -> Run | None:
        """Return the command that stops a node's kubelet and its containers."""
        return Run((*self.program, "stop", "node", node))

    def start_node(self, node: str) -> Run | None:
        """Return the command that starts them again."""
        return Run((*self.program, "start", "node", node))

    def _load(self) -> tuple[Run, ...]:
        return (Run((*self.program, "load", "image", self.settings.image, "--name", self.cluster)),)
