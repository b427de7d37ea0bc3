"""What is checked of a request before its object is looked at: its namespace, and its preconditions."""

from __future__ import annotations

import json
from dataclasses import replace

from kubetour.embedded import apierrors, names, podsecurity_admission
from kubetour.embedded.api import Object, StatusError
from kubetour.embedded.deletion import DeleteOptions
from kubetour.embedded.etcd import KeyValue, Store
from kubetour.embedded.listing import prefix
from kubetour.embedded.resources import Resource, by_plural

# Where Kubernetes keeps what it does not keep by its plural.
_STORED_AT = {"endpoints": "services/endpoints", "nodes": "minions", "services": "services/specs"}
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
# The NamespaceLifecycle admission plugin's immortal namespaces.
_IMMORTAL = ("default", "kube-system", "kube-public")


def settle_namespace(resource: Resource, metadata: Object, namespace: str) -> None:
    """Set a new object's namespace from the request's; 400 where they differ or neither names one."""
    if not resource.namespaced:
        metadata.pop("namespace", None)
        return
    given = metadata.setdefault("namespace", namespace)
    if not given:
        raise apierrors.bad_request("an empty namespace may not be set during creation")
    if namespace and given != namespace:
        raise misplaced("namespace", given, namespace)


def misplaced(field: str, given: str, wanted: str) -> StatusError:
    """Return the 400 for an object whose name or namespace is not the URL's."""
    if field == "namespace":
        text = "the namespace of the provided object does not match the namespace sent on the request"
        return apierrors.bad_request(text)
    return apierrors.bad_request(
        f"the name of the object ({given}) does not match the name on the URL ({wanted})"
    )


def admit(resource: Resource, obj: Object, namespace: KeyValue, store: Store) -> None:
    """Refuse what a namespace does not let in."""
    check_open(resource, obj["metadata"].get("name", ""), namespace)
    check_security(resource, obj, namespace)
    if resource.plural == "pods":
        check_account(resource, obj, store)
        check_classes(resource, obj)


def check_account(resource: Resource, pod: Object, store: Store) -> None:
    """Refuse a Pod of a ServiceAccount that is not there; `default` soon is, where it is not yet."""
    name, space = pod["spec"]["serviceAccountName"], pod["metadata"]["namespace"]
    if name == "default" or store.get(f"{prefix(by_plural('serviceaccounts'), space)}{name}") is not None:
        return
    why = f'error looking up service account {space}/{name}: serviceaccount "{name}" not found'
    raise apierrors.forbidden(resource, _asked_name(pod["metadata"]), why)


def check_classes(resource: Resource, pod: Object) -> None:
    """Refuse a Pod of a class that is not there: there are none but Kubernetes' own two of priority."""
    spec = pod["spec"]
    name = spec.get("priorityClassName", "")
    if name and name not in _PRIORITIES:
        why = f"no PriorityClass with name {name} was found"
        raise apierrors.forbidden(resource, _asked_name(pod["metadata"]), why)
    wanted = _PRIORITIES.get(name, 0)
    if spec.get("priority", 0) not in (0, wanted):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {wanted} from the given PriorityClass name"
        )
        raise apierrors.forbidden(resource, _asked_name(pod["metadata"]), why)
    spec["priority"] = wanted
    if name := spec.get("runtimeClassName"):
        why = f'pod rejected: RuntimeClass "{name}" not found'
        raise apierrors.forbidden(resource, _asked_name(pod["metadata"]), why)


def _asked_name(metadata: Object) -> str:
    """Return the name as it was when plugins that may still change the object looked: not generated yet."""
    name, base = str(metadata["name"]), str(metadata.get("generateName", ""))
    return base if base and name.startswith(base) and len(name) == len(base) + names.SUFFIX else name


def check_open(resource: Resource, name: str, namespace: KeyValue) -> None:
    """Refuse new content in a namespace that is being terminated."""
    # The text is searched first: parsing it for every object made would be the most costly part of making it.
    if '"deletionTimestamp"' not in namespace.value:
        return
    metadata = json.loads(namespace.value)["metadata"]
    if "deletionTimestamp" not in metadata:
        return
    space = metadata["name"]
    why = f"unable to create new content in namespace {space} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {space} is being terminated",
        "field": "metadata.namespace",
    }
    raise apierrors.forbidden(resource, name, why, {"causes": [cause]})


def check_security(resource: Resource, obj: Object, namespace: KeyValue) -> None:
    """Refuse a Pod that the namespace's Pod Security level does not let in."""
    if resource.plural != "pods" or podsecurity_admission.ENFORCE not in namespace.value:
        return
    labels = json.loads(namespace.value)["metadata"].get("labels") or {}
    if why := podsecurity_admission.refusal(labels.get(podsecurity_admission.ENFORCE, ""), obj):
        raise apierrors.forbidden(resource, obj["metadata"].get("name", ""), why)


def check_deletable(resource: Resource, obj: Object, revision: int, options: DeleteOptions) -> None:
    """Check a delete's preconditions, and that the object is not a namespace the cluster lives in."""
    name = obj["metadata"]["name"]
    found = {"UID": obj["metadata"]["uid"], "ResourceVersion": str(revision)}
    asked = {"UID": options.uid, "ResourceVersion": options.resource_version}
    why = {"UID": "deleted and then recreated", "ResourceVersion": "modified"}
    for what, value in asked.items():
        if value not in ("", found[what]):
            raise apierrors.conflict(
                replace(resource, plural=resource.kind),  # as Kubernetes has it here
                name,
                f"the {what} in the precondition ({value}) does not match the {what} in record "
                f"({found[what]}). The object might have been {why[what]}",
            )
    if resource.plural == "namespaces" and name in _IMMORTAL:
        raise apierrors.forbidden(resource, name, "this namespace may not be deleted")


def check_uid(resource: Resource, obj: Object, uid: str) -> None:
    """409 where a writer means another object of the same name; an empty uid means whichever there is."""
    actual = obj["metadata"]["uid"]
    if uid not in ("", actual):
        metadata = obj["metadata"]
        parts = (
            _STORED_AT.get(resource.plural, resource.plural),
            metadata.get("namespace"),
            metadata["name"],
        )
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{'/'.join(filter(None, parts))}, "
            f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
            f"UID in object meta: {actual}"
        )
        raise apierrors.conflict(resource, metadata["name"], why)
