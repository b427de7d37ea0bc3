"""The flow by kr8s."""

import asyncio
import sys

import kr8s
from kr8s.asyncio.objects import ConfigMap, Deployment
from manifest import config_map, deployment


async def main(kubeconfig: str, image: str) -> None:
    api = await kr8s.asyncio.api(kubeconfig=kubeconfig)
    shop = await Deployment(deployment(image), api=api)
    await shop.create()
    await shop.wait("condition=Available", timeout=30)
    print("available")
    await shop.scale(2)
    ready = {}
    async for _, pod in api.watch("pods", label_selector={"app": "shop"}):
        if await pod.ready():
            ready[pod.name] = pod
        if len(ready) == 2:
            break
    print("scaled to 2")
    async for line in ready[min(ready)].logs():
        print(line)
    settings = await ConfigMap(config_map("1"), api=api)
    await settings.create()
    await settings.patch({"data": {"a": "2"}})
    print("applied", dict(settings.data))
    await shop.delete()
    try:
        await Deployment.get("shop", api=api)
    except kr8s.NotFoundError:
        print("404 Not Found")


asyncio.run(main(*sys.argv[1:]))
