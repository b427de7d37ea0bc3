"""The one reader of the cluster: raw JSON, kept current by watches.

A typed object of the `kubernetes` package costs a second of CPU for its models; raw JSON does not.
Nothing here polls: each resource that a check looks at is listed once and then watched.
What is one object only (SINGLE) is read once for each wait.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kubetour.checks import Object
from kubetour.errors import ClusterError, HostError
from kubetour.kubeconfig import Kubeconfig
from kubetour.recording import Recorder, Recording
from kubetour.refusals import brief, is_forbidden
from kubetour.resources import PATHS, SINGLE, is_older
from kubetour.restclient import Query, RestClient, Timeout, connect

Objects = Mapping[str, tuple[Object, ...]]

CONNECT = 5.0  # seconds
QUIET = 330.0  # seconds without a byte after which a watch is given up; the server ends it before
CLOSING = 1.0  # seconds for a watch to end by itself
MOST_LOG = 4096  # bytes of a log that are read
PAUSE = 0.2  # seconds between attempts to reach a server that does not answer


class Cluster:
    """What a cluster's API server says, live. Close it, or use it as a context manager."""

    def __init__(self, kubeconfig: Kubeconfig, context: str, namespace: str) -> None:
        self._where = kubeconfig, context
        self._namespace = namespace
        self._client: RestClient | None = None
        self._connecting = threading.Lock()  # nobody but who needs a connection waits for it
        self._changed = threading.Condition()
        self._stores: dict[str, dict[str, Object]] = {}
        self._errors: dict[str, Exception] = {}
        self._responses: dict[str, Any] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._closed = threading.Event()
        self._recorder = Recorder()
        self._listeners: list[Callable[[], None]] = []

    def __enter__(self) -> Cluster:
        """Return the cluster itself."""
        return self

    def __exit__(self, *unused: object) -> None:
        """End every watch."""
        self.close()

    def close(self) -> None:
        """End every watch and the connections."""
        self._closed.set()
        for response in list(self._responses.values()):
            with contextlib.suppress(Exception):
                response.shutdown()  # wakes the thread that reads from it
        for thread in self._threads.values():
            thread.join(CLOSING)
        if self._client is not None:
            self._client.close()

    def wait(
        self,
        looks: Iterable[str],
        met: Callable[[Objects], bool],
        timeout: float,
        tick: Callable[[Objects], None] | None = None,
    ) -> Objects:
        """Return the objects as soon as `met`, or as they are when `timeout` seconds have passed.

        `tick` is told of every change. ClusterError if something could not be read at all until then, and
        at once if this user may not read it.
        """
        looks = tuple(looks)
        deadline = time.monotonic() + timeout
        self._start(looks)
        with self._changed:
            while True:
                whole = all(name in self._stores for name in looks)
                objects = {name: tuple(self._stores.get(name, {}).values()) for name in looks}
                if whole and met(objects):
                    return objects
                for error in self._errors.values():
                    if isinstance(error, HostError):
                        raise error
                left = deadline - time.monotonic()
                missing = [self._errors.get(name) for name in looks if name not in self._stores]
                if left <= 0 or any(map(is_forbidden, missing)):
                    break
                if tick:
                    tick(objects)
                self._changed.wait(left)
        for name in looks:
            if name not in self._stores:
                reason = self._errors.get(name)
                if isinstance(reason, ClusterError) and is_forbidden(reason):
                    raise reason
                raise ClusterError("cluster-unreachable", context=self._where[1], reason=brief(reason))
        return objects

    @contextlib.contextmanager
    def recording(self, looks: Iterable[str], timeout: float) -> Iterator[Recording]:
        """Record what happens to these resources while the body runs; ClusterError if they cannot be read."""
        looks = tuple(looks)
        self.wait(looks, lambda seen: True, timeout)
        with self._changed:
            recording = self._recorder.begin({name: self._stores[name] for name in looks})
        try:
            yield recording
        finally:
            with self._changed:
                self._recorder.end(recording)

    @contextlib.contextmanager
    def telling(self, looks: Iterable[str], listener: Callable[[Objects], None]) -> Iterator[None]:
        """Tell `listener`, while the body runs, all that is known of these resources, at every change.

        What this user may not read is left out. It is told in the thread of a watch, which waits meanwhile.
        """
        looks = tuple(looks)

        def tell() -> None:
            listener({name: tuple(self._stores[name].values()) for name in looks if name in self._stores})

        self._start(looks)
        with self._changed:
            self._listeners.append(tell)
            tell()
        try:
            yield
        finally:
            with self._changed:
                self._listeners.remove(tell)

    def trouble(self) -> str:
        """Return why what is known may not be current, "" if all watches go on; HostError if they cannot."""
        with self._changed:
            lost = next((error for error in self._errors.values() if isinstance(error, HostError)), None)
            stale = [error for name, error in self._errors.items() if name in self._stores]
        if lost:
            raise lost
        return brief(stale[0]) if stale else ""

    def _start(self, looks: Iterable[str]) -> None:
        for name in looks:
            if name in self._threads and self._threads[name].is_alive():
                continue
            with self._changed:
                self._stores.pop(name, None)
                self._errors[name] = TimeoutError("no answer")
            thread = threading.Thread(target=self._follow, args=(name,), daemon=True, name=f"watch-{name}")
            thread.start()
            self._threads[name] = thread

    def _follow(self, name: str) -> None:
        """Keep one resource's store current until closed: list, then watch from there, again and again."""
        path = PATHS[name].format(namespace=self._namespace)
        while not self._closed.is_set():
            try:
                if name in SINGLE:
                    about = {"client": _client_version()} if name == "version" else {}
                    self._put(name, {name: {**self._json(path), **about}})
                    return
                version = self._list(name, path)
                for event in self._watch(name, path, version):
                    if not self._apply(name, event):
                        break
            except Exception as error:  # whatever it is, it is told if the wait fails because of it
                if self._closed.is_set():
                    return
                far = None if isinstance(self._where[0], str) else self._where[0].trouble()
                with self._changed:
                    self._errors[name] = far or error
                    self._notify()
                if is_forbidden(error):
                    return  # asking again does not help
                self._closed.wait(PAUSE)

    def _list(self, name: str, path: str) -> str:
        answer = self._json(path)
        kind = str(answer.get("kind", "")).removesuffix("List")
        items = [{"kind": kind, **item} for item in answer.get("items") or ()]
        self._put(name, {item["metadata"]["uid"]: item for item in items})
        return str(answer["metadata"]["resourceVersion"])

    def _put(self, name: str, store: dict[str, Object]) -> None:
        with self._changed:
            self._recorder.listed(name, self._stores.get(name, {}), store)
            self._stores[name] = store
            self._errors.pop(name, None)
            self._notify()

    def _apply(self, name: str, event: Mapping[str, Any]) -> bool:
        """Take one watch event; False if the watch cannot go on (410 Gone)."""
        if event["type"] == "ERROR":
            return False
        if event["type"] == "BOOKMARK":
            return True
        item = event["object"]
        with self._changed:
            if is_older(item, self._stores[name].get(item["metadata"]["uid"])):
                return True
            self._recorder.told(name, event["type"], item)
            if event["type"] == "DELETED":
                self._stores[name].pop(item["metadata"]["uid"], None)
            else:
                self._stores[name][item["metadata"]["uid"]] = item
            self._notify()
        return True

    def _notify(self) -> None:
        """Wake whoever waits, and tell the listeners. The lock is held."""
        self._changed.notify_all()
        for tell in self._listeners:
            tell()

    def log(self, pod: str, lines: int) -> str:
        """Return the last lines of a Pod's log; ClusterError, or urllib3's, if it cannot be had."""
        path = PATHS["pods"].format(namespace=self._namespace) + f"/{pod}/log"
        query = (("tailLines", str(lines)), ("limitBytes", str(MOST_LOG)))
        response = self._get(path, query, (CONNECT, CONNECT), "text/plain, */*")
        return bytes(response.data).decode(errors="replace")

    def _json(self, path: str) -> dict[str, Any]:
        response = self._get(path, (), (CONNECT, 30.0))
        answer: dict[str, Any] = json.loads(response.data)
        return answer

    def _watch(self, name: str, path: str, version: str) -> Iterator[Mapping[str, Any]]:
        query = (("watch", "1"), ("resourceVersion", version), ("allowWatchBookmarks", "true"))
        response = self._responses[name] = self._get(
            path, (*query, ("timeoutSeconds", "300")), (CONNECT, QUIET)
        )
        rest = b""
        try:
            if self._closed.is_set():  # closed while this watch was being opened
                return
            for chunk in response.stream(amt=65536):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
        finally:
            response.close()  # a watch that ended half-way would keep its connection

    def _get(
        self,
        path: str,
        query: Query,
        timeout: Timeout,
        accept: str = "application/json",
    ) -> Any:
        """Return urllib3's response, its body still to be read; ClusterError for anything but a 200."""
        response = self._connection().get(path, query, accept, timeout)
        if response.status != 200:
            body = response.data.decode(errors="replace")
            response.release_conn()
            raise ClusterError("cluster-refused", path=path, status=response.status, reason=brief(body))
        return response

    def _connection(self) -> RestClient:
        with self._connecting:
            if self._client is None:
                kubeconfig, context = self._where
                path = kubeconfig if isinstance(kubeconfig, str) else kubeconfig.path()
                self._client = connect(path, context)
            return self._client


def _client_version() -> str:
    from importlib import metadata  # 20 ms that few runs need

    return metadata.version("kubernetes")
