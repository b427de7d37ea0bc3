from __future__ import annotations

from kubetour.embedded.events import EventRecorder
from tests.embedded.controlplane import ControlPlane, pod, scenario


@scenario()
async def test_an_event_has_the_fields_of_a_real_one(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "kubelet", "node-1")
    recorder.normal("pods", stored, "Started", "Container started", field_path="spec.containers{c}")
    (event,) = plane.items("events")
    metadata = event.pop("metadata")
    name, _, suffix = metadata["name"].rpartition(".")
    assert name == "p"
    assert int(suffix, 16) == int(plane.clock.now().timestamp()) * 10**9
    assert event == {
        "kind": "Event",
        "apiVersion": "v1",
        "involvedObject": {
            "kind": "Pod",
            "namespace": "default",
            "name": "p",
            "uid": stored["metadata"]["uid"],
            "apiVersion": "v1",
            "resourceVersion": stored["metadata"]["resourceVersion"],
            "fieldPath": "spec.containers{c}",
        },
        "reason": "Started",
        "message": "Container started",
        "source": {"component": "kubelet", "host": "node-1"},
        "firstTimestamp": "2026-01-02T03:04:05Z",
        "lastTimestamp": "2026-01-02T03:04:05Z",
        "count": 1,
        "type": "Normal",
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "node-1",
    }


@scenario()
async def test_repeats_are_counted_in_one_event(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "kubelet")
    for _ in range(3):
        recorder.warning("pods", stored, "BackOff", "Back-off restarting failed container")
        plane.clock.advance(10)
    (event,) = plane.items("events")
    assert event["count"] == 3
    assert event["firstTimestamp"] == "2026-01-02T03:04:05Z"
    assert event["lastTimestamp"] == "2026-01-02T03:04:25Z"


@scenario()
async def test_a_repeat_of_a_deleted_event_is_a_new_one(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "kubelet")
    recorder.normal("pods", stored, "Pulled", "x")
    plane.registry.delete("events", plane.items("events")[0]["metadata"]["name"], "default")
    recorder.normal("pods", stored, "Pulled", "x")
    assert [event["count"] for event in plane.items("events")] == [1]


@scenario()
async def test_two_events_of_one_moment_have_two_names(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "kubelet")
    recorder.normal("pods", stored, "Pulled", "x")
    recorder.normal("pods", stored, "Created", "y")
    assert len({event["metadata"]["name"] for event in plane.items("events")}) == 2


@scenario()
async def test_an_action_gives_the_newer_form_with_a_series(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "default-scheduler", "host")
    for _ in range(2):
        recorder.warning("pods", stored, "FailedScheduling", "no", action="Scheduling")
        plane.clock.advance(1.5)
    (event,) = plane.items("events")
    assert event["eventTime"] == "2026-01-02T03:04:05.000000Z"
    assert event["series"] == {"count": 2, "lastObservedTime": "2026-01-02T03:04:06.500000Z"}
    assert (event["action"], event["source"]) == ("Scheduling", {})
    assert event["reportingInstance"] == "default-scheduler-host"
    assert event.get("firstTimestamp") is None


@scenario()
async def test_an_event_that_cannot_be_written_stops_nobody(plane: ControlPlane) -> None:
    stored = plane.registry.create("pods", pod("p"))
    recorder = EventRecorder(plane.registry, plane.clock, "kubelet")
    elsewhere = {**stored, "metadata": {**stored["metadata"], "namespace": "nowhere"}}
    recorder.normal("pods", elsewhere, "Pulled", "x")
    assert plane.items("events") == []
