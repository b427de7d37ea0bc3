"""What a provider says, and the base of all: the cluster of a context that you already have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from kubetour.dialects import DIALECTS, Dialect
from kubetour.project import OWNER, PULL_SECRET, STATE
from kubetour.proofs.cluster import Ended, Owned
from kubetour.proofs.registry import Pushed
from kubetour.providers import pullsecret
from kubetour.reference import in_registry, is_local, registry_of
from kubetour.settings import Settings
from kubetour.skew import POLICY, Skew
from kubetour.steps import Lookup, Run, Rung, Stage, Step, Word
from kubetour.text import Text


@dataclass(frozen=True)
class Tools:
    """How the programs are called on this machine: found once, then plain data."""

    python: str
    kubectl: str = "kubectl"
    curl: tuple[str, ...] = ("curl",)
    bare_python: str = ""  # one that may have the standard library alone; "" where there is none
    engine: str = "docker"
    dialect: Dialect = DIALECTS["docker"]
    engine_version: str = ""
    kind: str = "kind"
    minikube: str = "minikube"
    minikube_flags: tuple[str, ...] = ()  # before the command: --rootless, where podman runs without root
    machines: tuple[str, ...] = ()  # the nodes that the minikube profile has already
    root: bool = False  # whether this user is root
    kind_provider: str = ""  # what kind must be told, so that it uses this engine
    kind_version: str = ""  # its default node image depends on it: see `cgroups`
    cgroup: int = 0  # the version of cgroups that the engine's machine has; 0: not known
    build_flags: tuple[str, ...] = ()
    save_flags: tuple[str, ...] = ()  # not empty where `save` must be told the platform
    containerd_store: bool = False
    gives_addresses: bool = False  # cloud-provider-kind runs beside kind
    volumes: tuple[str, ...] = ()  # of the nodes' containers, looked up before they are deleted

    @property
    def steady(self) -> tuple[str, ...]:
        """Return how the steady load is called; empty where it cannot run."""
        return self._module("steady")

    @property
    def forwarded(self) -> tuple[str, ...]:
        """Return how a command is run through a forwarded port; empty where that cannot be."""
        return self._module("forwarded")

    def _module(self, name: str) -> tuple[str, ...]:
        return (self.bare_python, "-m", f"kubetour.{name}") if self.bare_python else ()


@dataclass(frozen=True)
class Ports:
    """The ports on this machine and on the nodes."""

    container: int = 8080  # where the container of the run chapter is published
    host: int = 30080  # where the Service's node port is mapped to
    node: int = 30080  # the Service's node port


@dataclass(frozen=True)
class Provider:
    """Base: use the context you already have. It creates and deletes no cluster; images go to a registry.

    Everything here is data or returns data: nothing runs.
    """

    name: ClassVar[str] = "context"
    owns_cluster: ClassVar[bool] = False
    serves_here: ClassVar[bool] = False  # its API server listens on the loopback of where commands run
    skew: ClassVar[Skew] = POLICY  # how far kubectl may be from the API server

    settings: Settings
    tools: Tools
    ports: Ports
    config: Mapping[str, Any]  # the kind config, as a provider that makes a cluster needs it
    templates: Mapping[str, str]  # rendered manifests by name
    mark: str = ""  # a word of this session's own for requests to an app that is not ours; "" for ours

    @property
    def kubeconfig(self) -> str:
        """Return the kubeconfig's path relative to the project, or "" for the user's own."""
        return ""

    @property
    def context(self) -> str:
        """Return the kubeconfig context, which every command names."""
        return self.settings.context

    @property
    def namespace(self) -> str:
        """Return the namespace: one of its own, or of the student's own, on a cluster that is not ours."""
        return self.settings.namespace or "-".join(filter(None, (OWNER, self.settings.student)))

    @property
    def node_port(self) -> int | None:
        """Return the node port that the Service asks for, or None to leave it to the cluster."""
        return None

    @property
    def engine(self) -> tuple[str, ...]:
        """Return how the container engine is called."""
        return (self.tools.engine,)

    @property
    def engine_name(self) -> str:
        """Return the engine's name, as the ledger keeps it with images and containers."""
        return self.tools.dialect.name

    @property
    def container(self) -> str:
        """Return the name of the container in which the image runs before there is a cluster."""
        return "-".join(filter(None, (OWNER, self.settings.student, self.settings.name)))

    @property
    def address_patience(self) -> float:
        """Return the seconds in which a load balancer may give a Service its address."""
        return 120.0

    def rungs(self) -> tuple[Rung, ...]:
        """Return the ways to reach the Service, the best first: here, its load balancer, else a node."""
        return self.by_load_balancer(), self.by_node()

    def by_load_balancer(self) -> Rung:
        """Return the rung of the address that a load balancer has given, if one has."""
        template = (
            "{{with .status.loadBalancer.ingress}}{{with index . 0}}http://"
            f"{{{{if .ip}}}}{{{{.ip}}}}{{{{else}}}}{{{{.hostname}}}}{{{{end}}}}:{self.settings.port}/"
            "{{end}}{{end}}"
        )
        look = self.kubectl("get", "service", self.settings.name, "-o", f"go-template={template}")
        return Rung(Text("rung.load-balancer"), self.tools.curl, Lookup(look))

    def by_node(self) -> Rung:
        """Return the rung of the node port on the address of a node that runs one of the Pods.

        The Pods' status tells that address, so that nobody needs the right to read nodes.
        """
        template = (
            '{{$port := ""}}{{$host := ""}}{{range .items}}'
            '{{if eq .kind "Service"}}{{$port = (index .spec.ports 0).nodePort}}{{end}}'
            '{{if eq .kind "Pod"}}{{$host = .status.hostIP}}{{end}}'
            "{{end}}{{if and $host $port}}http://{{$host}}:{{$port}}/{{end}}"
        )
        kinds = ("get", "service,pod", "-l", f"app={self.settings.name}")
        return Rung(
            Text("rung.node"), self.tools.curl, Lookup(self.kubectl(*kinds, "-o", f"go-template={template}"))
        )

    def kubectl(self, *argv: Word, stdin: str | None = None) -> Run:
        """Return a kubectl command on this cluster, and no other."""
        where: tuple[str, ...] = ("--context", self.context)
        if self.kubeconfig:
            where = ("--kubeconfig", self.kubeconfig, *where)
        if self.namespace != "default":
            where = (*where, "--namespace", self.namespace)
        return Run((self.tools.kubectl, *where, *argv), stdin)

    def nodes(self) -> tuple[str, ...]:
        """Return the nodes' names, as far as they are known before the cluster is there."""
        return ()

    def on_node(self, *argv: Word, node: Word = "") -> Run | None:
        """Return a command that runs on a node, or None where none can be entered."""
        return None

    def stop_container(self, pod: str) -> Run | None:
        """Return a command by which a node's runtime ends a Pod's container; None where none can be asked."""
        return None

    def cluster_url(self, service: str) -> Lookup:
        """Return a Service's URL within the cluster."""
        look = self.kubectl("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
        return Lookup(look, "http://", f":{self.settings.port}/")

    @property
    def node_curl(self) -> tuple[str, ...]:
        """Return how curl is called on a node: kind's node image has one."""
        return ("curl",)

    def stop_node(self, node: str) -> Run | None:
        """Return the command that makes a node fail, or None where that is not ours to do."""
        return None

    def start_node(self, node: str) -> Run | None:
        """Return the command that brings such a node back; of one that runs, it does nothing."""
        return None

    def up(self) -> tuple[Step, ...]:
        """Return the steps that bring the cluster up."""
        return ()

    def push(self) -> Step:
        """Return the step that pushes the image to the registry that its name, or else the setting, says.

        Its digest there proves it. Where no engine prints that, it is asked for.
        """
        own, registry, dialect = self.settings.image, self.settings.registry, self.tools.dialect
        image = in_registry(own.removeprefix(f"{dialect.local}/"), registry) if registry else own
        to_file = ("--digestfile", f"{STATE}/digest") if dialect.digest_file else ()
        digests = (*self.engine, "image", "inspect", "--format", "{{json .RepoDigests}}", image)
        unchecked = dialect.push_local if is_local(registry_of(image)) else ()
        push = Run((*self.engine, "push", *unchecked, *to_file, image))
        ask = Run(("cat", to_file[1]) if to_file else digests)
        step = Step("push", Stage.LOAD, (push,), Pushed(image), confirm=(ask,), needs=("build",))
        if image == own:
            return step
        tag = Run((*self.engine, "tag", own, image))
        return replace(step, actions=(tag, push), creates=(f"{self.engine_name}-image/{image}",))

    def image(self) -> tuple[Step, ...]:
        """Return the steps that bring the image to where the nodes get it from, and let them."""
        namespace = Step(
            "namespace",
            Stage.LOAD,
            (self.kubectl("apply", "-f", "-", stdin=self.templates["namespace"]),),
            Owned(self.namespace, self.context),
            needs=("nodes",),
            unless=self.kubectl("get", "namespace", self.namespace),
            creates=(f"namespace/{self.context}/{self.namespace}",),
        )
        file = self.settings.pull_secret
        secret = pullsecret.make(self.kubectl, file, self._secret_entry) if file else ()
        return self.push(), namespace, *secret

    def rescue(self) -> tuple[Run, ...]:
        """Return what to run where a step in the cluster fails, to keep what tells why."""
        return ()

    def volumes(self) -> tuple[Run, ...]:
        """Return the commands that name the volumes which have to go with the cluster."""
        return ()

    def leftovers(self) -> tuple[Step, ...]:
        """Return the steps that remove what came along with a cluster, if the ledger names it."""
        return ()

    def down(self) -> tuple[Step, ...]:
        """Return the steps that remove what holds the app: here, its namespace, or the secret in it."""
        # Asked for by its name: to list all namespaces is more than a user of one may do.
        # Among them, which finalizers it waits for.
        conditions = '{range .status.conditions[*]}{.reason}: {.message}{"\\n"}{end}'
        asked = ("get", "namespace", self.namespace, "--ignore-not-found", "-o", "name")
        return (
            pullsecret.take_back(self.kubectl, self._secret_entry),
            Step(
                "delete-namespace",
                Stage.DOWN,
                (self.kubectl("delete", "namespace", self.namespace, f"--timeout={self.settings.timeout}s"),),
                Ended((f"namespace/{self.namespace}",)),
                confirm=(self.kubectl(*asked),),
                rescue=(self.kubectl("get", "namespace", self.namespace, "-o", f"jsonpath={conditions}"),),
                removes=(f"namespace/{self.context}/{self.namespace}", self._secret_entry),
            ),
        )

    @property
    def _secret_entry(self) -> str:
        """Return how the ledger names the pull secret."""
        return f"secret/{self.context}/{self.namespace}/{PULL_SECRET}"
