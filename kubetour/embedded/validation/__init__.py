"""Validation, rule by rule and word by word as Kubernetes' own (k8s.io/kubernetes/pkg/apis/*/validation)."""

from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError
from kubetour.embedded.resources import Resource
from kubetour.embedded.validation.metadata import validate_metadata


def validate_create(resource: Resource, obj: Object) -> list[FieldError]:
    """Return what is wrong with a new object."""
    return validate_metadata(resource, obj["metadata"])


def validate_update(resource: Resource, new: Object, old: Object, subresource: str = "") -> list[FieldError]:
    """Return what is wrong with an object that is to replace another."""
    return validate_metadata(resource, new["metadata"])
