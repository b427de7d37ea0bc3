from __future__ import annotations

from typing import Any

import pytest

from kubetour.embedded.pod_environment import ConfigError
from kubetour.embedded.pod_security import check_non_root


def check(user: str, pod: dict[str, Any] | None, own: dict[str, Any] | None = None) -> None:
    metadata = {"name": "p", "namespace": "ns", "uid": "u"}
    check_non_root(
        {"metadata": metadata, "spec": {"securityContext": pod}}, {"name": "c", "securityContext": own}, user
    )


STRICT = {"runAsNonRoot": True}


@pytest.mark.parametrize(
    ("user", "pod", "own"),
    [
        ("", None, None),
        ("root", {}, None),
        ("1000", STRICT, None),
        ("1000:1000", STRICT, None),
        ("", {**STRICT, "runAsUser": 7}, None),
        ("", STRICT, {"runAsUser": 7}),
        ("", STRICT, {"runAsNonRoot": False}),
    ],
)
def test_what_may_run(user: str, pod: dict[str, Any] | None, own: dict[str, Any] | None) -> None:
    check(user, pod, own)


@pytest.mark.parametrize(
    ("user", "pod", "own", "message"),
    [
        ("", STRICT, None, "container has runAsNonRoot and image will run as root (pod: "),
        ("0", STRICT, None, "container has runAsNonRoot and image will run as root (pod: "),
        ("node", STRICT, None, "container has runAsNonRoot and image has non-numeric user (node), cannot"),
        ("1000", STRICT, {"runAsUser": 0}, "container's runAsUser breaks non-root policy (pod: "),
        ("", None, STRICT, "container has runAsNonRoot and image will run as root"),
    ],
)
def test_what_may_not(
    user: str, pod: dict[str, Any] | None, own: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(user, pod, own)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith('"p_ns(u)", container: c)')
