"""Where Pods may run and as whom: what people get wrong, in Kubernetes' own words."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.api import StatusError
from kubetour.embedded.registry import Registry
from tests.embedded.test_validation import C0, POD, causes, changed, registry

__all__ = ["registry"]
NEEDED = "requiredDuringSchedulingIgnoredDuringExecution"
LIKED = "preferredDuringSchedulingIgnoredDuringExecution"
NODES = f"spec.affinity.nodeAffinity.{NEEDED}.nodeSelectorTerms"
PODS = f"spec.affinity.podAntiAffinity.{NEEDED}[0].topologyKey"
SPREAD = "spec.topologySpreadConstraints[0]"
HOST = "kubernetes.io/hostname"
ID = "must be between 0 and 2147483647, inclusive"


def node_terms(**expression: Any) -> Any:
    terms = [{"matchExpressions": [{"key": "a", **expression}]}]
    return {"nodeAffinity": {NEEDED: {"nodeSelectorTerms": terms}}}


def spread(**fields: Any) -> Any:
    return [{"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", **fields}]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.affinity", {"nodeAffinity": {NEEDED: {"nodeSelectorTerms": []}}}, [f"{NODES}: Required value: must have at least one node selector term"]),
        ("spec.affinity", node_terms(operator="Is"), [f'{NODES}[0].matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator']),
        ("spec.affinity", node_terms(operator="In"), [f"{NODES}[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"]),
        ("spec.affinity", node_terms(operator="Exists", values=["b"]), [f"{NODES}[0].matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"]),
        ("spec.affinity", node_terms(operator="Gt", values=["1", "2"]), [f"{NODES}[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"]),
        ("spec.affinity", {"nodeAffinity": {LIKED: [{"weight": 101, "preference": {}}]}}, [f"spec.affinity.nodeAffinity.{LIKED}[0].weight: Invalid value: 101: must be in the range 1-100"]),
        ("spec.affinity", {"podAntiAffinity": {NEEDED: [{"topologyKey": ""}]}}, [f"{PODS}: Required value: can not be empty", f'{PODS}: Invalid value: "": name part must be non-empty', f'{PODS}: Invalid value: "": name part must consist of']),
        ("spec.affinity", {"podAffinity": {LIKED: [{"weight": 0, "podAffinityTerm": {"topologyKey": HOST}}]}}, [f"spec.affinity.podAffinity.{LIKED}[0].weight: Invalid value: 0: must be in the range 1-100"]),
        ("spec.topologySpreadConstraints", spread(maxSkew=0), [f"{SPREAD}.maxSkew: Invalid value: 0: must be greater than zero"]),
        ("spec.topologySpreadConstraints", spread(whenUnsatisfiable="Maybe"), [f'{SPREAD}.whenUnsatisfiable: Unsupported value: "Maybe": supported values: "DoNotSchedule", "ScheduleAnyway"']),
        ("spec.topologySpreadConstraints", spread(topologyKey=""), [f"{SPREAD}.topologyKey: Required value: can not be empty"]),
        ("spec.topologySpreadConstraints", spread() + spread(), [f'spec.topologySpreadConstraints[1].{{topologyKey, whenUnsatisfiable}}: Duplicate value: "{{{HOST}, DoNotSchedule}}"']),
        ("spec.topologySpreadConstraints", spread(minDomains=2, whenUnsatisfiable="ScheduleAnyway"), [f"{SPREAD}.minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"]),
        ("spec.securityContext", {"runAsUser": -1, "supplementalGroups": [-2]}, [f"spec.securityContext.runAsUser: Invalid value: -1: {ID}", f"spec.securityContext.supplementalGroups[0]: Invalid value: -2: {ID}"]),
        ("spec.securityContext", {"seccompProfile": {"type": "None"}}, ['spec.securityContext.seccompProfile.type: Unsupported value: "None": supported values: "Localhost", "RuntimeDefault", "Unconfined"']),
        ("spec.containers.0.securityContext", {"privileged": True, "allowPrivilegeEscalation": False}, [f'{C0}.securityContext: Invalid value: {{"privileged":true,"allowPrivilegeEscalation":false}}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true']),
        ("spec.dnsPolicy", "None", ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
        ("spec.dnsConfig", {"nameservers": ["x"]}, ['spec.dnsConfig.nameservers[0]: Invalid value: "x": must be a valid IP address']),
        ("spec.schedulingGates", [{"name": "a"}, {"name": "a"}], ['spec.schedulingGates[1]: Duplicate value: "a"']),
        ("spec.readinessGates", [{"conditionType": "a b"}], ['spec.readinessGates[0].conditionType: Invalid value: "a b"']),
        ("spec.ephemeralContainers", [{"name": "e", "image": "x"}], ["spec.ephemeralContainers: Forbidden: cannot be set on create"]),
        ("spec.volumes", [{"name": "v", "persistentVolumeClaim": {}}], ["spec.volumes[0].persistentVolumeClaim.claimName: Required value"]),
        ("spec.volumes", [{"name": "v", "emptyDir": {"sizeLimit": "-1"}}], ["spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"]),
        ("spec.volumes", [{"name": "v", "configMap": {"name": "c", "defaultMode": 512, "items": [{"path": "../x"}, {"key": "k", "path": "/y"}]}}], ["spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive", "spec.volumes[0].configMap.items[0].key: Required value", "spec.volumes[0].configMap.items[0].path: Invalid value: \"../x\": must not contain '..'", "spec.volumes[0].configMap.items[0].path: Invalid value: \"../x\": must not start with '..'", 'spec.volumes[0].configMap.items[1].path: Invalid value: "/y": must be a relative path']),
        ("spec.hostAliases", [{"ip": "x", "hostnames": ["a_b"]}], ['spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address', 'spec.hostAliases[0].hostnames: Invalid value: "a_b"']),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_pods_place_is_named(
    registry: Registry, path: str, value: Any, expected: list[str]
) -> None:
    found = causes(lambda: registry.create("pods", changed(POD, path, value), "default"))
    assert [text[: len(start)] for text, start in zip(found, expected, strict=True)] == expected


def test_a_place_that_is_right_is_taken(registry: Registry) -> None:
    liked = [{"weight": 100, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]
    pod = changed(
        POD,
        "spec.affinity",
        {"nodeAffinity": {LIKED: liked}, "podAntiAffinity": {NEEDED: [{"topologyKey": HOST}]}},
    )
    pod = changed(pod, "spec.topologySpreadConstraints", spread(labelSelector={"matchLabels": {"a": "b"}}))
    pod = changed(
        pod,
        "spec.securityContext",
        {"runAsNonRoot": True, "fsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}},
    )
    registry.create("pods", pod, "default")


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("priorityClassName", "no PriorityClass with name none was found"),
        ("runtimeClassName", 'pod rejected: RuntimeClass "none" not found'),
        (
            "serviceAccountName",
            'error looking up service account default/none: serviceaccount "none" not found',
        ),
    ],
)
def test_what_a_pod_names_must_be_there(registry: Registry, field: str, why: str) -> None:
    pod = changed(POD, f"spec.{field}", "none")
    made = ("p", pod), ("p-", {**pod, "metadata": {"generateName": "p-"}})
    for name, each in made:
        with pytest.raises(StatusError) as caught:
            registry.create("pods", each, "default")
        assert (caught.value.code, caught.value.message) == (403, f'pods "{name}" is forbidden: {why}')


def test_a_pod_may_be_as_urgent_as_the_system(registry: Registry) -> None:
    pod = registry.create("pods", changed(POD, "spec.priorityClassName", "system-node-critical"), "default")
    assert pod["spec"]["priority"] == 2_000_001_000


def test_a_priority_is_that_of_a_class(registry: Registry) -> None:
    with pytest.raises(StatusError) as caught:
        registry.create("pods", changed(POD, "spec.priority", 5), "default")
    why = "priority admission controller computed 0 from the given PriorityClass name"
    assert caught.value.message.endswith(f"(5) must not be provided in pod spec; {why}")


def test_scheduling_gates_are_only_taken_away(registry: Registry) -> None:
    gated = registry.create(
        "pods", changed(POD, "spec.schedulingGates", [{"name": "a"}, {"name": "b"}]), "default"
    )
    (condition,) = gated["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "PodScheduled",
        "False",
        "SchedulingGated",
    )
    more = {"spec": {"schedulingGates": [{"name": "a"}, {"name": "c"}]}}
    (cause,) = causes(lambda: registry.patch("pods", "p", more, "default"))
    assert (
        cause
        == "spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'c'"
    )
    freed = registry.patch("pods", "p", {"spec": {"schedulingGates": None}}, "default")
    assert "schedulingGates" not in freed["spec"]
