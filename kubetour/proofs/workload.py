"""Checks of Pods, Deployments and Services."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from kubetour.checks import Object, Observation, Proof
from kubetour.proofs.common import condition, endpoints, fails, holds, owner, ready_pods, terminating, verdict
from kubetour.proofs.traffic import Chain


@dataclass(frozen=True)
class PodReady:
    """A bare Pod is Ready, and nothing controls it."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the Pod."""
        pod = seen.named("pods", self.name)
        if pod is None or not condition(pod, "Ready"):
            return fails("pod-waiting", name=self.name, phase=pod["status"].get("phase", "?") if pod else "–")
        if owner(pod):
            return fails("pod-owned", name=self.name)
        image = pod["spec"]["containers"][0]["image"]
        if image != self.image:
            return fails("pod-other-image", name=self.name, image=image)
        return holds(
            "pod", name=self.name, node=pod["spec"]["nodeName"], address=pod["status"].get("podIP", "–")
        )


@dataclass(frozen=True)
class Gone:
    """None of these objects (resource, name) exists, nor any Pod with these labels."""

    looks: ClassVar[tuple[str, ...]] = ("deployments", "pods", "services")
    names: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on every name and label."""
        left = [f"{resource}/{name}" for resource, name in self.names if seen.named(resource, name)]
        left += [f"pods/{pod['metadata']['name']}" for pod in seen.labelled("pods", dict(self.labels))]
        shown = list(dict.fromkeys(left or (f"{resource}/{name}" for resource, name in self.names)))
        return verdict(not left, "gone", "not-gone", names=", ".join(shown))


@dataclass(frozen=True)
class DeploymentReady:
    """The Deployment's controller has seen the latest spec, and all replicas are up to date and available."""

    looks: ClassVar[tuple[str, ...]] = ("deployments", "pods")
    name: str
    replicas: int
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the declared and the observed state."""
        item = seen.named("deployments", self.name)
        if item is None:
            return fails("deployment-absent", name=self.name)
        status, declared = item.get("status", {}), item["spec"].get("replicas", 1)
        available = status.get("availableReplicas", 0)
        data = {"declared": declared, "observed": available}
        current = status.get("observedGeneration", 0) >= item["metadata"]["generation"]
        counts = (status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
        image = item["spec"]["template"]["spec"]["containers"][0]["image"]
        ready = len(ready_pods(seen, item["spec"]["selector"]["matchLabels"]))
        if image != self.image:
            return fails("deployment-other-image", data, name=self.name, image=image)
        met = current and declared == self.replicas == ready and all(count == declared for count in counts)
        key = "deployment" if met else "deployment-waiting"
        return (holds if met else fails)(key, data, name=self.name, declared=declared, observed=available)


@dataclass(frozen=True)
class ReadyEndpoints:
    """The Service has exactly that many ready endpoints, each a Pod."""

    looks: ClassVar[tuple[str, ...]] = ("services", "endpointslices")
    service: str
    count: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the Service's EndpointSlices."""
        item = seen.named("services", self.service)
        if item is None:
            return fails("service-absent", service=self.service)
        ready = sorted(name for name, is_ready in endpoints(seen, self.service) if is_ready)
        address = item["spec"].get("clusterIP", "–")
        values = {"service": self.service, "ready": len(ready), "count": self.count, "address": address}
        met = len(ready) == self.count
        return (holds if met else fails)(
            "endpoints" if met else "endpoints-waiting", {"pods": ready}, **values
        )


@dataclass(frozen=True)
class DeploymentEndpoints:
    """The Deployment is as declared, its Service has an endpoint for each replica, and all hang together.

    The data hold that of `Chain`, for a picture of what was scaled.
    """

    looks: ClassVar[tuple[str, ...]] = Chain.looks
    deployment: DeploymentReady
    endpoints: ReadyEndpoints

    def __call__(self, seen: Observation) -> Proof:
        """Return the first verdict that fails, else that of the Deployment."""
        parts = [check(seen) for check in (self.deployment, self.endpoints, Chain(self.deployment.name))]
        if missed := next((part for part in parts if not part.holds), None):
            return missed
        first, second, chain = (part.data for part in parts)
        data = {"declared": first["declared"], "observed": first["observed"], **chain}
        return holds("scaled", data, declared=first["declared"], ready=len(second["pods"]))


@dataclass(frozen=True)
class ServiceAddress:
    """The Service has a cluster address and a node port; its external address, or that it is pending."""

    looks: ClassVar[tuple[str, ...]] = ("services",)
    service: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict: a pending external address is expected where nothing hands out any."""
        item = seen.named("services", self.service)
        if item is None or not item["spec"].get("clusterIP"):
            return fails("service-absent", service=self.service)
        port = item["spec"]["ports"][0]
        entries = item.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
        external = next((entry.get("ip") or entry.get("hostname") for entry in entries), None)
        values = {
            "address": item["spec"]["clusterIP"],
            "port": port["port"],
            "node_port": port.get("nodePort", "–"),
        }
        if external:
            return holds("service-external", {"external": external}, external=external, **values)
        return replace(holds("service-pending", {"external": None}, **values), for_now=True)


@dataclass(frozen=True)
class Placed:
    """Every Pod of the workload runs on a node."""

    looks: ClassVar[tuple[str, ...]] = ("pods",)
    name: str
    count: int

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict, with the Pods by node."""
        pods = ready_pods(seen, {"app": self.name})
        nodes: dict[str, list[str]] = {}
        for pod in pods:
            nodes.setdefault(pod["spec"].get("nodeName", ""), []).append(pod["metadata"]["name"])
        shown = ", ".join(f"{node} × {len(names)}" for node, names in sorted(nodes.items()))
        met = len(pods) == self.count and "" not in nodes
        return (holds if met else fails)(
            "placed" if met else "placed-waiting", {"nodes": nodes}, count=len(pods), nodes=shown or "–"
        )


@dataclass(frozen=True)
class PodDescribed:
    """The description names a Pod of this workload, and its events tell that it was scheduled and started."""

    looks: ClassVar[tuple[str, ...]] = ("pods", "events")
    labels: tuple[tuple[str, str], ...]

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the Pod's events."""
        printed = "".join(result.stdout for result in seen.results)
        for pod in seen.labelled("pods", dict(self.labels)):
            name = pod["metadata"]["name"]
            if name not in printed or terminating(pod):
                continue
            uid = pod["metadata"]["uid"]
            told = [e for e in seen.objects.get("events", ()) if e["involvedObject"].get("uid") == uid]
            reasons = [e["reason"] for e in sorted(told, key=_when)]
            if {"Scheduled", "Started"} <= set(reasons):
                story = list(dict.fromkeys(reasons))
                return holds("pod-story", {"reasons": story}, name=name, story=" → ".join(story))
            return fails("pod-no-story", name=name, story=" → ".join(reasons) or "–")
        return fails("pod-not-described")


def _when(event: Object) -> str:
    first: str = (
        event.get("eventTime") or event.get("firstTimestamp") or event["metadata"]["creationTimestamp"]
    )
    return first
