"""The recorded exchanges, sent in order to a whole cluster, with the recorded watches open meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance.client import API, Answer, Request, Watch
from tests.embedded.commands import until

Event = dict[str, Any]
RECORDED = json.loads((Path(__file__).parent / "recorded/api-exchanges.json").read_text(encoding="utf-8"))
EXCHANGES: list[dict[str, Any]] = RECORDED["exchanges"]
# Bookmarks come when the server likes.
WATCHES: dict[str, list[Event]] = {
    name: [event for event in told if event["type"] != "BOOKMARK"]
    for name, told in RECORDED["watches"].items()
}
CORE, APPS = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default"
REC = f"{APPS}/deployments/rec"
PATHS = {
    "pods": f"{CORE}/pods",
    "deployments": f"{APPS}/deployments",
    "replicasets": f"{APPS}/replicasets",
    "endpointslices": "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "events": f"{CORE}/events",
}
# These ask for what was compacted: a cluster is older than five minutes then (see test_exchanges).
COMPACTED = (24, 25)
DEPLOYMENTS, EVENTS, SERVICES = 12, 17, 14
# Before these, as the recording shows, so many replicas had come about.
SETTLED = {4: 1, 6: 3, 9: 2}
SCALED, TERMINATING, STARTED = 5, 33, 34
# This one came before the controller had got any further than the one before it.
AT_ONCE = (7,)


@dataclass(frozen=True)
class Flow:
    """What the exchanges were answered with, and what the watches told until the Deployment was gone."""

    answers: dict[int, Answer]
    watches: dict[str, list[Event]]
    again: dict[str, list[Event]]  # what a later watch from the same version tells

    @classmethod
    def of(cls, api: API, opened: list[Watch]) -> Flow:
        """Send every exchange when the cluster is where the recorded one was; `opened` gets the watches."""
        _before(api)
        start = api.get(PATHS["pods"])["metadata"]["resourceVersion"]
        watches = {name: Watch(api, path, start) for name, path in PATHS.items()}
        opened.extend(watches.values())
        answers: dict[int, Answer] = {}
        for numbers in _together():
            until(partial(_ready, api, numbers[0]), 30)
            answers |= zip(
                numbers, api.send(*(_request(api, EXCHANGES[each]) for each in numbers)), strict=True
            )
        watches["deployments"].wait(lambda told: told[-1]["type"] == "DELETED")
        again = {name: _again(api, path, start) for name, path in PATHS.items()}
        told = {name: watches[name].first(len(events)) for name, events in again.items()}
        return cls(answers, told, again)


def _together() -> Iterator[tuple[int, ...]]:
    for number in range(len(EXCHANGES)):
        if number not in (*COMPACTED, *AT_ONCE):
            yield (number, number + 1) if number + 1 in AT_ONCE else (number,)


def _again(api: API, path: str, start: str) -> list[Event]:
    return list(api.watch(path, start, seconds=1))


def _before(api: API) -> None:
    """Bring about what there was: the Deployment `web`, applied, scaled, deleted and applied again."""
    deployment, service = (_applied(EXCHANGES[number]) for number in (DEPLOYMENTS, SERVICES))
    web = f"{APPS}/deployments/web"
    create = Request("POST", PATHS["deployments"], deployment)
    _done(api, Request("POST", f"{CORE}/services", service), create)
    until(lambda: _settled(api, web, 2))
    more = {"spec": {"replicas": 4}}
    _done(api, Request("PATCH", web, more, content_type="application/merge-patch+json"))
    until(lambda: _settled(api, web, 4))
    _done(api, Request("DELETE", web))
    until(lambda: not api.get(PATHS["replicasets"])["items"])
    _done(api, Request("DELETE", f"{PATHS['pods']}?gracePeriodSeconds=0"))
    until(lambda: not api.get(PATHS["pods"])["items"])
    _done(api, create)
    until(lambda: _settled(api, web, 2))


def _done(api: API, *requests: Request) -> None:
    answers = api.send(*requests)
    assert all(answer.status < 300 for answer in answers), answers


def _applied(exchange: dict[str, Any]) -> dict[str, Any]:
    """Return what `kubectl apply` sent, from the annotation that it left on the object `web`."""
    objects = [row["object"] for row in exchange["response"]["rows"]]
    annotations = next(
        each["metadata"]["annotations"] for each in objects if each["metadata"]["name"] == "web"
    )
    key = "kubectl.kubernetes.io/last-applied-configuration"
    sent = json.loads(annotations[key])
    sent["metadata"]["annotations"] = {key: annotations[key]}
    return dict(sent)


def _request(api: API, exchange: dict[str, Any]) -> Request:
    """Return a recorded request; what it updates is the object that there is now."""
    body = exchange["request"]
    if exchange["method"] == "PUT":
        body = {**body, "metadata": {**body["metadata"], "uid": api.get(REC)["metadata"]["uid"]}}
    return Request(exchange["method"], exchange["path"], body, exchange["accept"], exchange["content_type"])


def _settled(api: API, path: str, count: int) -> bool:
    """Return whether a Deployment has so many replicas, all up to date and available, and no other."""
    found = api.get(path)
    status = found.get("status", {})
    counts = [status.get(kind, 0) for kind in ("replicas", "updatedReplicas", "availableReplicas")]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return seen and counts == [count] * 3 and not status.get("terminatingReplicas")


def _ready(api: API, number: int) -> bool:
    """Return whether the cluster is where the recorded one was before an exchange."""
    if number in SETTLED:
        return _settled(api, REC, SETTLED[number]) and _listening(api, "app%3Drec")
    if number == SCALED:
        return api.get(f"{REC}/scale")["status"]["replicas"] == 3
    if number == TERMINATING:
        slices = api.get(PATHS["endpointslices"] + "?labelSelector=kubernetes.io/service-name%3Drec")["items"]
        return all(each["conditions"]["terminating"] for each in slices[0]["endpoints"])
    return number != STARTED or _listening(api, "!app")


def _listening(api: API, selector: str) -> bool:
    """Return whether the app has said so in each Pod: before, SIGTERM would find it without its handler."""
    found = api.get(f"{PATHS['pods']}?labelSelector={selector}")["items"]
    names = [pod["metadata"]["name"] for pod in found]
    return all(api.get(f"{PATHS['pods']}/{name}/log") for name in names)
