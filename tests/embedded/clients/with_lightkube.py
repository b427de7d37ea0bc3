"""The flow by lightkube."""

import sys

from lightkube import ApiError, Client, KubeConfig
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from manifest import config_map, deployment


def main(kubeconfig: str, image: str) -> None:
    client = Client(KubeConfig.from_file(kubeconfig), namespace="default", field_manager="me")
    client.create(Deployment.from_dict(deployment(image)))
    client.wait(Deployment, "shop", for_conditions=["Available"])
    print("available")
    scale = client.get(Deployment.Scale, "shop")
    scale.spec = ScaleSpec(replicas=2)
    client.replace(scale, "shop")
    ready = set()
    for _, pod in client.watch(Pod, labels={"app": "shop"}):
        if any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions or ()):
            ready.add(pod.metadata.name)
        if len(ready) == 2:
            break
    print("scaled to 2")
    for line in client.log(min(ready)):
        print(line, end="")
    for value in ("1", "2"):
        applied = client.apply(ConfigMap.from_dict(config_map(value)))
    print("applied", applied.data)
    client.delete(Deployment, "shop")
    try:
        client.get(Deployment, "shop")
    except ApiError as error:
        print(error.status.code, error.status.reason.replace("NotFound", "Not Found"))


main(*sys.argv[1:])
