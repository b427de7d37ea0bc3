"""The API server over HTTPS: who gets in, verbs, patches, watches, Tables, warnings, errors."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubetour.embedded.apiserver import APIServer
from kubetour.embedded.handlers.pods import KUBELET_SOCKET
from tests.embedded.serving import TABLE, TOKEN, Cluster, serving

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"app": "p"}},
    "spec": {"containers": [{"name": "c", "image": "app:1"}]},
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "app:1"}]},
        },
    },
}
Run = Callable[[Callable[[Cluster], Awaitable[Any]]], Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a scenario against a fresh server."""

    def run_scenario(scenario: Callable[[Cluster], Awaitable[Any]]) -> Any:
        async def serve() -> Any:
            async with serving(tmp_path) as cluster:
                return await scenario(cluster)

        return asyncio.run(asyncio.wait_for(serve(), 20))

    return run_scenario


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/livez?verbose", 200, "[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n"),
        (
            "/readyz?verbose",
            200,
            "[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]informer-sync ok\nreadyz check passed\n",
        ),
        ("/readyz/etcd", 200, "ok"),
        ("/readyz/nothing", 404, "404 page not found\n"),
    ],
)
def test_health_is_told_check_by_check(run: Run, path: str, status: int, text: str) -> None:
    answer = run(lambda cluster: cluster.call("GET", path))
    assert (answer.status, answer.text) == (status, text)


def test_a_patch_that_is_no_json_is_refused(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", PODS, POD)
        kind = "application/strategic-merge-patch+json"
        return await cluster.call("PATCH", f"{PODS}/p", "{bad", content_type=kind)

    answer = run(scenario)
    assert answer.status == 400
    assert answer.json["message"] == "invalid character 'b' looking for beginning of object key string"


def test_there_are_no_custom_resources(run: Run) -> None:
    answer = run(
        lambda cluster: cluster.call(
            "GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=500"
        )
    )
    assert (answer.status, answer.json["items"]) == (200, [])


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/version"])
def test_health_and_version_are_open_to_all(run: Run, path: str) -> None:
    answer = run(lambda c: c.call("GET", path, token=""))
    assert answer.status == 200


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "Ünïcode"])
@pytest.mark.parametrize("path", ["/api/v1/pods", "/apis", "/openapi/v3", "/nope"])
def test_nothing_else_is_open_without_the_token(run: Run, path: str, token: str) -> None:
    answer = run(lambda c: c.call("GET", path, token=token.encode().decode("latin-1")))
    assert (answer.status, answer.json["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example:1234"}, {"Origin": "https://evil.example"}, {"Host": "127.0.0.1.nip.io"}],
    ids=["another host", "a page's request", "a name that resolves here"],
)
def test_what_a_browser_was_led_to_is_refused(run: Run, headers: dict[str, str]) -> None:
    answer = run(lambda c: c.call("GET", "/version", token="", **headers))
    assert (answer.status, answer.json["reason"]) == (403, "Forbidden")


def test_the_server_listens_on_loopback_only(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        server = APIServer(cluster.registry, token=TOKEN, certs=cluster.server._certs)
        with pytest.raises(ValueError, match="loopback only"):
            await server.start("0.0.0.0", 0)  # noqa: S104 -- that it is refused is the test

    run(scenario)


def test_the_version_says_embedded(run: Run) -> None:
    version = run(lambda c: c.call("GET", "/version")).json
    assert version["gitVersion"] == "v1.36.2+embedded"
    assert (version["major"], version["minor"]) == ("1", "36")


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("POST", f"{PODS}/p", 405, "MethodNotAllowed"),
        ("PUT", PODS, 405, "MethodNotAllowed"),
        ("PATCH", PODS, 405, "MethodNotAllowed"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed"),
        ("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed"),
        ("GET", "/api/v1/bindings", 405, "MethodNotAllowed"),
        ("DELETE", f"{PODS}/p/log", 405, "MethodNotAllowed"),
        ("GET", f"{PODS}/p/nothing", 404, "NotFound"),
        ("GET", "/api/v1/pods/p", 404, "NotFound"),
        ("GET", "/apis/apps/v2/deployments", 404, "NotFound"),
        ("GET", "/apis/apps/v1/namespaces/default/pods", 404, "NotFound"),
    ],
)
def test_what_is_not_served_is_404_or_405(run: Run, method: str, path: str, status: int, reason: str) -> None:
    answer = run(lambda c: c.call(method, path))
    assert (answer.status, answer.json["reason"]) == (status, reason)


@pytest.mark.parametrize(
    "accept", ["application/vnd.kubernetes.protobuf", "application/json;as=Nothing;v=v1;g=meta.k8s.io"]
)
def test_an_accept_that_cannot_be_met_is_406(run: Run, accept: str) -> None:
    assert run(lambda c: c.call("GET", PODS, accept=accept)).status == 406


def test_a_body_over_three_mebibytes_is_413(run: Run) -> None:
    answer = run(lambda c: c.call("POST", PODS, io.BytesIO(b" " * (3 * 1024 * 1024 + 1))))
    assert (answer.status, answer.json["reason"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("mode", "status", "warned"),
    [("Strict", 400, False), ("Warn", 201, True), ("", 201, True), ("Ignore", 201, False)],
)
def test_unknown_fields_are_handled_as_asked(run: Run, mode: str, status: int, warned: bool) -> None:
    body = json.loads(json.dumps(DEPLOYMENT))
    body["spec"]["replicaz"] = 1
    answer = run(lambda c: c.call("POST", f"{DEPLOYMENTS}?fieldValidation={mode}", body))
    assert answer.status == status
    assert ("Warning" in answer.headers) is warned
    if warned:
        assert answer.headers["Warning"] == '299 - "unknown field \\"spec.replicaz\\""'
        assert "replicaz" not in answer.json["spec"]


def test_yaml_is_accepted_where_json_is(run: Run) -> None:
    text = "{kind: ConfigMap, apiVersion: v1, metadata: {name: c}, data: {a: b}}"
    answer = run(
        lambda c: c.call(
            "POST", "/api/v1/namespaces/default/configmaps", text, content_type="application/yaml"
        )
    )
    assert (answer.status, answer.json["data"]) == (201, {"a": "b"})


def test_pages_are_of_one_moment(run: Run) -> None:
    async def scenario(cluster: Cluster) -> list[str]:
        for index in range(5):
            body = {**POD, "metadata": {"name": f"p{index}"}}
            await cluster.call("POST", PODS, body)
        first = (await cluster.call("GET", f"{PODS}?limit=2")).json
        assert first["metadata"]["remainingItemCount"] == 3
        await cluster.call("DELETE", f"{PODS}/p3")
        await cluster.call("POST", PODS, {**POD, "metadata": {"name": "p9"}})
        token, names = first["metadata"]["continue"], [i["metadata"]["name"] for i in first["items"]]
        while token:
            page = (await cluster.call("GET", f"{PODS}?limit=2&continue={token}")).json
            assert page["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
            names += [item["metadata"]["name"] for item in page["items"]]
            token = page["metadata"].get("continue", "")
        return names

    assert run(scenario) == ["p0", "p1", "p2", "p3", "p4"]


def test_a_page_from_before_the_compaction_is_410(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        for index in range(3):
            await cluster.call("POST", PODS, {**POD, "metadata": {"name": f"p{index}"}})
        token = (await cluster.call("GET", f"{PODS}?limit=1")).json["metadata"]["continue"]
        await cluster.call("DELETE", f"{PODS}/p2")
        cluster.registry.store.compact(cluster.registry.store.revision)
        return await cluster.call("GET", f"{PODS}?limit=1&continue={token}")

    answer = run(scenario)
    assert (answer.status, answer.json["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("resourceVersion=1&resourceVersionMatch=Exact", 410),
        ("resourceVersion=999999", 504),
        ("resourceVersion=x", 400),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersionMatch=Exact&resourceVersion=0", 422),
        ("resourceVersionMatch=Sometimes&resourceVersion=2", 422),
        ("resourceVersionMatch=NotOlderThan&resourceVersion=2&continue=x", 422),
        ("limit=1&resourceVersion=2&continue=x", 400),
        ("limit=1&resourceVersion=1", 410),
        ("limit=x", 400),
        ("continue=x", 400),
        ("labelSelector=a%20b%20c", 400),
        ("fieldSelector=spec.nothing%3D1", 400),
    ],
)
def test_a_list_that_cannot_be_is_refused(run: Run, query: str, status: int) -> None:
    async def scenario(cluster: Cluster) -> Any:
        cluster.registry.store.compact(cluster.registry.store.revision)
        return await cluster.call("GET", f"{PODS}?{query}")

    assert run(scenario).status == status


async def lines(cluster: Cluster, path: str, count: int, accept: str = "application/json") -> list[Any]:
    """Return the first lines of a watch."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
    async with cluster.session.get(cluster.url + path, headers=headers) as response:
        assert response.status == 200
        return [json.loads(await response.content.readline()) for _ in range(count)]


def test_all_namespaces_together_can_be_listed_and_not_emptied(run: Run) -> None:
    async def scenario(cluster: Cluster) -> list[int]:
        await cluster.call("POST", PODS, POD)
        answers = [await cluster.call(method, "/api/v1/pods") for method in ("DELETE", "GET")]
        assert len(answers[1].json["items"]) == 1
        return [answer.status for answer in answers]

    assert run(scenario) == [405, 200]


@pytest.mark.parametrize("path", [f"{PODS}/p", PODS])
def test_a_delete_may_ask_for_a_dry_run_in_its_body(run: Run, path: str) -> None:
    async def scenario(cluster: Cluster) -> tuple[int, int]:
        await cluster.call("POST", PODS, POD)
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
        deleted = await cluster.call("DELETE", path, options)
        return deleted.status, (await cluster.call("GET", f"{PODS}/p")).status

    assert run(scenario) == (200, 200)


def test_a_watch_begins_with_what_there_is_and_goes_on(run: Run) -> None:
    async def scenario(cluster: Cluster) -> list[tuple[str, str]]:
        await cluster.call("POST", PODS, POD)
        follower = asyncio.create_task(lines(cluster, f"{PODS}?watch=1", 5))
        while not cluster.server._watches:
            await asyncio.sleep(0)
        await cluster.call("POST", PODS, {**POD, "metadata": {"name": "q"}})
        patch = {"metadata": {"labels": {"a": "b"}}}
        await cluster.call("PATCH", f"{PODS}/q", patch, content_type="application/merge-patch+json")
        await cluster.call("DELETE", f"{PODS}/q")
        events = await follower
        deleted = events[-1]["object"]["metadata"]["resourceVersion"]
        assert int(deleted) == cluster.registry.store.revision, "a deletion has a revision of its own"
        return [(event["type"], event["object"]["metadata"]["name"]) for event in events]

    # A Pod is marked before it goes, also where nothing has to be waited for.
    told = [("ADDED", "p"), ("ADDED", "q"), ("MODIFIED", "q"), ("MODIFIED", "q"), ("DELETED", "q")]
    assert run(scenario) == told


def test_a_watch_ends_when_its_time_is_over(run: Run) -> None:
    async def scenario(cluster: Cluster) -> str:
        return (await cluster.call("GET", f"{PODS}?watch=1&timeoutSeconds=1&resourceVersion=0")).text

    assert run(scenario) == ""


def test_a_watch_that_begins_too_early_says_so_in_the_stream(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        cluster.registry.store.compact(cluster.registry.store.revision)
        return await lines(cluster, f"{PODS}?watch=1&resourceVersion=1", 1)

    (event,) = run(scenario)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_initial_events_end_with_a_bookmark(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", PODS, POD)
        query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
        return await lines(cluster, f"{PODS}?{query}&resourceVersionMatch=NotOlderThan", 2)

    added, bookmark = run(scenario)
    assert (added["type"], bookmark["type"]) == ("ADDED", "BOOKMARK")
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_of_tables_sends_the_columns_once(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", PODS, POD)
        await cluster.call("POST", PODS, {**POD, "metadata": {"name": "q"}})
        return await lines(cluster, f"{PODS}?watch=1", 2, accept=TABLE)

    first, second = run(scenario)
    assert [len(event["object"]["columnDefinitions"]) for event in (first, second)] == [9, 0]
    assert second["object"]["rows"][0]["cells"][:3] == ["q", "0/1", "Pending"]


def test_watches_end_and_leave_nothing_when_clients_go(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with cluster.session.get(f"{cluster.url}{PODS}?watch=1", headers=headers) as response:
            assert response.status == 200
            assert len(cluster.server._watches) == 1
            response.close()
            while cluster.server._watches:
                await asyncio.sleep(0)

    run(scenario)


STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def test_server_side_apply_creates_and_another_manager_adds_to_it(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        path = f"{DEPLOYMENTS}/web?fieldManager=test"
        refused = await cluster.call("PATCH", f"{DEPLOYMENTS}/web", DEPLOYMENT, content_type=APPLY)
        assert (refused.status, refused.json["reason"]) == (422, "Invalid")
        made = await cluster.call("PATCH", path, DEPLOYMENT, content_type=APPLY)
        assert made.status == 201
        sidecar = {"name": "side", "image": "side:1"}
        more = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
        merged = await cluster.call(
            "PATCH",
            f"{DEPLOYMENTS}/web?fieldManager=other",
            {**more, "apiVersion": "apps/v1", "kind": "Deployment"},
            content_type=APPLY,
        )
        assert merged.status == 200
        return [c["name"] for c in merged.json["spec"]["template"]["spec"]["containers"]]

    assert run(scenario) == ["c", "side"]


def test_a_scale_is_applied_to_the_workload_whose_it_is(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
        path = f"{DEPLOYMENTS}/web/scale?fieldManager=test"
        absent = await cluster.call("PATCH", path, {**scale, "spec": {"replicas": 3}}, content_type=APPLY)
        assert absent.status == 404
        await cluster.call("POST", f"{DEPLOYMENTS}?fieldManager=maker", DEPLOYMENT)
        refused = await cluster.call("PATCH", path, {**scale, "spec": {"replicas": 3}}, content_type=APPLY)
        assert refused.json["message"] == (
            'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas'
        )
        path += "&force=true"
        scaled = await cluster.call("PATCH", path, {**scale, "spec": {"replicas": 3}}, content_type=APPLY)
        assert (scaled.status, scaled.json["spec"]) == (200, {"replicas": 3})
        entry = cluster.registry.get("deployments", "web", "default")["metadata"]["managedFields"][0]
        assert (entry["manager"], entry["subresource"]) == ("test", "scale")
        assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}}}

    run(scenario)


def test_tracking_is_reset_by_an_empty_entry_and_kept_by_a_writer_that_leaves_it_out(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        made = (await cluster.call("POST", DEPLOYMENTS, DEPLOYMENT)).json
        del made["metadata"]["managedFields"]
        kept = await cluster.call("PUT", f"{DEPLOYMENTS}/web", made)
        assert len(kept.json["metadata"]["managedFields"]) == 1
        reset: dict[str, Any] = {"metadata": {"managedFields": [{}]}}
        merge = "application/merge-patch+json"
        gone = await cluster.call("PATCH", f"{DEPLOYMENTS}/web", reset, content_type=merge)
        assert (gone.status, "managedFields" in gone.json["metadata"]) == (200, False)

    run(scenario)


def test_components_are_managers_too_once_a_client_made_the_object(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", f"{PODS}?fieldManager=maker", POD)
        cluster.registry.patch("pods", "p", {"status": {"phase": "Running"}}, "default", subresource="status")
        cluster.registry.create("pods", {**POD, "metadata": {"name": "own"}}, "default")
        return [cluster.registry.get("pods", name, "default")["metadata"] for name in ("p", "own")]

    tracked, own = run(scenario)
    assert "managedFields" not in own
    found = [(entry["manager"], entry.get("subresource", "")) for entry in tracked["managedFields"]]
    assert found == [("kubelet", "status"), ("maker", "")]


@pytest.mark.parametrize(
    ("query", "change", "code", "words"),
    [
        ("?fieldManager=t", {"apiVersion": "v1"}, 400, "Incorrect version specified in apply patch."),
        ("?fieldManager=t", {"kind": "Pod"}, 500, "no corresponding type for apps/v1, Kind=Pod"),
        ("?fieldManager=t", {"metadata": {"name": "other"}}, 400, "does not match the name on the URL"),
        ("?fieldManager=t", {"metadata": {"managedFields": [{}]}}, 400, "metadata.managedFields must be nil"),
        (
            "?fieldManager=t",
            {"spec": {"replicas": "many"}},
            500,
            ".spec.replicas: expected numeric (int or float)",
        ),
        ("?fieldManager=" + "m" * 129, {}, 422, "may not be more than 128 bytes"),
        ("", {}, 422, "fieldManager: Required value: is required for apply patch"),
    ],
    ids=[
        "another version",
        "another kind",
        "another name",
        "managedFields",
        "a wrong type",
        "a long manager",
        "no manager",
    ],
)
def test_what_is_no_apply_configuration_is_refused(
    run: Run, query: str, change: dict[str, Any], code: int, words: str
) -> None:
    body = {**DEPLOYMENT, **change}
    answer = run(lambda c: c.call("PATCH", f"{DEPLOYMENTS}/web{query}", body, content_type=APPLY))
    assert answer.status == code, answer.text
    assert words in answer.json["message"]


def test_force_is_for_applies_only(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", DEPLOYMENTS, DEPLOYMENT)
        path = f"{DEPLOYMENTS}/web?force=true"
        return await cluster.call("PATCH", path, {}, content_type=STRATEGIC)

    answer = run(scenario)
    assert answer.status == 422
    assert "force: Forbidden: may not be specified for non-apply patch" in answer.json["message"]


def test_a_patch_of_an_unknown_kind_is_415(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        await cluster.call("POST", DEPLOYMENTS, DEPLOYMENT)
        return await cluster.call("PATCH", f"{DEPLOYMENTS}/web", {}, content_type="application/json")

    answer = run(scenario)
    assert answer.status == 415
    assert "application/strategic-merge-patch+json" in answer.json["message"]


def test_the_scale_subresource_reads_and_writes(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.call("POST", DEPLOYMENTS, DEPLOYMENT)
        scale = (await cluster.call("GET", f"{DEPLOYMENTS}/web/scale")).json
        assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == (
            "Scale",
            {"replicas": 1},
            "app=web",
        )
        scale["spec"]["replicas"] = 4
        assert (await cluster.call("PUT", f"{DEPLOYMENTS}/web/scale", scale)).json["spec"] == {"replicas": 4}
        stale = await cluster.call("PUT", f"{DEPLOYMENTS}/web/scale", scale)
        assert (stale.status, stale.json["reason"]) == (409, "Conflict")
        merge = "application/merge-patch+json"
        bad = {"spec": {"replicas": -1}}
        refused = await cluster.call("PATCH", f"{DEPLOYMENTS}/web/scale", bad, content_type=merge)
        assert refused.json["message"] == (
            'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: '
            "must be greater than or equal to 0"
        )
        zero = {"spec": {"replicas": 0}}
        await cluster.call("PATCH", f"{DEPLOYMENTS}/web/scale", zero, content_type=merge)
        assert (await cluster.call("GET", f"{DEPLOYMENTS}/web")).json["spec"]["replicas"] == 0

    run(scenario)


def test_an_eviction_deletes_the_pod(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        await cluster.call("POST", PODS, POD)
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
        assert (await cluster.call("POST", f"{PODS}/p/eviction", body)).status == 201
        assert (await cluster.call("GET", f"{PODS}/p")).status == 404

    run(scenario)


def test_events_are_one_store_seen_through_two_groups(run: Run) -> None:
    async def scenario(cluster: Cluster) -> None:
        core = "/api/v1/namespaces/default/events"
        view = "/apis/events.k8s.io/v1/namespaces/default/events"
        event = {
            "metadata": {"name": "e"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
            "reason": "Pulled",
            "message": "Container image is present",
            "type": "Normal",
        }
        assert (await cluster.call("POST", core, event)).status == 201
        seen = (await cluster.call("GET", f"{view}/e")).json
        assert (seen["apiVersion"], seen["note"]) == ("events.k8s.io/v1", "Container image is present")
        assert seen["regarding"]["name"] == "p"
        listed = (await cluster.call("GET", view)).json
        assert listed["kind"] == "EventList"
        assert listed["items"][0]["note"] == "Container image is present"
        chosen = await cluster.call("GET", f"{core}?fieldSelector=involvedObject.name%3Dp")
        assert [item["message"] for item in chosen.json["items"]] == ["Container image is present"]

    run(scenario)


def test_endpoints_come_with_the_warning_that_they_are_deprecated(run: Run) -> None:
    answer = run(lambda c: c.call("GET", "/api/v1/namespaces/default/endpoints"))
    assert "v1 Endpoints is deprecated in v1.33+" in answer.headers["Warning"]


def test_metadata_alone_can_be_asked_for(run: Run) -> None:
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    answer = run(lambda c: c.call("GET", "/api/v1/namespaces", accept=accept)).json
    assert answer["kind"] == "PartialObjectMetadataList"
    assert all(set(item) == {"kind", "apiVersion", "metadata"} for item in answer["items"])


class TestLogs:
    @pytest.fixture
    def kubelet_log(self, run: Run, tmp_path: Path) -> Callable[[str], Any]:
        """Return a function (query) -> answer; a kubelet on a unix socket echoes what it was asked."""

        def ask(query: str, *, status: int = 200) -> Any:
            async def kubelet(request: web.BaseRequest) -> web.Response:
                return web.Response(text=f"{request.path}?{request.query_string}\n", status=status)

            async def scenario(cluster: Cluster) -> Any:
                socket = str(tmp_path / "k.sock")
                runner = web.ServerRunner(web.Server(kubelet))
                await runner.setup()
                await web.UnixSite(runner, socket).start()
                node = {"metadata": {"name": "n", "annotations": {KUBELET_SOCKET: socket}}}
                cluster.registry.create("nodes", node)
                await cluster.call("POST", PODS, POD)
                cluster.registry.bind("default", "p", "n")
                try:
                    return await cluster.call("GET", f"{PODS}/p/log?{query}")
                finally:
                    await runner.cleanup()

            return run(scenario)

        return ask

    def test_the_log_comes_from_the_nodes_kubelet(self, kubelet_log: Any) -> None:
        answer = kubelet_log("tailLines=5&follow=true&pretty=true")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.text == "/containerLogs/default/p/c?follow=true&tailLines=5\n"

    def test_a_kubelets_refusal_becomes_a_status(self, kubelet_log: Any) -> None:
        answer = kubelet_log("", status=400)
        assert (answer.status, answer.json["reason"]) == (400, "BadRequest")

    def test_an_unknown_container_is_400(self, kubelet_log: Any) -> None:
        answer = kubelet_log("container=nope")
        assert answer.json["message"] == "container nope is not valid for pod p"

    def test_a_pod_without_a_node_has_an_empty_log(self, run: Run) -> None:
        async def scenario(cluster: Cluster) -> Any:
            await cluster.call("POST", PODS, POD)
            return await cluster.call("GET", f"{PODS}/p/log")

        answer = run(scenario)
        assert (answer.status, answer.text) == (200, "")

    def test_a_node_that_is_gone_is_an_internal_error(self, run: Run) -> None:
        async def scenario(cluster: Cluster) -> Any:
            cluster.registry.create("nodes", {"metadata": {"name": "n"}})
            await cluster.call("POST", PODS, POD)
            cluster.registry.bind("default", "p", "n")
            return await cluster.call("GET", f"{PODS}/p/log")

        answer = run(scenario)
        assert (answer.status, answer.json["reason"]) == (500, "InternalError")
        assert "names no kubelet socket" in answer.json["message"]


def test_a_version_of_a_kind_that_is_stored_as_another_is_served_alike(run: Run) -> None:
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    spec = {"maxReplicas": 5, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 50}
    body = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    path = "namespaces/default/horizontalpodautoscalers"

    async def scenario(cluster: Cluster) -> None:
        v1, v2 = f"/apis/autoscaling/v1/{path}", f"/apis/autoscaling/v2/{path}"
        made = await cluster.call("POST", v1, {**body, "spec": spec})
        assert (made.status, made.json["apiVersion"]) == (201, "autoscaling/v1")
        merge = "application/merge-patch+json"
        change = {"spec": {"targetCPUUtilizationPercentage": 70}}
        assert (await cluster.call("PATCH", f"{v1}/web", change, content_type=merge)).status == 200
        (listed,) = (await cluster.call("GET", v1)).json["items"]
        assert listed["spec"] == {**spec, "targetCPUUtilizationPercentage": 70, "minReplicas": 1}
        (metric,) = (await cluster.call("GET", f"{v2}/web")).json["spec"]["metrics"]
        assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}

    run(scenario)


@pytest.mark.parametrize(
    ("group", "kind", "field", "answer"),
    [
        ("authorization", "SelfSubjectAccessReview", "allowed", True),
        ("authorization", "SelfSubjectRulesReview", "incomplete", False),
        (
            "authentication",
            "SelfSubjectReview",
            "userInfo",
            {"username": "kubernetes-admin", "groups": ["kubeadm:cluster-admins", "system:authenticated"]},
        ),
    ],
)
def test_questions_about_oneself_are_answered_and_not_stored(
    run: Run, group: str, kind: str, field: str, answer: Any
) -> None:
    async def scenario(cluster: Cluster) -> Any:
        before = cluster.registry.store.revision
        path = f"/apis/{group}.k8s.io/v1/{kind.lower()}s"
        asked = await cluster.call(
            "POST", path, {"apiVersion": f"{group}.k8s.io/v1", "kind": kind, "spec": {}}
        )
        assert asked.status == 201, asked.text
        assert (await cluster.call("GET", path)).status == 405
        assert cluster.registry.store.revision == before
        return asked.json

    assert run(scenario)["status"][field] == answer


def test_nobody_can_be_somebody_else(run: Run) -> None:
    async def scenario(cluster: Cluster) -> Any:
        headers = {"Impersonate-User": "jane", "Authorization": f"Bearer {TOKEN}"}
        async with cluster.session.get(f"{cluster.url}{PODS}", headers=headers) as response:
            return response.status, await response.json()

    status, body = run(scenario)
    assert (status, body["reason"]) == (403, "Forbidden")
    assert body["message"].startswith('users "jane" is forbidden')


def test_an_eviction_is_refused_by_a_budget_that_allows_none(run: Run) -> None:
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}}
    selector = {"minAvailable": 1, "selector": {"matchLabels": {"app": "p"}}}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}

    async def scenario(cluster: Cluster) -> None:
        await cluster.call("POST", PODS, POD)
        cluster.registry.patch("pods", "p", {"status": {"phase": "Running"}}, "default", subresource="status")
        budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
        assert (await cluster.call("POST", budgets, {**budget, "spec": selector})).status == 201
        refused = await cluster.call("POST", f"{PODS}/p/eviction", eviction)
        assert (refused.status, refused.json["reason"]) == (429, "TooManyRequests")
        assert refused.json["details"]["causes"][0]["reason"] == "DisruptionBudget"
        other = await cluster.call("POST", f"{PODS}/p/eviction", {**eviction, "metadata": {"name": "q"}})
        assert other.json["message"] == "name in URL does not match name in Eviction object"
        await cluster.call("DELETE", f"{budgets}/b")
        assert (await cluster.call("POST", f"{PODS}/p/eviction", {**eviction})).status == 201

    run(scenario)
