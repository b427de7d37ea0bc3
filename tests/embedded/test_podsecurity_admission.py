"""Pod Security Standards: which Pods a namespace's level lets in, and what is said of the others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.podsecurity_admission import BASELINE, PRIVILEGED, RESTRICTED, violations
from tests.embedded.serving import Answer, serving

LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)
GOOD: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(
    context: dict[str, Any] | None = None, whole: dict[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    container = {"name": "c", "image": "app:1", "securityContext": {**GOOD, **(context or {})}}
    return {"spec": {"containers": [container], "securityContext": whole or {}, **spec}}


def test_a_pod_that_sets_all_that_is_asked_for_may_be_anywhere() -> None:
    for level in LEVELS:
        assert violations(level, pod()) == []


def test_what_the_pod_sets_its_containers_need_not() -> None:
    whole = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    given = pod({"runAsNonRoot": None, "seccompProfile": None}, whole)
    assert violations(RESTRICTED, given) == []


@pytest.mark.parametrize(
    ("given", "baseline", "restricted"),
    [
        (pod(hostNetwork=True), "host namespaces (hostNetwork=true)", "host namespaces (hostNetwork=true)"),
        (pod(hostPID=True, hostIPC=True), "(hostPID=true, hostIPC=true)", "(hostPID=true, hostIPC=true)"),
        (pod({"privileged": True}), 'privileged (container "c" must not', "privileged"),
        (pod({"procMount": "Unmasked"}), "procMount", "procMount"),
        (
            pod({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}),
            "non-default capabilities",
            "unrestricted",
        ),
        (pod({"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}), "", "unrestricted capabilities"),
        (pod({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}), "", ""),
        (pod({"capabilities": {"drop": ["KILL"]}}), "", "unrestricted capabilities"),
        (
            pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
            'hostPath volumes (volume "v")',
            "restricted volume",
        ),
        (pod(volumes=[{"name": "v", "nfs": {}}]), "", 'volume "v" uses restricted volume type "nfs"'),
        (pod(volumes=[{"name": "v", "emptyDir": {}}]), "", ""),
        (pod({"allowPrivilegeEscalation": True}), "", "allowPrivilegeEscalation != false"),
        (pod({"runAsNonRoot": False}), "", "runAsNonRoot != true"),
        (pod(whole={"runAsNonRoot": False}), "", "runAsNonRoot != true (pod"),
        (pod({"runAsUser": 0}), "", 'runAsUser=0 (container "c" must not'),
        (pod(whole={"runAsUser": 0}), "", "runAsUser=0 (pod must not"),
        (pod({"seccompProfile": {"type": "Unconfined"}}), "seccompProfile", "seccompProfile (pod or"),
        (pod({"seccompProfile": None}), "", "seccompProfile (pod or"),
        (pod({"seLinuxOptions": {"type": "spc_t"}}), "seLinuxOptions", "seLinuxOptions"),
        (pod({"appArmorProfile": {"type": "Unconfined"}}), "AppArmor", "AppArmor"),
        (pod(whole={"sysctls": [{"name": "kernel.msgmax"}]}), "forbidden sysctls (kernel.msgmax)", "sysctls"),
        (pod(whole={"sysctls": [{"name": "net.ipv4.tcp_syncookies"}]}), "", ""),
        (pod(initContainers=[{"name": "i"}]), "", 'container "i" must set securityContext.allowPriv'),
    ],
)
def test_each_control_finds_its_violation(given: dict[str, Any], baseline: str, restricted: str) -> None:
    assert violations(PRIVILEGED, given) == []
    for level, expected in ((BASELINE, baseline), (RESTRICTED, restricted)):
        found = ", ".join(violations(level, given))
        assert expected in found
        assert bool(found) is bool(expected)


def test_a_host_port_is_refused() -> None:
    given = pod()
    given["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 80}]
    assert violations(BASELINE, given) == ['hostPort (container "c" uses a hostPort)']


def test_a_namespace_refuses_what_its_label_forbids(tmp_path: Path) -> None:
    labels = {"pod-security.kubernetes.io/enforce": RESTRICTED}
    space = {"metadata": {"name": "s", "labels": labels}}
    bare = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "app:1"}]}}
    good = {"metadata": {"name": "g"}, **pod()}

    async def serve() -> list[Answer]:
        async with serving(tmp_path) as cluster:
            await cluster.call("POST", "/api/v1/namespaces", space)
            spaces = ("s", "s", "default")
            return [
                await cluster.call("POST", f"/api/v1/namespaces/{name}/pods", body)
                for name, body in zip(spaces, (bare, good, bare), strict=True)
            ]

    refused, *admitted = asyncio.run(serve())
    assert (refused.status, refused.json["reason"]) == (403, "Forbidden")
    assert refused.json["message"] == (
        'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
        '(container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities '
        '(container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or '
        'container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" '
        'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    assert [answer.status for answer in admitted] == [201, 201]


@pytest.mark.parametrize(
    ("labels", "warned"),
    [
        ({"warn": "baseline"}, True),
        ({"enforce": "baseline"}, True),
        ({"enforce": "baseline", "warn": "privileged"}, False),
    ],
    ids=["warn", "enforce alone warns, too", "warn says otherwise"],
)
def test_of_what_makes_pods_that_violate_a_level_is_warned(
    tmp_path: Path, labels: dict[str, str], warned: bool
) -> None:
    named = {f"pod-security.kubernetes.io/{mode}": level for mode, level in labels.items()}
    template = {"metadata": {"labels": {"a": "b"}}, **pod(hostPID=True)}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    path = "/apis/apps/v1/namespaces/s/deployments"

    async def serve() -> list[Answer]:
        async with serving(tmp_path) as cluster:
            await cluster.call("POST", "/api/v1/namespaces", {"metadata": {"name": "s", "labels": named}})
            made = await cluster.call("POST", path, {"metadata": {"name": "d"}, "spec": spec})
            scaled = await cluster.call("PUT", f"{path}/d", {**made.json, "spec": {**spec, "replicas": 2}})
            status = await cluster.call("PUT", f"{path}/d/status", scaled.json)
            return [made, scaled, status]

    made, scaled, status = asyncio.run(serve())
    assert [made.status, scaled.status, status.status] == [201, 200, 200]
    text = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    told = f"299 - {json.dumps(text)}" if warned else None
    assert [made.headers.get("Warning"), scaled.headers.get("Warning")] == [told, told]
    assert "Warning" not in status.headers
