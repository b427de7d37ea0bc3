"""Clients of a server that may die at any moment: they note what it has acknowledged, and what they saw."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.embedded.serving import TOKEN

PATH = "/api/v1/namespaces/default/configmaps"
COUNTER = "counter"  # the one ConfigMap that all writers change


class Connection:
    """Requests on one connection, one after the other."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._http = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=20)

    def call(self, method: str, name: str = "", body: Any = None) -> tuple[int, Any]:
        """Return status and body of the answer."""
        with self.open(method, f"{PATH}/{name}" if name else PATH, body) as answer:
            return answer.status, json.loads(answer.read())

    def open(self, method: str, path: str, body: Any = None) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        self._http.request(method, path, json.dumps(body) if body else None, headers)
        return self._http.getresponse()

    def close(self) -> None:
        self._http.close()


class Client(threading.Thread, ABC):
    """Works until the server is gone. What fails for another reason is in `error`."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self._connection = Connection(port, trust)

    def run(self) -> None:
        try:
            with contextlib.closing(self._connection):
                self.work()
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            pass  # the server is gone, in the middle of an answer perhaps
        except BaseException as error:
            self.error = error

    @abstractmethod
    def work(self) -> None:
        """Ask the server, again and again."""


@dataclass
class Owned:
    """What a writer knows of its objects: as last acknowledged, and the write whose answer never came."""

    values: dict[str, str] = field(default_factory=dict)
    flying: tuple[str, str | None] | None = None  # None: a deletion


class Writer(Client):
    """Creates, updates and deletes ConfigMaps of its own at random, and counts up one that is everybody's."""

    def __init__(self, port: int, trust: ssl.SSLContext, name: str, owned: Owned, seed: str) -> None:
        super().__init__(port, trust)
        self._owned, self._random, self._name = owned, Random(seed), name  # noqa: S311
        self._seed = seed
        self.acknowledged = 0
        self.revisions: dict[int, tuple[str, str]] = {}  # of acknowledged writes: name and value
        self.counted = 0
        self.counting = False  # a count whose answer never came

    def work(self) -> None:
        while True:
            if self._random.random() < 0.2:
                self._count()
            else:
                self._write(f"{self._name}-{self._random.randrange(4)}")
            self.acknowledged += 1

    def _write(self, name: str) -> None:
        values = self._owned.values
        if name in values and self._random.random() < 0.3:
            self._owned.flying = (name, None)
            status, _ = self._connection.call("DELETE", name)
            assert status == 200, status
            del values[name]
        else:
            value = f"{self._seed}.{self.acknowledged}"
            self._owned.flying = (name, value)
            body = {"metadata": {"name": name}, "data": {"value": value}}
            if name in values:
                status, made = self._connection.call("PUT", name, body)
            else:
                status, made = self._connection.call("POST", "", body)
            assert status in (200, 201), (status, made)
            values[name] = value
            self.revisions[int(made["metadata"]["resourceVersion"])] = (name, value)
        self._owned.flying = None

    def _count(self) -> None:
        """Read, add one, write: with the version that was read, or not at all."""
        status, found = self._connection.call("GET", COUNTER)
        if status == 404:
            found = {"metadata": {"name": COUNTER}, "data": {"value": "1"}}
            self.counting = True
            status, _ = self._connection.call("POST", "", found)
        else:
            found["data"]["value"] = str(int(found["data"]["value"]) + 1)
            self.counting = True
            status, _ = self._connection.call("PUT", COUNTER, found)
        self.counting = False
        assert status in (200, 201, 409), status
        self.counted += status != 409


@dataclass(frozen=True)
class Seen:
    """One event of a watch."""

    revision: int
    name: str
    value: str
    deleted: bool


class Follower(Client):
    """Watches from the version where it was left, as informers do. `expired` says that it was told 410."""

    def __init__(self, port: int, trust: ssl.SSLContext, after: int) -> None:
        super().__init__(port, trust)
        self.after, self.seen, self.expired = after, list[Seen](), False
        self.followed = threading.Event()

    def work(self) -> None:
        with self._connection.open("GET", f"{PATH}?watch=1&resourceVersion={self.after}") as answer:
            self.followed.set()
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    assert event["object"]["code"] == 410, event
                    self.expired = True
                    return
                obj = event["object"]
                metadata = obj["metadata"]
                value = (obj.get("data") or {}).get("value", "")
                revision = int(metadata["resourceVersion"])
                self.seen.append(Seen(revision, metadata["name"], value, event["type"] == "DELETED"))
