"""Which Docker config files hold what a cluster can pull with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetour import dockerconfig
from kubetour.errors import UsageError

PLAIN = {"auth": "bWU6c2VjcmV0"}  # me:secret
IMAGE = "r.example:5000/team/web:1"


def write(directory: Path, config: Any) -> Path:
    path = directory / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("auths", "image"),
    [
        ({"r.example:5000": PLAIN}, IMAGE),
        ({"https://r.example:5000/v2/": PLAIN}, IMAGE),
        ({"r.example:5000/team": {"username": "me", "password": "secret"}}, IMAGE),
        ({"*.example": PLAIN}, "r.example/web"),
        ({"https://index.docker.io/v1/": PLAIN}, "me/web"),
        ({"https://index.docker.io/v1/": PLAIN}, "docker.io/me/web"),
    ],
)
def test_credentials_for_the_images_registry_will_do(
    auths: dict[str, Any], image: str, tmp_path: Path
) -> None:
    dockerconfig.require(write(tmp_path, {"auths": auths, "credsStore": "desktop"}), "config.json", image)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"auths": {"r.example:5000": {}}, "credsStore": "desktop"}, "pull-secret-helper"),
        ({"credHelpers": {"r.example:5000": "gcloud"}}, "pull-secret-helper"),
        ({"credHelpers": {"other.example": "gcloud"}}, "pull-secret-other"),
        ({"auths": {"r.example": PLAIN}}, "pull-secret-other"),
        ({"auths": {"r.example:5000": {"username": "me"}}}, "pull-secret-other"),
        ({"auths": []}, "pull-secret-other"),
        ({}, "pull-secret-other"),
        ("[]", "pull-secret-unreadable"),
        ('{"auths": {"r.example:5000": {"auth": "bWU6c2VjcmV0"}}', "pull-secret-unreadable"),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "pull-secret-unreadable"),
    ],
)
def test_a_file_of_no_use_is_refused_and_nothing_secret_is_told(
    config: Any, key: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as error:
        dockerconfig.require(write(tmp_path, config), "config.json", IMAGE)
    assert error.value.key == key
    for language in ("en", "zh"):
        assert "bWU6c2VjcmV0" not in "".join(error.value.explain(language))
    assert "bWU6c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize("shown", ["absent.json", "a=b.json"])
def test_a_file_that_is_not_there_or_that_kubectl_cannot_take_is_refused(shown: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        dockerconfig.require(tmp_path / shown, shown, IMAGE)
    assert error.value.key == "pull-secret-unreadable"


def test_a_file_too_large_for_a_secret_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, " " * (dockerconfig.LARGEST + 1))
    with pytest.raises(UsageError) as error:
        dockerconfig.require(path, "config.json", IMAGE)
    assert str(dockerconfig.LARGEST) in error.value.values["reason"]
