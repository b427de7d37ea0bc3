"""What people get wrong in Jobs and CronJobs, in Kubernetes' own words."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import Object
from kubetour.embedded.registry import Registry
from kubetour.embedded.validation.schedule import validate_schedule, validate_time_zone
from tests.embedded.test_validation import CONTAINER, NOT_NEGATIVE, causes, changed, registry

__all__ = ["registry"]
JOB: Object = {
    "metadata": {"name": "n"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}},
}
CRON: Object = {
    "metadata": {"name": "n"},
    "spec": {"schedule": "@daily", "jobTemplate": {"spec": JOB["spec"]}},
}
TEMPLATE = "spec.template.metadata.labels"


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("*/5 0-6,22 1,15 JAN-mar ?", ""),
        ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* 9-5 * * *", "beginning of range (9) beyond end of range (5): 9-5"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/2/3 * * * *", "too many slashes: */2/3"),
        ("* * * XYZ *", 'failed to parse int from XYZ: strconv.Atoi: parsing "XYZ": invalid syntax'),
        ("-1 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'),
        ("0 3 * * * *", "expected exactly 5 fields, found 6: [0 3 * * * *]"),
        pytest.param(
            f"{'9' * 5000} * * * *",
            f'failed to parse int from {"9" * 5000}: strconv.Atoi: parsing "{"9" * 5000}": value out of range',
            id="no int has so many digits",
        ),
        ("@every 1h30m", ""),
        ("@every day", 'failed to parse duration @every day: time: invalid duration "day"'),
        ("@noon", "unrecognized descriptor: @noon"),
    ],
)
def test_a_schedule_is_read_as_cron_reads_it(schedule: str, problem: str) -> None:
    found = [error.detail for error in validate_schedule(schedule, "spec.schedule")]
    assert found == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("zone", "problem"),
    [
        (None, ""),
        ("Etc/UTC", ""),
        ("", "timeZone must be nil or non-empty string"),
        ("Europe/../Paris", "unknown time zone Europe/../Paris"),
        ("-x", "unknown time zone -x"),
        ("Local", "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"),
    ],
)
def test_a_time_zone_is_one_of_iana(zone: str | None, problem: str) -> None:
    found = [error.detail for error in validate_time_zone(zone, "spec.timeZone")]
    assert found == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.startingDeadlineSeconds", -1, [f"spec.startingDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}"]),
        ("spec.failedJobsHistoryLimit", -1, [f"spec.failedJobsHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
        ("spec.jobTemplate.spec.manualSelector", True, ['spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "false", "nil"']),
        ("spec.jobTemplate.spec.backoffLimit", -1, [f"spec.jobTemplate.spec.backoffLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
    ],
)  # fmt: skip
def test_a_cron_job_is_refused_with_the_reason(
    registry: Registry, path: str, value: Any, expected: list[str]
) -> None:
    assert causes(lambda: registry.create("cronjobs", changed(CRON, path, value), "default")) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.template.spec.restartPolicy", "Always", ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        ("spec.completionMode", "Sorted", ['spec.completionMode: Unsupported value: "Sorted": supported values: "Indexed", "NonIndexed"']),
        ("spec", {**JOB["spec"], "completionMode": "Indexed", "parallelism": 2}, ["spec.completions: Required value: when completion mode is Indexed"]),
        ("spec", {**JOB["spec"], "backoffLimitPerIndex": 1}, ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
        ("spec.podReplacementPolicy", "Soon", ['spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed"']),
        ("spec", {**JOB["spec"], "manualSelector": True}, ["spec.selector: Required value", f"{TEMPLATE}: Invalid value: null: `selector` does not match template `labels`"]),
    ],
)  # fmt: skip
def test_a_job_is_refused_with_the_reason(
    registry: Registry, path: str, value: Any, expected: list[str]
) -> None:
    assert causes(lambda: registry.create("jobs", changed(JOB, path, value), "default")) == expected


def test_a_job_s_own_selector_must_be_asked_for(registry: Registry) -> None:
    own = changed(JOB, "spec.selector", {"matchLabels": {"a": "b"}})
    own["spec"]["template"]["metadata"] = {"labels": {"a": "b"}}
    (cause,) = causes(lambda: registry.create("jobs", own, "default"))
    assert cause.startswith('spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/')
    assert cause.endswith(": `selector` not auto-generated")
    asked = registry.create("jobs", changed(own, "spec.manualSelector", True), "default")
    assert asked["spec"]["selector"] == {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(
    ("suspended", "change", "expected"),
    [
        (False, {"spec": {"parallelism": 3, "suspend": True, "backoffLimit": 1}}, []),
        (False, {"spec": {"completions": 3}}, ["spec.completions: Invalid value: 3: field is immutable"]),
        (False, {"spec": {"backoffLimitPerIndex": None, "completionMode": "Indexed"}}, ['spec.completionMode: Invalid value: "Indexed": field is immutable']),
        (False, {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}, ["spec.template"]),
        (True, {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}, []),
        (True, {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}, ["spec.template"]),
    ],
)  # fmt: skip
def test_little_of_a_job_changes(
    registry: Registry, suspended: bool, change: Object, expected: list[str]
) -> None:
    registry.create("jobs", changed(JOB, "spec.suspend", suspended), "default")
    if not expected:
        registry.patch("jobs", "n", change, "default")
        return
    found = causes(lambda: registry.patch("jobs", "n", change, "default"))
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


def test_jobs_are_selected_by_how_many_pods_succeeded(registry: Registry) -> None:
    registry.create("jobs", JOB, "default")
    assert len(registry.list("jobs", fields="status.successful=0").items) == 1
    registry.patch("jobs", "n", {"status": {"succeeded": 1}}, "default", subresource="status")
    assert len(registry.list("jobs", fields="status.successful=1").items) == 1


def test_of_a_stateful_set_what_makes_its_claims_stays(registry: Registry) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, "serviceName": "s"}
    registry.create("statefulsets", {"metadata": {"name": "n"}, "spec": spec}, "default")
    registry.patch("statefulsets", "n", {"spec": {"replicas": 3, "minReadySeconds": 1}}, "default")
    (cause,) = causes(lambda: registry.patch("statefulsets", "n", {"spec": {"serviceName": "t"}}, "default"))
    assert cause == (
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    )
