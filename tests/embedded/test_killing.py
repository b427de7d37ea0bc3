"""kill -9 of the API server at random moments, hundreds of times, while clients write and watch.

KUBETOUR_KILLS says how often (200), KUBETOUR_SEED which moments. Each turn, what the store's file holds is
compared with what the server had acknowledged, and with what a watch that goes on from its last version saw.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kubetour.embedded.etcd import Store
from tests.embedded.commands import PROJECT, until
from tests.embedded.killing import COUNTER, Follower, Owned, Seen, Writer

KILLS = int(os.environ.get("KUBETOUR_KILLS", "200"))
WRITERS = 3
PREFIX = "/configmaps/default/"


class Zygote:
    """Servers over one store, one after the other (tests/embedded/zygote.py)."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.zygote", str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
        )
        self._pid = 0

    def start(self, compact: int) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{compact}\n".encode())
        self._process.stdin.flush()
        self._pid = int(self._line())

    def port(self) -> int:
        return int(self._line())

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        while self._line() != b"ended\n":
            continue

    def close(self) -> None:
        self._process.communicate(timeout=20)
        assert self._process.returncode == 0

    def _line(self) -> bytes:
        assert self._process.stdout
        return self._process.stdout.readline()


class History:
    """All that happened to ConfigMaps, as the store's file tells it while no server has it open."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "state.db"
        self.changes: list[Seen] = []
        self.revision = self.compacted = 0

    def read(self) -> None:
        """Take what was added; none of it may have been there in another form."""
        store = Store(self._path)
        try:
            assert store.revision >= self.revision
            assert store.compacted <= self.revision, "what was compacted had been read before"
            for change in store.history(PREFIX, self.revision, 1_000_000):
                obj = json.loads(change.value)
                value = (obj.get("data") or {}).get("value", "")
                name = obj["metadata"]["name"]
                assert obj["metadata"]["resourceVersion"] == str(change.revision)
                self.changes.append(Seen(change.revision, name, value, change.deleted))
            self.revision, self.compacted = store.revision, store.compacted
            self.present = {
                item["metadata"]["name"]: item["data"]["value"]
                for item in (json.loads(entry.value) for entry in store.range(PREFIX))
                if "data" in item and "value" in item["data"]
            }
            (whole,) = store._db.execute("PRAGMA quick_check").fetchone()
            assert whole == "ok"
        finally:
            store.close()

    def after(self, revision: int) -> list[Seen]:
        return [change for change in self.changes if change.revision > revision]


class Trial:
    """Turn after turn: a server, its clients, its death, and the reckoning."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311
        self.directory = directory
        self.zygote = Zygote(directory)
        self.history = History(directory)
        self.owned = {f"writer{number}": Owned() for number in range(WRITERS)}
        self.followed = 0  # the last version that a watch has brought
        self.counted = self.uncertain = 0
        self.seen: Counter[str] = Counter()

    def first(self) -> None:
        """Have everything in place once; from then on there are certificates, and the first objects."""
        self.zygote.start(0)
        self.zygote.port()
        self.zygote.kill()
        self.history.read()
        self.followed = self.history.revision
        self.trust = ssl.create_default_context(cafile=str(self.directory / "pki" / "ca.crt"))

    def turn(self, number: int) -> None:
        random, history = self.random, self.history
        # Now and then the history that a watch would go on from is gone.
        compact = random.choice((0, 0, 0, self.followed, history.revision))
        self.zygote.start(compact)
        if random.random() < 0.15:
            threading.Event().wait(random.uniform(0, 0.03))
            self.zygote.kill()
            history.read()
            self.seen["killed as it started"] += 1
            return
        port = self.zygote.port()
        writers = [
            Writer(port, self.trust, name, owned, f"{number}.{name}") for name, owned in self.owned.items()
        ]
        follower = Follower(port, self.trust, self.followed)
        clients = [*writers, follower]
        for client in clients:
            client.start()
        enough = random.randrange(25)
        until(lambda: any(client.error for client in clients) or follower.followed.is_set())
        until(
            lambda: (
                any(client.error for client in clients)
                or sum(writer.acknowledged for writer in writers) >= enough
            )
        )
        self.zygote.kill()
        for client in clients:
            client.join(20)
            assert not client.is_alive()
            assert client.error is None, client.error
        history.read()
        self._nothing_acknowledged_is_lost(writers)
        self._the_count_is_right(writers)
        self._the_watch_went_on(follower)
        self.seen["writes acknowledged"] += sum(writer.acknowledged for writer in writers)

    def _nothing_acknowledged_is_lost(self, writers: list[Writer]) -> None:
        there = {change.revision: change for change in self.history.changes}
        for writer in writers:
            for revision, (name, value) in writer.revisions.items():
                assert there[revision] == Seen(revision, name, value, False)
        for prefix, owned in self.owned.items():
            found = {k: v for k, v in self.history.present.items() if k.startswith(prefix)}
            if found != owned.values:
                assert owned.flying, "an acknowledged write is lost"
                flying, wanted = owned.flying
                changed = {k: v for k, v in owned.values.items() if k != flying}
                assert found == (changed if wanted is None else {**changed, flying: wanted})
                self.seen["writes done and not acknowledged"] += 1
            owned.values, owned.flying = found, None

    def _the_count_is_right(self, writers: list[Writer]) -> None:
        """Each count that was acknowledged was on top of all those before it."""
        self.counted += sum(writer.counted for writer in writers)
        self.uncertain += sum(writer.counting for writer in writers)
        found = int(self.history.present.get(COUNTER, "0"))
        assert self.counted <= found <= self.counted + self.uncertain
        counts = [int(change.value) for change in self.history.changes if change.name == COUNTER]
        assert counts == list(range(1, found + 1))

    def _the_watch_went_on(self, follower: Follower) -> None:
        gone = follower.after < self.history.compacted
        assert gone or not follower.expired
        if gone:
            assert follower.seen == [], "history that is gone was told"
            self.followed = self.history.revision  # as after a new list
            self.seen["watches told 410"] += follower.expired
            return
        wanted = self.history.after(follower.after)
        assert follower.seen == wanted[: len(follower.seen)], "a watch has a gap, or something twice"
        self.seen["events watched"] += len(follower.seen)
        # Now and then it forgets, as one that was away does: it will go on from long ago.
        if follower.seen and self.random.random() < 0.8:
            self.followed = follower.seen[-1].revision


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path, seed=int(os.environ.get("KUBETOUR_SEED", "1")))
    try:
        made.first()
        yield made
    finally:
        made.zygote.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_whenever_the_server_is_killed_nothing_is_lost_and_watches_go_on(trial: Trial) -> None:
    for number in range(KILLS):
        trial.turn(number)
    print(dict(trial.seen))
    if KILLS >= 100:
        expected = {"killed as it started", "writes acknowledged", "events watched", "watches told 410"}
        assert expected <= set(trial.seen), trial.seen
