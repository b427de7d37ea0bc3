"""Who controls what: owner references made, adopted and given up as by controller_ref_manager.go."""

from __future__ import annotations

from collections.abc import Iterable

from kubetour.embedded.api import API, Object, StatusError
from kubetour.embedded.informer import controller_of
from kubetour.embedded.selectors import LabelSelector


def owner_reference(owner: Object, kind: str, api_version: str) -> Object:
    """Return the reference that makes `owner` the controller, which is deleted after what it controls."""
    metadata = owner["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claim(
    api: API,
    owners: str,
    reference: Object,
    selector: LabelSelector,
    resource: str,
    candidates: Iterable[Object],
) -> list[Object]:
    """Return those of the candidates that the object behind `reference` (of the resource `owners`) controls.

    An orphan that the selector matches is adopted; a dependent it no longer matches is released.
    """
    claimed: list[Object] = []
    may_adopt: bool | None = None
    for obj in candidates:
        metadata = obj["metadata"]
        controller = controller_of(obj)
        matches = selector.matches(metadata.get("labels"))
        if controller and controller["uid"] == reference["uid"]:
            if matches:
                claimed.append(obj)
            elif _lives(api, owners, reference, metadata["namespace"]):
                _release(api, resource, obj, reference)
        elif controller is None and matches and "deletionTimestamp" not in metadata:
            if may_adopt is None:
                # Asked of the API itself: a copy might not know yet that the owner is being deleted.
                may_adopt = _lives(api, owners, reference, metadata["namespace"])
            if may_adopt:
                claimed.append(_adopt(api, resource, obj, reference))
    return claimed


def _lives(api: API, owners: str, reference: Object, namespace: str) -> bool:
    try:
        owner = api.get(owners, reference["name"], namespace)["metadata"]
    except StatusError as error:
        if error.code != 404:
            raise
        return False
    return owner["uid"] == reference["uid"] and "deletionTimestamp" not in owner


def _adopt(api: API, resource: str, obj: Object, reference: Object) -> Object:
    references = [*(obj["metadata"].get("ownerReferences") or ()), reference]
    return _patch_references(api, resource, obj, references)


def _release(api: API, resource: str, obj: Object, reference: Object) -> None:
    kept = [item for item in obj["metadata"]["ownerReferences"] if item["uid"] != reference["uid"]]
    try:
        _patch_references(api, resource, obj, kept)
    except StatusError as error:
        # It went by itself, or is another by now: either way not ours.
        if error.code not in (404, 422):
            raise


def _patch_references(api: API, resource: str, obj: Object, references: list[Object]) -> Object:
    metadata = obj["metadata"]
    # With uid and resourceVersion, so that nobody else's reference is overwritten unseen.
    patch = {
        "metadata": {
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "ownerReferences": references,
        }
    }
    return api.patch(resource, metadata["name"], patch, metadata.get("namespace", ""))
