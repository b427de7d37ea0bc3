"""HTTP through the API server to a Pod; with kubectl and real Pods it is in test_streams.py."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from tests.embedded.serving import serving


@pytest.mark.parametrize("pod", ["web", "proxy", "proxy-7d4b9"])
@pytest.mark.parametrize("path", ["/", "/some/proxy/path?a=b"])
def test_what_follows_the_subresource_is_the_path(tmp_path: Path, pod: str, path: str) -> None:
    async def tell(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.raw_path)

    async def scenario() -> str:
        runner = web.ServerRunner(web.Server(tell))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with serving(tmp_path) as cluster:
                body = {"metadata": {"name": pod}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
                cluster.registry.create("pods", body, "default")
                status = {"status": {"podIP": "127.0.0.1"}}
                cluster.registry.patch("pods", pod, status, "default", subresource="status")
                port = runner.addresses[0][1]
                answer = await cluster.call(
                    "GET", f"/api/v1/namespaces/default/pods/{pod}:{port}/proxy{path}"
                )
                return answer.text
        finally:
            await runner.cleanup()

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) == path
