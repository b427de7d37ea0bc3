"""How long after a change is known to a raw watch a wait of the tour goes on."""

from __future__ import annotations

import http.client
import json
import ssl
import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.embedded import PODS, Client, running, unscheduled
from benchmarks.results import Result
from kubetour.embedded.testing import Server
from kubetour.observe import Cluster, Objects

CHANGES = 200
MOST = 20.0  # ms, p99
PATCH = "application/merge-patch+json"


class RawWatch(threading.Thread):
    """A watch that does nothing but note when each annotation `n` arrives."""

    def __init__(self, server: Server, version: str) -> None:
        super().__init__(daemon=True)
        context = ssl.create_default_context(cafile=str(server.authority))
        self._connection = http.client.HTTPSConnection("127.0.0.1", server.record.port, context=context)
        path = f"{PODS}?watch=1&resourceVersion={version}"
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {server.record.token}"})
        self._answer = self._connection.getresponse()
        self.seen: dict[str, float] = {}
        self.changed = threading.Condition()
        self.start()

    def run(self) -> None:
        """Note each event's time, until the last."""
        while len(self.seen) < CHANGES:
            line = self._answer.readline()
            at = time.monotonic()
            number = json.loads(line)["object"]["metadata"]["annotations"]["n"]
            with self.changed:
                self.seen[number] = at
                self.changed.notify_all()
        self._connection.close()


def _kubeconfig(root: Path, server: Server) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": server.address, "certificate-authority": str(server.authority)},
            }
        ],
        "users": [{"name": "u", "user": {"token": server.record.token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path = root / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def main() -> Result:
    """Print the table; return the delays' p99."""
    delays = []
    with tempfile.TemporaryDirectory(prefix="bench") as root, running() as lent:
        server = lent.server
        client = Client(server)
        made = client.json("POST", PODS, unscheduled("waited"))
        with Cluster(_kubeconfig(Path(root), server), "c", "default") as cluster:
            cluster.wait(("pods",), lambda seen: True, 30.0)
            raw = RawWatch(server, made["metadata"]["resourceVersion"])
            for change in range(CHANGES):
                delays.append(1e3 * _delay(cluster, raw, client, str(change)))
            raw.join(30.0)
        client.close()
    delays.sort()
    p99 = delays[int(len(delays) * 0.99)]
    print(f"| {CHANGES} changes | median, ms | p99, ms | most, ms |\n|---|---|---|---|")
    figures = f"{statistics.median(delays):.2f} | {p99:.2f} | {delays[-1]:.2f}"
    print(f"| the tour goes on after a raw watch knows | {figures} |\n")
    result = Result()
    result.add("p99 of the delay, ms", p99, most=MOST)
    return result


def _delay(cluster: Cluster, raw: RawWatch, client: Client, number: str) -> float:
    """Change the Pod; return by how many seconds the wait went on later than the raw watch knew."""
    body = {"metadata": {"annotations": {"n": number}}}
    patch = threading.Thread(target=client.json, args=("PATCH", f"{PODS}/waited", body, PATCH))

    def met(objects: Objects) -> bool:
        return any(pod["metadata"].get("annotations", {}).get("n") == number for pod in objects["pods"])

    patch.start()
    cluster.wait(("pods",), met, 30.0)
    went_on = time.monotonic()
    patch.join()
    with raw.changed:
        raw.changed.wait_for(lambda: number in raw.seen, 30.0)
    return went_on - raw.seen[number]
