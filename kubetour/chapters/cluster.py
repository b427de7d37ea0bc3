"""The chapters at both ends of a cluster: it comes up, and all is cleaned up."""

from __future__ import annotations

from kubetour.proofs.cluster import ApiServer, Ended, NodeDescribed, NodesReady
from kubetour.proofs.workload import Gone
from kubetour.providers import Provider
from kubetour.steps import Lookup, Run, Stage, Step


def cluster(provider: Provider) -> tuple[Step, ...]:
    """Return the chapter in which the cluster comes up and shows its nodes."""
    up = provider.up()
    needs = tuple(step.id for step in up) or ("tools",)
    nodes = provider.nodes()
    first = Lookup(provider.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"))
    return (
        *up,
        Step(
            "cluster-info",
            Stage.CLUSTER,
            (provider.kubectl("cluster-info"),),
            ApiServer(provider.skew),
            confirm=(provider.kubectl("version", "-o", "json"),),
            needs=needs,
            refusable=not provider.owns_cluster,  # it asks for the add-ons' Services, too
        ),
        Step(
            "nodes",
            Stage.CLUSTER,
            (provider.kubectl("get", "nodes", "-o", "wide"),),
            NodesReady(len(nodes), ours=provider.owns_cluster),
            needs=needs,
            refusable=not provider.owns_cluster,
        ),
        Step(
            "describe-node",
            Stage.CLUSTER,
            (provider.kubectl("describe", "node", nodes[0] if nodes else first),),
            NodeDescribed(),
            needs=("nodes",),
            refusable=not provider.owns_cluster,
        ),
    )


def clean_up(provider: Provider, images: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps that remove what the tour made: the app, the cluster if it is ours, these images."""
    settings = provider.settings
    pod = f"{settings.name}-pod"
    kinds = (("deployment", settings.name), ("service", settings.name), ("pod", pod), ("service", pod))
    delete = provider.kubectl("delete", *(f"{kind}/{name}" for kind, name in kinds), "--ignore-not-found")
    names = tuple((f"{kind}s", name) for kind, name in kinds)
    app = Step("delete-app", Stage.DOWN, (delete,), Gone(names, (("app", settings.name),)))
    listing = Run((*provider.engine, "images", "--format", "{{.Repository}}:{{.Tag}}"))
    image = Step(
        "delete-image",
        Stage.DOWN,
        tuple(Run((*provider.engine, "image", "rm", image)) for image in images),
        Ended(images),
        confirm=(listing,),
        removes=tuple(f"{provider.engine_name}-image/{image}" for image in images),
    )
    return app, *provider.down(), *((image,) if images else ())
