from __future__ import annotations

import pytest

from kubetour.embedded import reference
from kubetour.embedded.errors import EmbeddedError

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("node", "docker.io/library/node:latest", "node:latest"),
        ("node:24", "docker.io/library/node:24", "node:24"),
        ("me/app:1", "docker.io/me/app:1", "me/app:1"),
        ("docker.io/library/node", "docker.io/library/node:latest", "node:latest"),
        ("docker.io/node", "docker.io/library/node:latest", "node:latest"),
        ("index.docker.io/me/app", "docker.io/me/app:latest", "me/app:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
        ("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1"),
        (f"node@{DIGEST}", f"docker.io/library/node@{DIGEST}", f"node@{DIGEST}"),
        (f"node:24@{DIGEST}", f"docker.io/library/node:24@{DIGEST}", f"node:24@{DIGEST}"),
        ("a__b/c-d.e:X_1", "docker.io/a__b/c-d.e:X_1", "a__b/c-d.e:X_1"),
    ],
)
def test_names_are_completed_as_docker_does(text: str, full: str, familiar: str) -> None:
    parsed = reference.parse(text)
    assert str(parsed) == full
    assert parsed.familiar == familiar
    assert reference.parse(familiar) == parsed


@pytest.mark.parametrize(
    "text",
    ["", ":1", "App", "a/App:1", "a:", "a:-x", "a b", "-a", "a//b", "a@sha256:12", "a:" + "x" * 129, "a\n"],
)
def test_what_is_no_name_is_told(text: str) -> None:
    with pytest.raises(EmbeddedError, match="invalid image name"):
        reference.parse(text)
