"""The table of resources: every name, scope, verb and subresource the API serves, in one place.

Registry, discovery, OpenAPI and the URL router all read it; none keeps a second list.
"""

from __future__ import annotations

from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
READ_WRITE = ("get", "patch", "update")


@dataclass(frozen=True)
class Subresource:
    """One subresource: its verbs, and the kind it speaks where that is not its parent's."""

    name: str
    verbs: tuple[str, ...] = READ_WRITE
    kind: str = ""
    group_version: str = ""


@dataclass(frozen=True)
class Resource:
    """One resource of one group and version, in the words of `kubectl api-resources`.

    `generation` says that metadata.generation counts changes of the wanted state; `returns_deleted` that
    DELETE answers with the object rather than with a Status.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    generation: bool = False
    returns_deleted: bool = False

    @property
    def api_version(self) -> str:
        """Return what objects carry as apiVersion: "v1", "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the name that messages use: "pods", "deployments.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """Return the kind as messages write it: "Pod", "Deployment.apps"."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def subresource(self, name: str) -> Subresource | None:
        """Return the subresource of that name, or None."""
        return next((sub for sub in self.subresources if sub.name == name), None)


STATUS = Subresource("status")
SCALE = Subresource("scale", kind="Scale", group_version="autoscaling/v1")
PROXY = "proxy"
_STREAM = ("create", "get")
_ANY = ("create", "delete", "get", "patch", "update")
_POD_SUBRESOURCES = (
    Subresource("attach", _STREAM, "PodAttachOptions", "v1"),
    Subresource("binding", ("create",), "Binding", "v1"),
    Subresource("eviction", ("create",), "Eviction", "policy/v1"),
    Subresource("exec", _STREAM, "PodExecOptions", "v1"),
    Subresource("log", ("get",)),
    Subresource("portforward", _STREAM, "PodPortForwardOptions", "v1"),
    Subresource(PROXY, _ANY, "PodProxyOptions", "v1"),
    STATUS,
)
_WORKLOAD = (SCALE, STATUS)
_ALL = ("all",)


def _core(kind: str, plural: str, singular: str, **more: object) -> Resource:
    return Resource("", "v1", kind, plural, singular, **more)  # type: ignore[arg-type]


def _volume(kind: str, short: str, *, namespaced: bool) -> Resource:
    more = {"namespaced": namespaced, "short_names": (short,), "subresources": (STATUS,)}
    return _core(kind, f"{kind.lower()}s", kind.lower(), **more, returns_deleted=True)


def _rbac(kind: str, plural: str, *, namespaced: bool) -> Resource:
    return Resource("rbac.authorization.k8s.io", "v1", kind, plural, kind.lower(), namespaced)


def _review(group: str, kind: str) -> Resource:
    """Return a question that is posted and answered, and never stored."""
    plural = f"{kind.lower()}s"
    return Resource(f"{group}.k8s.io", "v1", kind, plural, kind.lower(), namespaced=False, verbs=("create",))


RESOURCES: tuple[Resource, ...] = (
    _core("Binding", "bindings", "binding", verbs=("create",)),
    _core("ConfigMap", "configmaps", "configmap", short_names=("cm",)),
    _core("Endpoints", "endpoints", "endpoints", short_names=("ep",)),
    _core("Event", "events", "event", short_names=("ev",)),
    _core(
        "Namespace",
        "namespaces",
        "namespace",
        namespaced=False,
        short_names=("ns",),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
        subresources=(Subresource("finalize", ("update",)), STATUS),
    ),
    _core("Node", "nodes", "node", namespaced=False, short_names=("no",), subresources=(STATUS,)),
    _volume("PersistentVolumeClaim", "pvc", namespaced=True),
    _volume("PersistentVolume", "pv", namespaced=False),
    _core(
        "Pod",
        "pods",
        "pod",
        short_names=("po",),
        categories=_ALL,
        subresources=_POD_SUBRESOURCES,
        generation=True,
        returns_deleted=True,
    ),
    _core(
        "ReplicationController",
        "replicationcontrollers",
        "replicationcontroller",
        short_names=("rc",),
        categories=_ALL,
        subresources=_WORKLOAD,
        generation=True,
    ),
    _core("Secret", "secrets", "secret"),
    _core(
        "ServiceAccount",
        "serviceaccounts",
        "serviceaccount",
        short_names=("sa",),
        subresources=(Subresource("token", ("create",), "TokenRequest", "authentication.k8s.io/v1"),),
        returns_deleted=True,
    ),
    _core(
        "Service",
        "services",
        "service",
        short_names=("svc",),
        categories=_ALL,
        subresources=(Subresource(PROXY, _ANY, "ServiceProxyOptions", "v1"), STATUS),
        returns_deleted=True,
    ),
    Resource("apps", "v1", "ControllerRevision", "controllerrevisions", "controllerrevision"),
    Resource(
        "apps",
        "v1",
        "DaemonSet",
        "daemonsets",
        "daemonset",
        short_names=("ds",),
        categories=_ALL,
        subresources=(STATUS,),
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "Deployment",
        "deployments",
        "deployment",
        short_names=("deploy",),
        categories=_ALL,
        subresources=_WORKLOAD,
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "ReplicaSet",
        "replicasets",
        "replicaset",
        short_names=("rs",),
        categories=_ALL,
        subresources=_WORKLOAD,
        generation=True,
    ),
    Resource(
        "apps",
        "v1",
        "StatefulSet",
        "statefulsets",
        "statefulset",
        short_names=("sts",),
        categories=_ALL,
        subresources=_WORKLOAD,
        generation=True,
    ),
    Resource("events.k8s.io", "v1", "Event", "events", "event", short_names=("ev",)),
    _review("authentication", "SelfSubjectReview"),
    _review("authentication", "TokenReview"),
    _review("authorization", "SelfSubjectAccessReview"),
    _review("authorization", "SelfSubjectRulesReview"),
    Resource(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        short_names=("hpa",),
        categories=_ALL,
        subresources=(STATUS,),
    ),
    Resource(
        "autoscaling",
        "v1",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        short_names=("hpa",),
        categories=_ALL,
        subresources=(STATUS,),
    ),
    Resource(
        "batch",
        "v1",
        "CronJob",
        "cronjobs",
        "cronjob",
        short_names=("cj",),
        categories=_ALL,
        subresources=(STATUS,),
        generation=True,
    ),
    Resource("batch", "v1", "Job", "jobs", "job", categories=_ALL, subresources=(STATUS,), generation=True),
    Resource(
        "networking.k8s.io",
        "v1",
        "Ingress",
        "ingresses",
        "ingress",
        short_names=("ing",),
        subresources=(STATUS,),
        generation=True,
    ),
    Resource(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "poddisruptionbudget",
        short_names=("pdb",),
        subresources=(STATUS,),
        generation=True,
    ),
    _rbac("ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _rbac("ClusterRole", "clusterroles", namespaced=False),
    _rbac("RoleBinding", "rolebindings", namespaced=True),
    _rbac("Role", "roles", namespaced=True),
    Resource("coordination.k8s.io", "v1", "Lease", "leases", "lease"),
    Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice", generation=True),
)

# Events are one store seen through two groups, autoscalers through two versions; the first is what is stored.
_BY_PLURAL: dict[str, Resource] = {}
for _resource in RESOURCES:
    _BY_PLURAL.setdefault(_resource.plural, _resource)
_BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}


def by_plural(plural: str) -> Resource:
    """Return the stored resource with that plural name; KeyError if there is none."""
    return _BY_PLURAL[plural]


def by_path(group: str, version: str, plural: str) -> Resource | None:
    """Return the resource served at /apis/GROUP/VERSION/PLURAL ("" is the core group), or None."""
    return _BY_PATH.get((group, version, plural))


def group_versions() -> dict[str, list[str]]:
    """Return each group's versions, in serving order; the core group is ""."""
    groups: dict[str, list[str]] = {}
    for resource in RESOURCES:
        versions = groups.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    return groups
