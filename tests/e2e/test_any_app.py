"""The tour of apps that are not our own, on the embedded cluster: who answered, or what is not proved."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.apps import APPS, HITS, App, missing
from tests.e2e.checkout import Checkout, make

PYTHON = APPS[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout; afterwards, nothing of it may run, whatever the test did."""
    (tmp_path / "project").mkdir()
    checkout = make(tmp_path / "project")
    yield checkout
    checkout.clean()


def flags(app: App) -> tuple[str, ...]:
    """Return what names the app, as one types it in the project."""
    named = ("--image", "shop", "--name", "shop", "--port", str(app.port))
    return (
        "--provider",
        "embedded",
        "--cluster-name",
        f"any-{app.name}",
        "--app-dir",
        f"../{app.name}",
        *named,
    )


def write(directory: Path, name: str, dockerfile: str, **files: str) -> None:
    (directory / name).mkdir()
    for file, text in {"Dockerfile": dockerfile, **files}.items():
        (directory / name / file).write_text(text, encoding="utf-8")


def steps(checkout: Checkout) -> dict[str, Any]:
    return {step["step"]: step for step in checkout.report()["steps"]}


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_the_tour_proves_every_step_and_says_how_it_knew_who_answered(checkout: Checkout, app: App) -> None:
    if missing(app) and not os.environ.get("CI"):
        pytest.skip(f"the program of {app.base} is not on PATH")
    app.copy(checkout.root.parent)
    checkout.inv("tour", *flags(app), "--replicas", "2", "--down")
    taken = steps(checkout)
    assert checkout.report()["ok"]
    assert {name for name, step in taken.items() if step["proof"]["notes"]} == set(app.noted)
    for name in ("hit-container", *HITS):
        assert taken[name]["proof"]["data"]["way"] == app.way, name
    counted = taken["hit-all"]["proof"]["data"]["answers"]
    assert len(counted) == (2 if app.way else 0)
    assert sum(counted.values()) == (taken["hit-all"]["proof"]["data"]["requests"] if app.way else 0)
    assert any("not proved" in note.lower() for note in taken["hit-all"]["proof"]["notes"]) is not bool(
        app.way
    )


def test_what_a_tour_found_out_holds_for_the_tasks_after_it(checkout: Checkout) -> None:
    """An answer from outside the Pods is as good as theirs, but that it lacks their header gives it away."""
    PYTHON.copy(checkout.root.parent)
    checkout.inv("tour", *flags(PYTHON), "--replicas", "2", "--quiet")
    checkout.inv("hit")
    ports = checkout.root / ".kubetour/ports.json"
    with impostor() as port:
        ports.write_text(json.dumps({**json.loads(ports.read_text()), "host": port}), encoding="utf-8")
        told = checkout.inv("hit", "--timeout", "15", check=6)
    assert "of no Pod of this workload" in told.stderr
    assert "one of its headers" in told.stderr
    assert steps(checkout)["hit-inside"]["ok"]


@contextmanager
def impostor() -> Iterator[int]:
    """Serve what the app serves, but for its header; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b"<p>Hello.</p>")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_the_script_of_the_tour_runs_by_itself(checkout: Checkout) -> None:
    PYTHON.copy(checkout.root.parent)
    script = checkout.inv("script", *flags(PYTHON), "--replicas", "2", "--down").stdout
    try:
        assert "X-Served-By: shop-" in checkout.run_script(script).stdout
    finally:
        # A script that ends in the middle leaves a cluster of which no record here tells.
        checkout.inv("down", *flags(PYTHON)[:4], check=None)


DEAF = """\
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
ThreadingHTTPServer(("127.0.0.1", {port}), SimpleHTTPRequestHandler).serve_forever()
"""


def test_an_app_that_heeds_no_port_is_told_what_to_do(checkout: Checkout) -> None:
    """Whoever has the port already, be it the first Pod, the app cannot have it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        source = DEAF.format(port=taken.server_port)
        write(
            checkout.root.parent,
            "deaf",
            'FROM python:3\nCOPY s.py /\nCMD ["python", "/s.py"]',
            **{"s.py": source},
        )
        app = App("deaf", "python:3", taken.server_port, "")
        only = "build,create-cluster,load,deploy"
        told = checkout.inv("tour", *flags(app), "--timeout", "8", "--only", only, check=None)
    assert told.status != 0
    assert "  • KT454 Pod shop" in told.stderr
    assert "the port its app wants is taken: OSError" in told.stderr
    assert "HOST and PORT" in told.stderr
    assert "--provider kind" in told.stderr


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        (
            "FROM python:3\nRUN pip install flask",
            ("cannot do a Dockerfile's RUN", "COPY its result", "Dockerfile:2"),
        ),
        (
            'FROM erlang\nCMD ["no-such-program"]',
            ("'no-such-program'", "FROM erlang stands for this machine"),
        ),
    ],
    ids=["RUN", "a program that is not here"],
)
def test_what_the_embedded_cluster_cannot_build_is_told_with_its_fix(
    checkout: Checkout, dockerfile: str, words: tuple[str, ...]
) -> None:
    write(checkout.root.parent, "other", dockerfile)
    told = checkout.inv("tour", *flags(App("other", "", 8000, "")), "--only", "build", check=4)
    for word in words:
        assert word in told.stderr
    assert "\n→ " in told.stderr
