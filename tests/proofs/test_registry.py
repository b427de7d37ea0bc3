"""What the cluster needs to pull from a registry: the image in it, and the credentials."""

from __future__ import annotations

import pytest

from kubetour.checks import Observation, Proof
from kubetour.proofs.registry import Pushed, SecretThere, SecretUsed
from tests.making import output
from tests.shapes import OURS, metadata, seen

TYPE = "kubernetes.io/dockerconfigjson"


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


def test_a_push_that_printed_a_digest_is_proved_by_it() -> None:
    digest = "sha256:" + "0" * 64
    proof = Pushed("web:1")(Observation((output(f"1: digest: {digest} size: 528\n"),)))
    assert proof.holds
    assert proof.text.values["digest"] == digest
    assert (
        key(Pushed("web:1")(Observation((output("The push refers to repository [web]\n"),)))) == "not-pushed"
    )


def secret(kind: str = TYPE, labels: dict[str, str] | None = None) -> dict[str, object]:
    return {"kind": "Secret", "metadata": metadata("pull", OURS if labels is None else labels), "type": kind}


@pytest.mark.parametrize(
    ("items", "expected", "final"),
    [
        ((secret(),), "secret", False),
        ((secret("Opaque"),), "secret-other", False),
        ((secret(labels={}),), "secret-foreign", True),
        ((), "secret-absent", False),
    ],
)
def test_a_secret_is_ours_by_its_label_and_right_by_its_type(
    items: tuple[dict[str, object], ...], expected: str, final: bool
) -> None:
    proof = SecretThere("pull", TYPE)(seen(*items))
    assert (key(proof), proof.holds, proof.final) == (expected, expected == "secret", final)


@pytest.mark.parametrize(
    ("names", "used"), [(None, False), ((), False), (("other",), False), (("other", "pull"), True)]
)
def test_a_secret_is_used_if_the_account_names_it(names: tuple[str, ...] | None, used: bool) -> None:
    account: dict[str, object] = {"kind": "ServiceAccount", "metadata": metadata("default", {})}
    if names is not None:
        account["imagePullSecrets"] = [{"name": name} for name in names]
    assert SecretUsed("pull")(seen(account)).holds is used


def test_without_an_account_it_is_not_used_yet() -> None:
    assert key(SecretUsed("pull")(seen())) == "secret-unused"


HERE, THERE = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    ("image", "printed", "asked", "digest"),
    [
        ("reg.example/a/web:1", f"1: digest: {THERE} size: 528\n", f'["reg.example/a/web@{HERE}"]\n', THERE),
        ("reg.example/a/web:1", "", f'["localhost/web@{HERE}","reg.example/a/web@{THERE}"]\n', THERE),
        ("reg.example:5000/web", "", f'["reg.example:5000/web@{THERE}"]\n', THERE),
        ("reg.example/web:1", "", f"{THERE}", THERE),
        ("reg.example/web:1", f"layer-{HERE}: done\n", f'["reg.example/web@{THERE}"]\n', THERE),
        ("reg.example/web:1", "", f'["reg.example/webshop@{THERE}"]\n', ""),
        ("reg.example/web:1", "", "[]\n", ""),
    ],
    ids=["docker", "another name", "no tag", "podman's file", "nerdctl", "another repository", "none"],
)
def test_a_push_is_proved_by_the_digest_that_its_repository_has(
    image: str, printed: str, asked: str, digest: str
) -> None:
    proof = Pushed(image)(Observation((output(printed),), (output(asked),)))
    assert (proof.holds, proof.text.values["digest"]) == (bool(digest), digest)
