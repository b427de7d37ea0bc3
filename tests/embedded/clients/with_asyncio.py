"""The flow by the asyncio half of the official client."""

import asyncio
import sys

from kubernetes.aio import client, config, watch
from manifest import config_map, deployment

APPLY = "application/apply-patch+yaml"


async def main(kubeconfig: str, image: str) -> None:
    configuration = client.Configuration()
    await config.load_kube_config(kubeconfig, client_configuration=configuration)
    async with client.ApiClient(configuration) as api:
        apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
        await apps.create_namespaced_deployment("default", deployment(image))
        async with watch.Watch() as changes:
            async for event in changes.stream(apps.list_namespaced_deployment, "default", timeout_seconds=30):
                if event["object"].status.available_replicas == 1:
                    break
        print("available")
        await apps.patch_namespaced_deployment_scale("shop", "default", {"spec": {"replicas": 2}})
        ready = set()
        async with watch.Watch() as changes:
            stream = changes.stream(
                core.list_namespaced_pod, "default", label_selector="app=shop", timeout_seconds=30
            )
            async for event in stream:
                pod = event["object"]
                if any(
                    item.type == "Ready" and item.status == "True" for item in pod.status.conditions or ()
                ):
                    ready.add(pod.metadata.name)
                if len(ready) == 2:
                    break
        print("scaled to 2")
        print(await core.read_namespaced_pod_log(min(ready), "default"), end="")
        for value in ("1", "2"):
            applied = await core.patch_namespaced_config_map(
                "settings", "default", config_map(value), field_manager="me", _content_type=APPLY
            )
        print("applied", applied.data)
        await apps.delete_namespaced_deployment("shop", "default")
        try:
            await apps.read_namespaced_deployment("shop", "default")
        except client.ApiException as error:
            print(error.status, error.reason)


asyncio.run(main(*sys.argv[1:]))
