"""What may change of a Pod after it was made: its images, little else."""

from __future__ import annotations

import copy

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, required
from kubetour.embedded.validation.pods import validate_pod_annotations

_ALLOWED = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)"
)


def validate_pod_update(new: Object, old: Object) -> list[FieldError]:
    """Return which changes of a Pod's spec an update may not make."""
    before, after = old.get("spec") or {}, copy.deepcopy(new.get("spec") or {})
    where = "metadata.annotations"
    errors = validate_pod_annotations(new["metadata"].get("annotations"), where)
    if validate_pod_annotations(old["metadata"].get("annotations"), where):
        errors = []  # what was wrong before may stay so
    for key in ("containers", "initContainers"):
        present, wanted = before.get(key) or [], after.get(key) or []
        if len(present) != len(wanted):
            errors.append(forbidden(f"spec.{key}", "pod updates may not add or remove containers"))
            return errors
        for index, (mine, theirs) in enumerate(zip(wanted, present, strict=True)):
            if not mine.get("image"):
                errors.append(required(f"spec.{key}[{index}].image"))
            mine["image"] = theirs.get("image")
    for toleration in before.get("tolerations") or []:
        if toleration not in (after.get("tolerations") or []):
            text = "existing toleration can not be modified except its tolerationSeconds"
            errors.append(forbidden("spec.tolerations", text))
            break
    known = {gate.get("name", "") for gate in before.get("schedulingGates") or []}
    for gate in after.get("schedulingGates") or []:
        name = gate.get("name", "")
        if name not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{name}'"
            errors.append(forbidden("spec.schedulingGates", text))
    for key in ("tolerations", "activeDeadlineSeconds", "schedulingGates"):
        after.pop(key, None)
        if key in before:
            after[key] = before[key]
    if after != before:
        text = f"pod updates may not change fields other than {_ALLOWED}"
        errors.append(forbidden("spec", text))
    return errors
