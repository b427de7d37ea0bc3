"""minikube: a cluster in a profile of our own. https://minikube.sigs.k8s.io/docs/"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kubetour.project import NODE_OWNED_BY, OWNER, STATE
from kubetour.proofs.cluster import NodesJoined, NodesReady, ProfileEnded
from kubetour.providers.kind import Kind
from kubetour.steps import Lookup, Run, Rung, Stage, Step, Word
from kubetour.text import Text


@dataclass(frozen=True)
class Minikube(Kind):
    """A minikube profile whose nodes are containers: the driver is the engine that builds the image.

    Its images and downloads stay where the user's other profiles have them, in MINIKUBE_HOME.
    """

    name: ClassVar[str] = "minikube"
    serves_here: ClassVar[bool] = False  # but, on Linux, on an address of the engine's network
    in_containers: ClassVar[bool] = False  # with kind's network and labels, as kind's nodes are

    @property
    def program(self) -> tuple[str, ...]:
        """Return how minikube is called."""
        return (self.tools.minikube, *self.tools.minikube_flags)

    @property
    def context(self) -> str:
        """Return the context's name: minikube gives it the profile's."""
        return self.cluster

    def rungs(self) -> tuple[Rung, ...]:
        """Return the ways to reach the Service: the port that the engine has published mostly holds.

        Which one it is, the engine chooses each time the node's container starts. Thus nothing is needed of
        `minikube service` and `minikube tunnel`, which stay in the foreground and may ask for a password;
        where someone runs the tunnel, its address comes first.
        """
        port = Run((*self.engine, "port", self.nodes()[0], f"{self.ports.node}/tcp"))
        published = Rung(Text("rung.published-port"), self.tools.curl, Lookup(port, "http://", "/"))
        return self.by_load_balancer(), published, self.by_node()

    def nodes(self) -> tuple[str, ...]:
        """Return the nodes' names: those that are there, and as many more as were asked for.

        The first is called as the profile, and the others count from m02 on.
        """
        names = list(self.tools.machines) or [self.cluster]
        last = re.search(r"-m(\d+)$", names[-1].removeprefix(self.cluster))
        number = int(last[1]) if last else 1
        while len(names) < len(super().nodes()):
            number += 1
            names.append(f"{self.cluster}-m{number:02d}")
        return tuple(names)

    def on_node(self, *argv: Word, node: Word = "") -> Run | None:
        """Return a command on a node, by default the first: a shell there gets it as one line."""
        words = (_for_shell(word) if isinstance(word, str) else word for word in argv)
        return Run((*self._minikube("ssh"), "-n", node or self.nodes()[0], "--", *words))

    def stop_node(self, node: str) -> Run | None:
        """Return the command that stops a node's machine."""
        return Run((*self._minikube("node"), "stop", node))

    def start_node(self, node: str) -> Run | None:
        """Return the command that starts it again."""
        return self._with_kubeconfig("node", "start", node)

    def up(self) -> tuple[Step, ...]:
        """Return the step that starts the cluster, and one that adds nodes if it has fewer than asked for.

        minikube cannot label nodes, so the ownership mark is a command of its own; and `start` takes any
        profile of that name, so one is only started if the ledger has it.
        """
        label = self.kubectl("label", "nodes", "--all", f"{NODE_OWNED_BY}={OWNER}")
        there, wanted = len(self.tools.machines), len(self.nodes())
        create = Step(
            "create-cluster",
            Stage.CLUSTER,
            (self._start(there or wanted), label),
            NodesReady(there or wanted, ours=True),
            needs=("tools",),
            # Of a cluster that runs, this writes the kubeconfig, and fails if it does not run.
            unless=self._with_kubeconfig("update-context"),
            exists=Run((*self._minikube("node"), "list")),
            early=True,
            rescue=self.rescue(),
            creates=(f"{self.name}-cluster/{self.cluster}",),
        )
        if not there or wanted == there:
            return (create,)
        add = self._with_kubeconfig("node", "add")
        more = Step(
            "add-nodes",
            Stage.CLUSTER,
            (*(add for _ in range(wanted - there)), label),
            NodesJoined(wanted),
            needs=("create-cluster",),
        )
        return create, more

    def rescue(self) -> tuple[Run, ...]:
        """Return the commands that keep the logs. What a failed start has left, the next one goes on with."""
        logs = f"{STATE}/logs"
        keep = Run((*self._minikube("logs"), "--file", f"{logs}/{self.name}-{self.cluster}.txt"))
        return Run(("mkdir", "-p", logs)), keep

    def down(self) -> tuple[Step, ...]:
        """Return the one step that deletes the profile and its kubeconfig, proved by the list of profiles."""
        return (
            Step(
                "delete-cluster",
                Stage.DOWN,
                (self._with_kubeconfig("delete"), Run(("rm", "-f", self.kubeconfig))),
                ProfileEnded(self.cluster),
                confirm=(Run((*self.program, "profile", "list", "-o", "json")),),
                removes=(f"{self.name}-cluster/{self.cluster}",),
            ),
        )

    def _start(self, nodes: int) -> Run:
        """Return the command that creates the profile, or starts it again.

        The published port has no number of this machine's: with one, only a single node could start, as
        minikube gives it to every node: https://github.com/kubernetes/minikube/issues/16766
        """
        options = (
            *("--driver", self.tools.engine, "--nodes", str(nodes)),
            *("--container-runtime", "containerd", "--ports", f"127.0.0.1::{self.ports.node}"),
            *("--wait", "all", "--wait-timeout", f"{self.settings.timeout}s"),
            *("--embed-certs", "--interactive=false"),
        )
        force = ("--force",) if self.tools.root else ()  # without it, minikube refuses to run as root
        return self._with_kubeconfig("start", *options, *force)

    def _load(self) -> tuple[Run, ...]:
        # By its name, minikube would look for the image in Docker alone, and keep a copy in its own cache.
        archive = f"{STATE}/image.tar"
        remove = Run(("rm", "-f", archive))
        return remove, self._save(archive), Run((*self._minikube("image"), "load", archive)), remove

    @property
    def node_root(self) -> tuple[str, ...]:
        """Return sudo, which its nodes let everybody use."""
        return ("sudo",)

    def _in_node(self, image: str) -> tuple[str, ...]:
        return (*self.node_root, *super()._in_node(image))

    def _minikube(self, *command: str) -> tuple[str, ...]:
        return (*self.program, "-p", self.cluster, *command)

    def _with_kubeconfig(self, *command: str) -> Run:
        """Return a command of minikube's that writes a kubeconfig: it asks the environment which one."""
        return Run(("env", f"KUBECONFIG={self.kubeconfig}", *self._minikube(*command)))


def _for_shell(word: str) -> str:
    """Return a word for the shell on a node, which gets all words joined by blanks."""
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", word)
