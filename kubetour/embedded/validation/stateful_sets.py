"""Rules of StatefulSets."""

from __future__ import annotations

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, forbidden, invalid
from kubetour.embedded.validation.stored import validate_claim
from kubetour.embedded.validation.workloads import not_negative, selected_template

# What may change of a StatefulSet's spec.
_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def validate_stateful_set(obj: Object) -> list[FieldError]:
    """Return what is wrong with a StatefulSet."""
    spec = obj.get("spec") or {}
    errors = not_negative(spec, "replicas", "minReadySeconds") + selected_template(
        _with_claims(spec), "statefulset"
    )
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or []):
        errors += validate_claim(claim, f"spec.volumeClaimTemplates[{index}].spec")
    policy = spec.get("podManagementPolicy", "")
    if policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid("spec.podManagementPolicy", policy, text))
    strategy = spec.get("updateStrategy") or {}
    kind, rolling, where = strategy.get("type", ""), strategy.get("rollingUpdate"), "spec.updateStrategy"
    if kind not in ("RollingUpdate", "OnDelete"):
        errors.append(invalid(where, strategy, "must be 'RollingUpdate' or 'OnDelete'"))
    elif kind == "OnDelete" and rolling is not None:
        text = "only allowed for updateStrategy 'RollingUpdate'"
        errors.append(invalid(f"{where}.rollingUpdate", rolling, text))
    return errors + not_negative(rolling or {}, "partition", field=f"{where}.rollingUpdate")


def _with_claims(spec: Object) -> Object:
    """Return the spec with a volume for each claim, as its Pods will have."""
    templates = spec.get("volumeClaimTemplates") or []
    claims = dict.fromkeys((claim.get("metadata") or {}).get("name", "") for claim in templates)
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    volumes = [volume for volume in pod.get("volumes") or [] if volume.get("name") not in claims]
    volumes += [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**spec, "template": {**template, "spec": {**pod, "volumes": volumes}}} if claims else spec


def validate_stateful_set_update(new: Object, old: Object) -> list[FieldError]:
    """Little of a StatefulSet may change: least of all what its claims are made from."""
    spec, before = dict(new.get("spec") or {}), dict(old.get("spec") or {})
    for key in _MUTABLE:
        spec.pop(key, None)
        before.pop(key, None)
    if spec == before:
        return []
    *most, last = (f"'{key}'" for key in _MUTABLE)
    listed = f"{', '.join(most)} and {last}"
    return [forbidden("spec", f"updates to statefulset spec for fields other than {listed} are forbidden")]
