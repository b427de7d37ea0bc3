"""Warnings of what is taken and still odd, in Kubernetes' words."""
# ruff: noqa: E501 -- the messages are long, and cutting them would hide what is compared

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded.advice import advice
from kubetour.embedded.resources import by_plural
from tests.embedded.serving import Cluster, serving
from tests.embedded.test_validation import BASES, changed

C0 = "spec.template.spec.containers[0]"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.mark.parametrize(
    ("plural", "path", "value", "expected"),
    [
        ("pods", "metadata.name", "a.b", ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"]),
        ("deployments", "metadata.name", "a.b", ["metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"]),
        ("deployments", "spec.template.spec.containers.0.resources", {"limits": {"memory": "100m"}}, [f'{C0}.resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer']),
        ("deployments", "spec.template.spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}], [f'{C0}.env[1]: hides previous definition of "A", which may be dropped when using apply']),
        ("deployments", "spec.template.spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}], []),
        ("deployments", "spec.template.spec.containers.0.ports", [{"containerPort": 80}, {"containerPort": 80}], [f"{C0}.ports[1]: duplicate port definition with {C0}.ports[0]"]),
        ("deployments", "spec.template.spec.nodeSelector", {"beta.kubernetes.io/os": "linux"}, ['spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
        ("pods", "spec.terminationGracePeriodSeconds", -1, ["spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"]),
        ("services", "spec", {"type": "ClusterIP", "clusterIP": "None", "sessionAffinity": "ClientIP"}, ["spec.SessionAffinity is ignored for headless services"]),
        ("services", "spec", {"type": "NodePort", "externalName": "x.y", "externalIPs": ["1.2.3.4"]}, ["spec.externalIPs is deprecated and may no longer be implemented in some clusters", 'spec.externalName is ignored when spec.type is not "ExternalName"']),
        ("configmaps", "metadata.name", "a.b", []),
    ],
)  # fmt: skip
def test_what_is_odd_is_said(plural: str, path: str, value: Any, expected: list[str]) -> None:
    obj = changed(BASES.get(plural, {"metadata": {"name": "n"}}), path, value)
    assert advice(by_plural(plural), obj) == expected


def test_it_is_said_when_what_is_wanted_changes_and_not_otherwise(tmp_path: Path) -> None:
    odd = changed(
        BASES["deployments"], "spec.template.spec.containers.0.resources", {"limits": {"memory": "100m"}}
    )
    merge = "application/merge-patch+json"

    async def scenario(cluster: Cluster) -> list[bool]:
        one = f"{DEPLOYMENTS}/d"
        answers = [await cluster.call("POST", DEPLOYMENTS, odd)]
        answers.append(
            await cluster.call("PATCH", one, {"metadata": {"labels": {"a": "b"}}}, content_type=merge)
        )
        answers.append(await cluster.call("PATCH", one, {"spec": {"replicas": 2}}, content_type=merge))
        answers.append(await cluster.call("PUT", one, answers[-1].json))
        applied = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2, "paused": True}}
        query, kind = "?fieldManager=t&force=true", "application/apply-patch+yaml"
        answers.append(await cluster.call("PATCH", one + query, applied, content_type=kind))
        assert {answer.status for answer in answers} == {200, 201}
        return ["Warning" in answer.headers for answer in answers]

    async def serve() -> list[bool]:
        async with serving(tmp_path) as cluster:
            return await scenario(cluster)

    assert asyncio.run(asyncio.wait_for(serve(), 20)) == [True, False, True, False, True]
