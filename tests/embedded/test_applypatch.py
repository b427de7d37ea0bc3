"""Server-side apply, simplified: what is applied merges in by all keys of a list."""

from __future__ import annotations

from kubetour.embedded.applypatch import apply_configuration


def test_ports_are_told_apart_by_protocol_too() -> None:
    present = {"ports": [{"port": 53, "protocol": "TCP", "nodePort": 30053}]}
    applied = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "targetPort": 5353}]}
    assert apply_configuration("V1ServiceSpec", present, applied)["ports"] == [
        {"port": 53, "protocol": "TCP", "nodePort": 30053, "targetPort": 5353},
        {"port": 53, "protocol": "UDP"},
    ]


def test_maps_merge_and_plain_lists_are_replaced() -> None:
    present = {"containers": [{"name": "a", "args": ["1"], "image": "x"}], "nodeSelector": {"k": "v"}}
    applied = {"containers": [{"name": "a", "args": ["2"]}], "nodeSelector": {"l": "w"}}
    assert apply_configuration("V1PodSpec", present, applied) == {
        "containers": [{"name": "a", "args": ["2"], "image": "x"}],
        "nodeSelector": {"k": "v", "l": "w"},
    }
    assert present["containers"][0]["args"] == ["1"]  # type: ignore[index]
