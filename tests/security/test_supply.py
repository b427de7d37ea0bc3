"""Rules 9 and 10: what is downloaded is pinned and listed, and what is known of it is asked for."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kubetour.project import ROOT
from tests.test_lock import LOCKS, entries

SBOM = json.loads((ROOT / "sbom.cdx.json").read_text(encoding="utf-8"))
PACKAGES = [part for part in SBOM["components"] if part["purl"].startswith("pkg:pypi/")]


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_sbom_is_made_of_the_locks_as_they_are() -> None:
    """If this fails after .ci/lock or a new pin: .ci/sbom."""
    assert json.loads(run(".ci/sbom", "--print").stdout) == SBOM


def test_it_has_every_package_of_the_locks_and_no_other() -> None:
    locked = {(entry.name, entry.version) for lock in LOCKS for entry in entries(lock)}
    assert {(part["name"], part["version"]) for part in PACKAGES} == locked
    running = {entry.name for entry in entries("requirements.lock")}
    assert {part["name"] for part in PACKAGES if part["scope"] == "required"} == running


def test_it_has_every_program_that_is_downloaded_with_its_digest() -> None:
    pinned = json.loads((ROOT / "kubetour" / "pinned.json").read_text(encoding="utf-8"))
    digests = {digest for pin in pinned.values() for digest in pin["sha256"].values()}
    listed = [part for part in SBOM["components"] if part["purl"].startswith("pkg:generic/")]
    assert {part["hashes"][0]["content"] for part in listed} == digests
    for part in listed:
        assert part["externalReferences"][0]["url"].startswith("https://")


def test_it_has_the_form_of_cyclonedx() -> None:
    assert (SBOM["bomFormat"], SBOM["specVersion"], SBOM["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", SBOM["serialNumber"])
    references = [part["bom-ref"] for part in SBOM["components"]]
    assert len(references) == len(set(references))
    for part in SBOM["components"]:
        assert part["type"] in ("library", "application", "container")
        assert part["scope"] in ("required", "optional", "excluded")


@contextmanager
def osv(answer: bytes) -> Iterator[tuple[str, list[Any]]]:
    """Yield the address of a server that gives one answer, and what it was asked."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_an_audit_asks_for_every_package_and_names_what_is_known() -> None:
    results: list[Any] = [{} for _ in PACKAGES]
    results[3] = {"vulns": [{"id": "GHSA-xxxx", "modified": "2026-01-01T00:00:00Z"}]}
    with osv(json.dumps({"results": results}).encode()) as (url, asked):
        done = run(".ci/audit", "--url", url)
    assert done.returncode == 1
    assert f"{PACKAGES[3]['purl']}: GHSA-xxxx" in done.stdout
    ((path, question),) = asked
    assert path == "/v1/querybatch"
    assert question == {"queries": [{"package": {"purl": part["purl"]}} for part in PACKAGES]}


def test_an_audit_without_findings_says_how_many_it_asked_for() -> None:
    with osv(json.dumps({"results": [{} for _ in PACKAGES]}).encode()) as (url, _):
        done = run(".ci/audit", "--url", url)
    assert (done.returncode, done.stdout) == (
        0,
        f"audit: {len(PACKAGES)} packages, 0 known vulnerabilities, 0 waived\n",
    )


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"results": []}', b"[]", b'{"results": 1}'])
def test_an_answer_that_is_none_is_no_audit(answer: bytes) -> None:
    with osv(answer) as (url, _):
        done = run(".ci/audit", "--url", url)
    assert done.returncode == 3
    assert "NOTHING WAS AUDITED" in done.stderr


def test_without_network_it_says_that_nothing_was_audited() -> None:
    done = run(".ci/audit", "--url", "http://127.0.0.1:1")
    assert done.returncode == 3
    assert "NOTHING WAS AUDITED" in done.stderr


def test_packages_are_installed_by_their_hashes_only() -> None:
    text = (ROOT / "inv").read_text(encoding="utf-8")
    installs = [part for part in re.split(r"(?<!\\)\n", text) if re.search(r"pip install", part)]
    assert len(installs) == 2, "uv and pip"
    for line in installs:
        assert "--require-hashes -r" in line
        assert "--no-build" in line or "--only-binary :all:" in line


@pytest.mark.parametrize("path", ["inv", ".ci/run", ".ci/axe", ".ci/hadolint", "Dockerfile"])
def test_nothing_is_piped_into_a_shell_and_nothing_is_the_latest(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"(curl|wget)[^\n]*\|\s*(ba)?sh\b", text)
    assert not re.search(r"[:@/]latest\b", text)


@pytest.mark.parametrize("path", [".ci/axe", ".ci/hadolint"])
def test_what_ci_fetches_for_tests_is_checked_by_its_digest(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(r"^digest=[0-9a-f]{64}\b", text, re.MULTILINE)
    assert "sha256sum --check" in text or "--require-hashes" in text


def test_nobody_is_told_that_kubetour_runs() -> None:
    """No telemetry: the hosts that the package names are those of downloads, and of pages to read."""
    asking = [
        path.name
        for path in (ROOT / "kubetour").rglob("*.py")
        if re.search(
            r"^(import|from) (urllib\.request|requests|http\.client|urllib3)|import urllib\.request",
            path.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]
    assert sorted(asking) == ["curl.py", "download.py", "testing.py", "web.py"]
