"""Rules of Jobs and CronJobs (k8s.io/kubernetes/pkg/apis/batch/validation)."""

from __future__ import annotations

import copy

from kubetour.embedded.api import Object
from kubetour.embedded.fielderrors import FieldError, invalid, required, unsupported
from kubetour.embedded.selectors import from_label_selector
from kubetour.embedded.validation.metadata import dns1123_label
from kubetour.embedded.validation.schedule import validate_schedule, validate_time_zone
from kubetour.embedded.validation.selector import validate_selector
from kubetour.embedded.validation.workloads import not_negative, validate_template

_POLICIES = ("Allow", "Forbid", "Replace")
_MODES = ("Indexed", "NonIndexed")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_RESTARTS = ("Never", "OnFailure")
_LONGEST_NAME = 52  # a Job's name has eleven characters more
_MOST_PARALLEL = 100_000
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_LABELS = ("controller-uid", "job-name")


def validate_cron_job(obj: Object) -> list[FieldError]:
    """Return what is wrong with a CronJob."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    schedule = spec.get("schedule", "")
    errors = validate_schedule(schedule, "spec.schedule") if schedule else [required("spec.schedule")]
    errors += not_negative(spec, "startingDeadlineSeconds")
    errors += validate_time_zone(spec.get("timeZone"), "spec.timeZone")
    policy = spec.get("concurrencyPolicy", "")
    if policy not in _POLICIES:
        errors.append(unsupported("spec.concurrencyPolicy", policy, _POLICIES))
    job, where = (spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec"
    errors += _job_spec(job, where)
    if "selector" in job:
        errors.append(invalid(f"{where}.selector", job["selector"], "`selector` will be auto-generated"))
    if job.get("manualSelector"):
        errors.append(unsupported(f"{where}.manualSelector", True, ("nil", "false")))
    errors += not_negative(spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    if len(name) > _LONGEST_NAME:
        errors.append(invalid("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters"))
    return errors


def validate_job(obj: Object) -> list[FieldError]:
    """Return what is wrong with a Job."""
    spec, metadata = obj.get("spec") or {}, obj["metadata"]
    selector, labels = spec.get("selector"), _labels(spec)
    errors = [] if spec.get("manualSelector") else _generated(spec, metadata)
    errors += _job_spec(spec, "spec")
    if selector is None:
        errors.append(required("spec.selector"))
    else:
        errors += validate_selector(selector, "spec.selector")
    if selector is None or not from_label_selector(selector).matches(labels):
        text = "`selector` does not match template `labels`"
        errors.append(invalid("spec.template.metadata.labels", dict(sorted(labels.items())) or None, text))
    if spec.get("completionMode") == "Indexed" and spec.get("completions", 0) > 0:
        last = f"{metadata.get('name', '')}-{spec['completions'] - 1}"
        if dns1123_label(last):
            text = f"will not able to create pod with invalid DNS label: {last}"
            errors.append(invalid("metadata.name", metadata.get("name", ""), text))
    return errors


def validate_job_update(new: Object, old: Object) -> list[FieldError]:
    """Return which changes of a Job an update may not make."""
    spec, before, errors = new.get("spec") or {}, old.get("spec") or {}, []
    if spec.get("completionMode") != "Indexed":
        errors += _immutable(spec, before, "completions")
    elif spec.get("completions") not in (None, before.get("completions"), spec.get("parallelism")):
        text = "can only be modified in tandem with spec.parallelism"
        errors.append(invalid("spec.completions", spec["completions"], text))
    errors += _immutable(spec, before, "selector")
    if _settled(before, spec) != spec.get("template"):
        errors.append(invalid("spec.template", spec.get("template"), "field is immutable"))
    fixed = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
    return errors + _immutable(spec, before, *fixed)


def _immutable(spec: Object, before: Object, *keys: str) -> list[FieldError]:
    return [
        invalid(f"spec.{key}", spec.get(key), "field is immutable")
        for key in keys
        if spec.get(key) != before.get(key)
    ]


def _settled(before: Object, spec: Object) -> Object | None:
    """Return the template that an update must leave: where a suspended Job's Pods run is not settled yet."""
    template: Object | None = before.get("template")
    if not template or not before.get("suspend"):
        return template
    template, wanted = copy.deepcopy(template), spec.get("template") or {}
    for part, keys in (("metadata", ("annotations", "labels")), ("spec", _SCHEDULING)):
        for key in keys:
            template.setdefault(part, {}).pop(key, None)
            if key in (wanted.get(part) or {}):
                template[part][key] = wanted[part][key]
    return template


_SCHEDULING = ("nodeSelector", "tolerations", "schedulingGates", "affinity")


def _labels(spec: Object) -> Object:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _generated(spec: Object, metadata: Object) -> list[FieldError]:
    """A selector that is made for a Job is by its uid, which its template's labels must have."""
    if spec.get("selector") is None:
        return []
    expected = dict(zip(_LABELS, (metadata.get("uid", ""), metadata.get("name", "")), strict=True))
    expected |= {f"batch.kubernetes.io/{key}": value for key, value in expected.items()}
    labels, errors, where = _labels(spec), [], "spec.template.metadata.labels"
    for key in (f"batch.kubernetes.io/{key}" for key in _LABELS):
        if key not in labels:
            errors.append(required(f"{where}[{key}]", f"must be '{expected[key]}'"))
        elif labels[key] != expected[key]:
            errors.append(
                invalid(f"{where}[{key}]", dict(sorted(labels.items())), f"must be '{expected[key]}'")
            )
    if not from_label_selector(spec["selector"]).matches(expected):
        errors.append(invalid("spec.selector", spec["selector"], "`selector` not auto-generated"))
    return errors


def _job_spec(spec: Object, field: str) -> list[FieldError]:
    errors = not_negative(spec, *_COUNTS, field=field)
    mode, parallel, most = spec.get("completionMode"), spec.get("parallelism"), spec.get("maxFailedIndexes")
    if most is not None and "backoffLimitPerIndex" not in spec:
        errors.append(required(f"{field}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if mode is not None and mode not in _MODES:
        errors.append(unsupported(f"{field}.completionMode", mode, _MODES))
    if mode == "Indexed":
        if "completions" not in spec:
            errors.append(required(f"{field}.completions", "when completion mode is Indexed"))
        elif most is not None and most > spec["completions"]:
            errors.append(
                invalid(f"{field}.maxFailedIndexes", most, "must be less than or equal to completions")
            )
        if parallel is not None and parallel > _MOST_PARALLEL:
            text = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
            errors.append(invalid(f"{field}.parallelism", parallel, text))
    elif mode in (None, "NonIndexed"):
        errors += [
            invalid(f"{field}.{key}", spec[key], "requires indexed completion mode")
            for key in ("backoffLimitPerIndex", "maxFailedIndexes")
            if spec.get(key) is not None
        ]
    replacement = spec.get("podReplacementPolicy")
    allowed = ("Failed",) if "podFailurePolicy" in spec else _REPLACEMENTS
    if replacement is not None and replacement not in allowed:
        errors.append(unsupported(f"{field}.podReplacementPolicy", replacement, allowed))
    return errors + _restarts(spec, f"{field}.template")


def _restarts(spec: Object, field: str) -> list[FieldError]:
    template = spec.get("template") or {}
    errors = validate_template(template, field)
    policy, where = (template.get("spec") or {}).get("restartPolicy", ""), f"{field}.spec.restartPolicy"
    if policy in ("", "Always"):
        errors.append(required(where, 'valid values: "OnFailure", "Never"'))
    elif policy not in _RESTARTS:
        errors.append(unsupported(where, policy, _RESTARTS))
    elif policy != "Never" and "podFailurePolicy" in spec:
        text = 'only "Never" is supported when podFailurePolicy is specified'
        errors.append(invalid(where, policy, text))
    return errors
