"""Version skew: which versions may be used together, and what is said of those that may not."""

from __future__ import annotations

import pytest

from kubetour.providers import PROVIDERS
from kubetour.skew import POLICY, Skew, made_for, minor, warnings
from kubetour.text import LANGUAGES, tell


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("v1.36.2", (1, 36), id="a release"),
        pytest.param("v1.36.2-gke.100", (1, 36), id="a vendor's"),
        pytest.param("v1.30.4-eks-a18cd3a", (1, 30), id="another vendor's"),
        pytest.param("v1.36.2+k3s1", (1, 36), id="with a plus"),
        pytest.param("1.33+", (1, 33), id="a minor version that is ahead of its release"),
        pytest.param("v1.37.0-alpha.1", (1, 37), id="before a release"),
        pytest.param("v2.0.0", (2, 0), id="another major version"),
        pytest.param("devel", None, id="a word"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_minor_version_is_read(version: str, expected: tuple[int, int] | None) -> None:
    assert minor(version) == expected


@pytest.mark.parametrize(
    ("release", "expected"), [("37.0.2", (1, 37)), ("36.0.0b1", (1, 36)), ("snapshot", None)]
)
def test_a_release_of_the_client_is_made_for_a_minor_version(
    release: str, expected: tuple[int, int] | None
) -> None:
    assert made_for(release) == expected


FITS = "37.0.2"  # made for 1.37


@pytest.mark.parametrize(
    ("kubectl", "server", "said"),
    [
        pytest.param("v1.37.0", "v1.37.3", [], id="the same"),
        pytest.param("v1.36.4", "v1.37.0", [], id="kubectl one older"),
        pytest.param("v1.38.0", "v1.37.0", [], id="kubectl one newer"),
        pytest.param("v1.35.9", "v1.37.0", ["skew.kubectl"], id="kubectl two older"),
        pytest.param("v1.39.0", "v1.37.0", ["skew.kubectl"], id="kubectl two newer"),
        pytest.param("v1.32.4-dispatcher", "v1.37.2-gke.100", ["skew.kubectl"], id="vendors' versions"),
        pytest.param("1.36+", "1.37+", [], id="with a plus"),
        pytest.param("v1.37.0", "v2.37.0", ["skew.kubectl", "skew.client"], id="another major version"),
        pytest.param("devel", "v1.37.0", [], id="kubectl's is unknown"),
        pytest.param("v1.37.0", "devel", [], id="the server's is unknown"),
    ],
)
def test_a_kubectl_more_than_one_minor_version_away_is_told(
    kubectl: str, server: str, said: list[str]
) -> None:
    assert [text.key for text in warnings(server, kubectl, FITS)] == said


@pytest.mark.parametrize(
    ("client", "server", "said"),
    [
        pytest.param("37.0.2", "v1.36.2", [], id="client one newer"),
        pytest.param("37.0.2", "v1.38.0", [], id="client one older"),
        pytest.param("37.0.2", "v1.35.0", ["skew.client"], id="client two newer"),
        pytest.param("37.0.2", "v1.39.0", ["skew.client"], id="client two older"),
        pytest.param("unknown", "v1.39.0", [], id="client's is unknown"),
    ],
)
def test_a_client_more_than_one_minor_version_away_is_told(client: str, server: str, said: list[str]) -> None:
    assert [text.key for text in warnings(server, server, client)] == said


def test_the_words_name_the_versions_and_one_that_fits() -> None:
    for language in LANGUAGES:
        one, other = (tell(language, text) for text in warnings("v1.33.1", "v1.36.4", "37.0.2"))
        assert all(word in one for word in ("v1.36.4", "v1.33.1", "kubectl 1.33"))
        assert all(word in other for word in ("37.0.2", "v1.33.1", "Kubernetes 1.37"))


@pytest.mark.parametrize("name", ["kind", "context"])
def test_for_real_clusters_the_policy_of_kubernetes_holds(name: str) -> None:
    assert PROVIDERS[name].skew == POLICY == Skew(older=1, newer=1)


@pytest.mark.parametrize("kubectl", ["v1.20.2", "v1.27.0", "v1.33.1", "v1.36.4", "v1.40.0"])
def test_on_the_embedded_cluster_kubectl_may_be_any_from_1_20_on(kubectl: str) -> None:
    allowed = PROVIDERS["embedded"].skew
    assert warnings("v1.36.2+embedded", kubectl, FITS, allowed) == ()
    assert warnings("v1.36.2+embedded", "v1.19.16", FITS, allowed) != ()
