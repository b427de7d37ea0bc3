"""Validation, rule by rule and word by word as Kubernetes' own (k8s.io/kubernetes/pkg/apis/*/validation)."""

from __future__ import annotations

from collections.abc import Callable

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError
from kubetour.embedded.resources import Resource
from kubetour.embedded.validation import (
    batch,
    cluster,
    nodes,
    pod_update,
    pods,
    rbac,
    services,
    stateful_sets,
    stored,
    workloads,
)
from kubetour.embedded.validation.metadata import validate_metadata, validate_metadata_update
from kubetour.embedded.validation.status import validate_status

_CREATE: dict[str, Callable[[Object], list[FieldError]]] = {
    "clusterrolebindings": rbac.validate_binding,
    "clusterroles": rbac.validate_role,
    "configmaps": cluster.validate_config_map,
    "cronjobs": batch.validate_cron_job,
    "daemonsets": workloads.validate_daemon_set,
    "deployments": workloads.validate_deployment,
    "endpointslices": services.validate_endpoint_slice,
    "events": cluster.validate_event,
    "horizontalpodautoscalers": workloads.validate_autoscaler,
    "ingresses": stored.validate_ingress,
    "jobs": batch.validate_job,
    "leases": cluster.validate_lease,
    "namespaces": nodes.validate_namespace,
    "nodes": nodes.validate_node,
    "persistentvolumeclaims": stored.validate_claim,
    "persistentvolumes": stored.validate_volume,
    "poddisruptionbudgets": workloads.validate_disruption_budget,
    "pods": pods.validate_pod,
    "replicasets": workloads.validate_replica_set,
    "replicationcontrollers": stored.validate_replication_controller,
    "rolebindings": rbac.validate_binding,
    "roles": rbac.validate_role,
    "secrets": cluster.validate_secret,
    "services": services.validate_service,
    "statefulsets": stateful_sets.validate_stateful_set,
}
_UPDATE: dict[str, Callable[[Object, Object], list[FieldError]]] = {
    "clusterrolebindings": rbac.validate_binding_update,
    "configmaps": cluster.validate_immutable_data,
    "daemonsets": workloads.validate_selector_update,
    "deployments": workloads.validate_selector_update,
    "endpointslices": services.validate_endpoint_slice_update,
    "jobs": batch.validate_job_update,
    "nodes": nodes.validate_node_update,
    "persistentvolumeclaims": stored.validate_claim_update,
    "pods": pod_update.validate_pod_update,
    "replicasets": workloads.validate_selector_update,
    "rolebindings": rbac.validate_binding_update,
    "secrets": cluster.validate_secret_update,
    "services": services.validate_service_update,
    "statefulsets": stateful_sets.validate_stateful_set_update,
}


def validate_create(resource: Resource, obj: Object) -> list[FieldError]:
    """Return what is wrong with a new object."""
    errors = validate_metadata(resource, obj["metadata"])
    rule = _CREATE.get(resource.plural)
    return errors + (rule(obj) if rule else [])


def validate_update(resource: Resource, new: Object, old: Object, subresource: str = "") -> list[FieldError]:
    """Return what is wrong with an object that is to replace another."""
    errors = validate_metadata_update(new["metadata"], old["metadata"])
    errors += validate_metadata(resource, new["metadata"])
    if subresource == "status":
        return errors + validate_status(resource.plural, new, old)
    if subresource:
        return errors
    create, update = _CREATE.get(resource.plural), _UPDATE.get(resource.plural)
    # A Pod's spec was valid when it was made, and next to nothing of it may change.
    if create and resource.plural != "pods":
        errors += create(new)
    return errors + (update(new, old) if update else [])
