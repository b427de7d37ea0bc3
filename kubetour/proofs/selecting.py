"""The check of a Service whose selector was broken on purpose: it finds nobody, and the X-ray says why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from kubetour.checks import Observation, Proof
from kubetour.proofs.common import endpoints, fails, holds, refutes
from kubetour.proofs.xray import xray


@dataclass(frozen=True)
class FindsNobody:
    """With one wrong value in its selector a Service has no endpoint, while the Pods run on."""

    looks: ClassVar[tuple[str, ...]] = ("pods", "services", "endpointslices")
    service: str
    key: str
    wrong: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict with the X-ray; refuted by an endpoint that is there by the wrong label."""
        item = seen.named("services", self.service)
        if item is None:
            return fails("service-absent", service=self.service)
        through = xray(item, seen.objects.get("pods", ()))
        behind = [who for who, _ in endpoints(seen, self.service)]
        data = {"xray": asdict(through), "endpoints": sorted(behind)}
        values = {"service": self.service, "wanted": f"{self.key}={self.wrong}"}
        if item["spec"].get("selector", {}).get(self.key) != self.wrong:
            return fails("selector-unset", data, **values)
        if through.matching:
            return refutes("still-found", data, pods=", ".join(through.matching), **values)
        missed = next((miss for miss in through.misses if miss.key == self.key), None)
        if behind or missed is None:
            return fails("endpoints-left", data, count=len(behind), **values)
        return holds(
            "finds-nobody",
            data,
            label=self.key,
            found=f"{self.key}={missed.found}",
            pods=", ".join(missed.pods),
            **values,
        )
