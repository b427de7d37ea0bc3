"""kind: a cluster whose nodes are containers. https://kind.sigs.k8s.io/docs/user/quick-start/"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kubetour.buildcontext import is_by_content
from kubetour.cgroups import allowed
from kubetour.manifests import kind_config, node_names, to_yaml
from kubetour.project import STATE
from kubetour.proofs.cluster import Ended, ImageOnNodes, NodesReady
from kubetour.providers.base import Provider
from kubetour.reference import in_registry
from kubetour.steps import Lookup, Run, Rung, Stage, Step, Word
from kubetour.text import Text

POD_NAME = "io.kubernetes.pod.name"  # the label by which kubelets tell the runtime whose container it is
NETWORK = "kind"  # https://kind.sigs.k8s.io/docs/user/known-issues/


@dataclass(frozen=True)
class Kind(Provider):
    """A kind cluster of our own, with a kubeconfig of its own: the user's is never written."""

    name: ClassVar[str] = "kind"
    owns_cluster: ClassVar[bool] = True
    serves_here: ClassVar[bool] = True
    in_containers: ClassVar[bool] = True  # its nodes are containers of the engine

    @property
    def program(self) -> tuple[str, ...]:
        """Return how the cluster's program is called: told the engine, where it would take another."""
        told = self.tools.kind_provider
        return (*(("env", f"KIND_EXPERIMENTAL_PROVIDER={told}") if told else ()), self.tools.kind)

    @property
    def cluster(self) -> str:
        """Return the cluster's name."""
        return self.settings.cluster_name

    @property
    def kubeconfig(self) -> str:
        """Return the kubeconfig's path, relative to the project."""
        return f"{STATE}/{self.name}-{self.cluster}.kubeconfig"

    @property
    def context(self) -> str:
        """Return the context's name, as `create cluster` gives it."""
        return f"{self.name}-{self.cluster}"

    @property
    def namespace(self) -> str:
        """Return the namespace: the cluster is ours, so the one that needs no flag."""
        return self.settings.namespace or "default"

    @property
    def node_port(self) -> int | None:
        """Return the node port that the config maps to this machine."""
        return self.ports.node

    @property
    def address_patience(self) -> float:
        """Return the same: none where cloud-provider-kind does not run, else until its Envoy is there."""
        return 60.0 if self.tools.gives_addresses else 0.0

    def rungs(self) -> tuple[Rung, ...]:
        """Return the ways to reach the Service: as kind maps a port of this machine, that one mostly holds.

        A load balancer's address is there where cloud-provider-kind runs. Where the engine runs on another
        machine, only a request from inside a node can get through.
        """
        port = Rung(Text("rung.host-port"), self.tools.curl, f"http://127.0.0.1:{self.ports.host}/")
        return self.by_load_balancer(), port, self.by_node(), *self._from_inside()

    def _from_inside(self) -> tuple[Rung, ...]:
        run = self.on_node(*self.node_curl)
        program = tuple(word for word in run.argv if isinstance(word, str)) if run else ()
        return (Rung(Text("rung.inside"), program, self.cluster_url(self.settings.name)),) if program else ()

    def nodes(self) -> tuple[str, ...]:
        """Return the nodes' names."""
        return node_names(self._config(), self.cluster)

    def on_node(self, *argv: Word, node: Word = "") -> Run | None:
        """Return a command in a node's container, by default the control plane's."""
        return Run((*self.engine, "exec", node or self.nodes()[0], *argv))

    def stop_container(self, pod: str) -> Run | None:
        """Return the command that has the runtime of the Pod's node end its container, at once."""
        find = f"crictl ps -q --label {POD_NAME}={pod}"
        return self.on_node(*self.node_root, "sh", "-c", f"crictl stop $({find})", node=self.node_of(pod))

    def node_of(self, pod: str) -> Lookup:
        """Return the name of the node that runs a Pod."""
        return Lookup(self.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}"))

    @property
    def node_root(self) -> tuple[str, ...]:
        """Return what makes a command on a node one of root's: in kind's nodes, everything is."""
        return ()

    def stop_node(self, node: str) -> Run | None:
        """Return the command that stops a node's container."""
        return Run((*self.engine, "stop", node))

    def start_node(self, node: str) -> Run | None:
        """Return the command that starts it again."""
        return Run((*self.engine, "start", node))

    def up(self) -> tuple[Step, ...]:
        """Return the one step that creates the cluster, in the background while the image is built."""
        name = ("--name", self.cluster)
        where = ("--kubeconfig", self.kubeconfig)
        options = (*name, *where, "--config", "-", *self.creation)
        create = Run((*self.program, "create", "cluster", *options), to_yaml(self._config()))
        return (
            Step(
                "create-cluster",
                Stage.CLUSTER,
                (create,),
                NodesReady(len(self.nodes()), ours=True),
                confirm=self._nodes_ready(),
                needs=("tools",),
                # Of a cluster that is there, this writes the kubeconfig, and fails if there is none.
                unless=Run((*self.program, "export", "kubeconfig", *name, *where)),
                exists=self._inspect() if self.in_containers else None,
                early=True,
                rescue=(*self.rescue(), self._delete()) if self.in_containers else (),
                creates=(f"{self.name}-cluster/{self.cluster}",),
                brings=((self._network, self._of_network("inspect")),) if self.in_containers else (),
            ),
        )

    @property
    def creation(self) -> tuple[str, ...]:
        """Return what else to tell `create cluster`: to leave the nodes of a failed one, for their logs.

        Not to wait until they are Ready: an image can be loaded before that, which is half the time.
        """
        image = ("--image", self.settings.node_image) if self.settings.node_image else ()
        return ("--retain", *image) if self.in_containers else ("--wait", f"{self.settings.timeout}s")

    def _nodes_ready(self) -> tuple[Run, ...]:
        """Return the command that waits for what `create cluster` has not waited for."""
        ready = ("wait", "--for=condition=Ready", "nodes", "--all", f"--timeout={self.settings.timeout}s")
        return (self.kubectl(*ready),) if self.in_containers else ()

    def rescue(self) -> tuple[Run, ...]:
        """Return the command that keeps the nodes' logs."""
        logs = ("export", "logs", f"{STATE}/logs/{self.context}", "--name", self.cluster)
        return (Run((*self.program, *logs)),) if self.in_containers else ()

    def image(self) -> tuple[Step, ...]:
        """Return the one step that loads the image, proved by each node's own container runtime.

        It begins while the nodes become Ready, as their runtime runs before that.
        """
        image = self.settings.image
        inspect = (self.on_node(*self._in_node(self._on_node_name()), node=node) for node in self.nodes())
        return (
            Step(
                "load",
                Stage.LOAD,
                self._load(),
                ImageOnNodes(image, self.nodes()),
                confirm=tuple(run for run in inspect if run is not None),
                needs=("build", *(step.id for step in self.up())),
                at_once=True,
                settled=is_by_content(image),
                early=True,
            ),
        )

    def down(self) -> tuple[Step, ...]:
        """Return the one step that deletes the cluster, proved by the list of clusters."""
        return (
            Step(
                "delete-cluster",
                Stage.DOWN,
                (self._delete(), Run(("rm", "-f", self.kubeconfig))),
                Ended((self.cluster, *self.nodes()), self.tools.volumes),
                confirm=(Run((*self.program, "get", "clusters")), *self._containers()),
                removes=(f"{self.name}-cluster/{self.cluster}",),
            ),
        )

    def volumes(self) -> tuple[Run, ...]:
        """Return the commands that name the volumes of each node's container."""
        template = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}'
        look = (*self.engine, "inspect", "--type", "container", "--format", template)
        return tuple(Run((*look, node)) for node in self.nodes()) if self.in_containers else ()

    def leftovers(self) -> tuple[Step, ...]:
        """Return the step that removes the engine's network, which kind makes for all clusters and keeps."""
        step = Step(
            "delete-network",
            Stage.DOWN,
            (self._of_network("rm"),),
            Ended((NETWORK,)),
            confirm=(Run((*self.engine, "network", "ls", "--format", "{{.Name}}")),),
            removes=(self._network,),
        )
        return (step,) if self.in_containers else ()

    @property
    def _network(self) -> str:
        return f"{self.engine_name}-network/{NETWORK}"

    def _of_network(self, verb: str) -> Run:
        return Run((*self.engine, "network", verb, NETWORK))

    def _delete(self) -> Run:
        where = ("--name", self.cluster, "--kubeconfig", self.kubeconfig)
        return Run((*self.program, "delete", "cluster", *where))

    def _inspect(self) -> Run:
        """Return the command that finds the control plane's container, running or not."""
        return Run((*self.engine, "inspect", "--type", "container", self.nodes()[0]))

    def _containers(self) -> tuple[Run, ...]:
        """Return the commands that list the nodes' containers, running or not, and the volumes they had."""
        mark = f"label=io.x-k8s.kind.cluster={self.cluster}"
        listing = Run((*self.engine, "ps", "-a", "--filter", mark, "--format", "{{.Names}}"))
        volumes = Run((*self.engine, "volume", "ls", "--format", "{{.Name}}"))
        return (listing, *((volumes,) if self.tools.volumes else ())) if self.in_containers else ()

    def _config(self) -> dict[str, object]:
        config = kind_config(dict(self.config), self.settings.workers, self.ports.host, self.ports.node)
        if self.tools.cgroup != 1:
            return config
        return allowed(config, self.tools.kind_version, self.settings.node_image)

    def _load(self) -> tuple[Run, ...]:
        image, name = self.settings.image, ("--name", self.cluster)
        if not (self.tools.containerd_store or self.tools.dialect.archive):
            return (Run((*self.program, "load", "docker-image", image, *name)),)
        # With the containerd store `docker save` writes an index for all platforms, of which only this
        # machine's is there, and the node's import fails: https://github.com/kubernetes-sigs/kind/issues/3795
        archive = f"{STATE}/image.tar"
        # podman adds to no archive that is there, and nerdctl does not cut a longer one off.
        remove = Run(("rm", "-f", archive))
        return (
            remove,
            self._save(archive),
            Run((*self.program, "load", "image-archive", archive, *name)),
            remove,
        )

    def _save(self, archive: str) -> Run:
        options = (*self.tools.save_flags, "-o", archive)
        return Run((*self.engine, "image", "save", *options, self.settings.image))

    def _in_node(self, image: str) -> tuple[str, ...]:
        """Return how a node's container runtime is asked for an image."""
        return ("crictl", "inspecti", image)

    def _on_node_name(self) -> str:
        """Return the image's name as containerd keeps it: with Docker Hub's parts written out."""
        image = self.settings.image
        return in_registry(image, "docker.io" if "/" in image else "docker.io/library")
