"""Checks of what the cluster needs to pull from a registry: the image in it, and the credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.common import fails, refuses, verdict


@dataclass(frozen=True)
class Pushed:
    """The registry took the image: `push` ended well, and the digest that it has there is known."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on what `push` printed, else on what was asked afterwards.

        Docker prints the digest; the others do not. Of `RepoDigests` the one of this repository counts.
        """
        printed = [word for result in seen.results for word in result.stdout.split()]
        asked = "".join(result.stdout for result in seen.confirmed)
        repository = self.image.rpartition(":")[0] if ":" in self.image.rpartition("/")[2] else self.image
        kept = re.search(rf'(?:"{re.escape(repository)}@|\A)(sha256:[0-9a-f]{{64}})', asked.strip())
        digest = next((word for word in printed if word.startswith("sha256:")), kept[1] if kept else "")
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
