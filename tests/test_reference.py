"""The registry in an image's name."""

from __future__ import annotations

import pytest

from kubetour.reference import in_registry, is_local, registry_of


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("web", ""),
        ("web:1.0", ""),
        ("team/web:1", ""),
        ("localhost/web", "localhost"),
        ("127.0.0.1:5000/web", "127.0.0.1:5000"),
        ("ghcr.io/team/web:1", "ghcr.io"),
    ],
)
def test_a_registry_is_a_first_part_that_looks_like_a_host(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    ("image", "registry", "expected"),
    [
        ("web:1", "r.example/team", "r.example/team/web:1"),
        ("shop/web:1", "r.example:5000", "r.example:5000/shop/web:1"),
        ("ghcr.io/team/web", "r.example", "ghcr.io/team/web"),
        ("web", "", "web"),
    ],
)
def test_only_an_image_without_a_registry_of_its_own_is_put_into_one(
    image: str, registry: str, expected: str
) -> None:
    assert in_registry(image, registry) == expected
    assert in_registry(expected, registry) == expected


@pytest.mark.parametrize(
    ("registry", "local"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.3.0.1", True),
        ("[::1]:5000", True),
        ("", False),
        ("r.example:5000", False),
        ("127.example:5000", False),
        ("10.0.0.1:5000", False),
    ],
)
def test_a_registry_is_local_by_a_loopback_address(registry: str, local: bool) -> None:
    assert is_local(registry) is local
