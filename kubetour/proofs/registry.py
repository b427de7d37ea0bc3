"""Checks of what the cluster needs to pull from a registry: the image in it, and the credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.common import fails, refuses, verdict


@dataclass(frozen=True)
class Pushed:
    """The registry took the image: `push` ended well and said so."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `push`, which prints the digest under which the registry has it."""
        text = "".join(result.stdout for result in seen.results)
        digest = next((word for word in text.split() if word.startswith("sha256:")), "")
        return verdict(bool(digest), "pushed", "not-pushed", image=self.image, digest=digest)


@dataclass(frozen=True)
class SecretThere:
    """A Secret of ours is there, of that type. What it holds is not looked at."""

    looks: ClassVar[tuple[str, ...]] = ("secrets",)
    name: str
    type: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the Secret's type and label."""
        item = seen.named("secrets", self.name)
        if item is None:
            return fails("secret-absent", name=self.name)
        if item["metadata"].get("labels", {}).get(OWNED_BY) != OWNER:
            return refuses("secret-foreign", name=self.name)
        kind = item.get("type", "?")
        return verdict(kind == self.type, "secret", "secret-other", name=self.name, type=kind)


@dataclass(frozen=True)
class SecretUsed:
    """The namespace's default ServiceAccount names the Secret, so Pods pull with it."""

    looks: ClassVar[tuple[str, ...]] = ("serviceaccounts",)
    name: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the account's list of image pull secrets."""
        account = seen.named("serviceaccounts", "default") or {}
        names = [entry.get("name") for entry in account.get("imagePullSecrets") or ()]
        return verdict(self.name in names, "secret-used", "secret-unused", name=self.name)
