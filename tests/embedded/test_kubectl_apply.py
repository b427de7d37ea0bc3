"""The real kubectl's server-side apply: conflicts, owners, and the way from client-side apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.embedded.test_kubectl import Kubectl, Run, pytestmark, run

__all__ = ["pytestmark", "run"]


def deployment(*, replicas: int | None, image: str = "app:1.0", labels: str = "app: web") -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{{labels}}}}}
spec:
  {f"replicas: {replicas}" if replicas is not None else ""}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: app, image: "{image}", ports: [{{containerPort: 8080}}]}}]}}
"""


def config_map(field: str = "data", **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, field: data})


APPLY = ("apply", "--server-side", "-f", "-")


def managers(obj: Any) -> list[tuple[str, str, str]]:
    entries = obj["metadata"].get("managedFields", [])
    return [(entry["manager"], entry["operation"], entry.get("subresource", "")) for entry in entries]


def test_a_conflict_is_refused_and_forced(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok("create", "deployment", "web", "--image=app:1.0", "--port=8080")
        refused = await kubectl(*APPLY, stdin=deployment(replicas=3, image="app:2.0"))
        assert refused.code == 1
        assert refused.err.startswith(
            'error: Apply failed with 2 conflicts: conflicts with "kubectl-create" using apps/v1:\n'
            '- .spec.replicas\n- .spec.template.spec.containers[name="app"].image\n'
            "Please review the fields above--they currently have other managers."
        )
        forced = await kubectl.ok(*APPLY, "--force-conflicts", stdin=deployment(replicas=3, image="app:2.0"))
        assert forced == "deployment.apps/web serverside-applied\n"
        found = kubectl.registry.get("deployments", "web", "default")
        assert managers(found) == [("kubectl", "Apply", ""), ("kubectl-create", "Update", "")]

    run(scenario)


def test_the_replicas_that_scale_set_are_kept_once_the_manifest_is_silent_on_them(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok(*APPLY, stdin=deployment(replicas=2))
        await kubectl.ok("scale", "deployment/web", "--replicas=5")
        refused = await kubectl(*APPLY, stdin=deployment(replicas=2))
        # Its User-Agent is the name of the program's file: on PATH, "kubectl".
        name = Path(kubectl.program).name
        words = f'conflict with "{name}" with subresource "scale" using apps/v1: .spec.replicas\n'
        assert f"error: Apply failed with 1 conflict: {words}" in refused.err
        await kubectl.ok(*APPLY, stdin=deployment(replicas=None))
        assert kubectl.registry.get("deployments", "web", "default")["spec"]["replicas"] == 5

    run(scenario)


def test_what_is_left_out_goes_and_what_another_manager_set_stays(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok(*APPLY, stdin=deployment(replicas=1, labels="app: web, tier: front"))
        await kubectl.ok("label", "deployment/web", "owner=me")
        await kubectl.ok(*APPLY, stdin=deployment(replicas=1))
        labels = kubectl.registry.get("deployments", "web", "default")["metadata"]["labels"]
        assert labels == {"app": "web", "owner": "me"}
        shown = await kubectl.ok("get", "deployment/web", "-o", "json", "--show-managed-fields")
        found = json.loads(shown)
        assert ("kubectl-label", "Update", "") in managers(found)
        assert "managedFields" not in await kubectl.ok("get", "deployment/web", "-o", "json")

    run(scenario)


def test_two_field_managers_share_a_config_map(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok(*APPLY, "--field-manager=a", stdin=config_map(x="1"))
        await kubectl.ok(*APPLY, "--field-manager=b", stdin=config_map(y="2"))
        refused = await kubectl(*APPLY, "--field-manager=b", stdin=config_map(x="3", y="2"))
        assert 'Apply failed with 1 conflict: conflict with "a": .data.x\n' in refused.err
        await kubectl.ok(*APPLY, "--field-manager=a", "--force-conflicts", stdin=config_map(z="4"))
        assert kubectl.registry.get("configmaps", "c", "default")["data"] == {"y": "2", "z": "4"}

    run(scenario)


def test_client_side_apply_goes_over_to_server_side_and_back(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok("apply", "-f", "-", stdin=config_map(x="1", y="2"))
        assert managers(kubectl.registry.get("configmaps", "c", "default")) == [
            ("kubectl-client-side-apply", "Update", "")
        ]
        assert await kubectl.ok(*APPLY, stdin=config_map(x="9")) == "configmap/c serverside-applied\n"
        found = kubectl.registry.get("configmaps", "c", "default")
        assert found["data"] == {"x": "9"}
        assert managers(found) == [("kubectl", "Apply", ""), ("kubectl-last-applied", "Apply", "")]
        await kubectl.ok("apply", "-f", "-", stdin=config_map(y="3"))
        assert kubectl.registry.get("configmaps", "c", "default")["data"] == {"y": "3"}

    run(scenario)


def test_nothing_is_written_by_an_apply_that_changes_nothing_nor_by_a_dry_run(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        await kubectl.ok(*APPLY, stdin=deployment(replicas=1))
        before = kubectl.registry.store.revision
        await kubectl.ok(*APPLY, stdin=deployment(replicas=1))
        await kubectl.ok(*APPLY, "--dry-run=server", stdin=deployment(replicas=7))
        differing = await kubectl("diff", "--server-side", "-f", "-", stdin=deployment(replicas=7))
        assert (differing.code, "+  replicas: 7" in differing.out) == (1, True)
        assert kubectl.registry.store.revision == before

    run(scenario)


def test_a_field_that_does_not_exist_is_named(run: Run) -> None:
    async def scenario(kubectl: Kubectl) -> None:
        refused = await kubectl(*APPLY, "--validate=false", stdin=config_map("dato", x="1"))
        assert refused.err == (
            "Error from server: failed to create typed patch object (default/c; /v1, Kind=ConfigMap): "
            ".dato: field not declared in schema\n"
        )

    run(scenario)
