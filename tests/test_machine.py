"""The facts of this machine: read from files and variables; programs are asked, and never waited for long."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import machine, tools
from kubetour.machine import (
    Host,
    Program,
    cgroup_version,
    first,
    gather,
    host,
    missing_kubeconfig,
    number,
    unwritable,
    wsl_version,
)
from kubetour.pins import Pin, pin, this_system
from kubetour.tools import Tool
from tests.making import put

NOBODY = 65534  # on Linux and macOS alike it may write nothing of the system's


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (("cgroup.controllers", "cgroup.procs"), 2),
        (("memory", "cpu,cpuacct", "unified"), 1),
        ((), 0),
        (None, 0),
    ],
    ids=["unified", "legacy or hybrid", "nothing is mounted", "no such directory"],
)
def test_the_version_of_cgroups_is_that_of_what_is_mounted(
    names: tuple[str, ...] | None, version: int, tmp_path: Path
) -> None:
    mount = tmp_path / "cgroup"
    if names is not None:
        mount.mkdir()
    for name in names or ():
        (mount / name).touch()
    assert cgroup_version(mount) == version


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("6.12.0-amd64", 0),
        ("25.1.0", 0),
        ("4.4.0-19041-Microsoft", 1),
        ("5.15.167.4-microsoft-standard-WSL2", 2),
        ("4.19.128-microsoft-standard", 2),
    ],
)
def test_wsl_is_known_by_its_kernels_release(release: str, version: int) -> None:
    assert wsl_version(release) == version


def test_a_directory_that_can_be_written_to_has_no_trouble(tmp_path: Path) -> None:
    assert unwritable(tmp_path) == ""
    assert unwritable(tmp_path / "to be made") == ""
    assert list(tmp_path.iterdir()) == [], "nothing is left"


def test_a_directory_that_cannot_be_written_to_says_why(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert unwritable(file) == "Not a directory"
    assert unwritable(tmp_path / "absent" / "deeper") == "No such file or directory"


@pytest.fixture
def mortal() -> Iterator[None]:
    """Be, for a test, a user who may not write everywhere: nobody, where root runs the tests."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    yield
    if is_root:
        os.seteuid(0)


@pytest.mark.usefixtures("mortal")
def test_a_directory_of_someone_elses_is_unwritable() -> None:
    assert unwritable(Path("/usr")) == "Permission denied"


@pytest.mark.parametrize(
    ("named", "missing"),
    [
        ("{here}", ""),
        ("{absent}", "{absent}"),
        ("{absent}:{here}", ""),
        ("{absent}:{absent}2", "{absent}:{absent}2"),
        ("", "~/.kube/config"),
        (":", ":"),
    ],
    ids=["there", "absent", "one of two", "two absent", "none named, no default", "only separators"],
)
def test_a_kubeconfig_is_missing_if_none_of_its_files_is_there(
    named: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").touch()
    places = {"here": str(tmp_path / "config"), "absent": str(tmp_path / "absent")}
    assert missing_kubeconfig({"KUBECONFIG": named.format(**places)}) == missing.format(**places)


def test_the_users_own_kubeconfig_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").touch()
    assert missing_kubeconfig({}) == ""


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("128\n", "", 128),
        ("MemTotal:  16 kB\nMemAvailable:    8 kB\n", "MemAvailable:", 8),
        ("MemTotal:  16 kB\n", "MemAvailable:", 0),
        ("MemAvailable:\n", "MemAvailable:", 0),
        ("many\n", "", 0),
        ("", "", 0),
        (None, "", 0),
    ],
    ids=["bare", "labelled", "no such label", "no number", "no digits", "empty", "absent"],
)
def test_a_number_is_read_from_a_file_that_the_kernel_offers(
    text: str | None, label: str, expected: int, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    if text is not None:
        file.write_text(text)
    assert number(file, label) == expected


@pytest.mark.parametrize(
    ("environ", "proxy", "no_proxy"),
    [
        ({}, "", ""),
        ({"https_proxy": "http://a:1", "NO_PROXY": "x"}, "http://a:1", "x"),
        ({"HTTPS_PROXY": "http://a:1", "http_proxy": "http://b:1"}, "http://a:1", ""),
        ({"HTTP_PROXY": "http://b:1", "no_proxy": "*"}, "http://b:1", "*"),
        ({"ALL_PROXY": "socks5://c:1"}, "socks5://c:1", ""),
    ],
    ids=["none", "lower case", "HTTPS before HTTP", "HTTP", "for all"],
)
def test_proxies_are_known_in_both_cases(environ: dict[str, str], proxy: str, no_proxy: str) -> None:
    found = host(environ)
    assert (found.proxy, found.no_proxy) == (proxy, no_proxy)


def test_a_proxys_password_is_not_told() -> None:
    assert host({"https_proxy": "http://me:secret@proxy.example:3128"}).proxy == "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("body", "version", "why"),
    [
        ("echo v24.1.0", "24.1.0", ""),
        ("echo 'curl 8.14.1 (x86_64) libcurl/8.14.1'", "8.14.1", ""),
        ("echo hello", "", "tells no version"),
        ("echo broken >&2; exit 1", "", "broken"),
        ("exit 3", "", "exit status 3"),
    ],
)
def test_a_program_that_is_called_whether_it_works_or_not_tells_how_it_is(
    body: str, version: str, why: str, tmp_path: Path
) -> None:
    path = put(tmp_path, "program", body)
    expected = Program(Tool(path, version)) if version else Program(None, (f"{path}: {why}",))
    assert first(path) == expected


def test_a_program_that_is_not_there_has_no_facts() -> None:
    assert first(None) == Program()


def test_nothing_at_all_is_found_on_an_empty_path(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = gather(c)
    assert found.daemons == ()
    assert {found.kubectl, found.kind, found.node, found.curl} == {Program()}
    assert found.host.python
    assert list(tmp_path.iterdir()) == [], "nothing was downloaded"


def test_after_ctrl_c_nothing_more_is_asked(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    found: list[Pin] = []

    def present(wanted: Pin, place: tools.Place) -> tuple[Tool | None, list[str]]:
        found.append(wanted)
        asked.set()
        go_on.wait(20)
        return None, []

    def interrupted(environ: object) -> Host:
        asked.wait(20)
        raise KeyboardInterrupt

    class OneByOne(ThreadPoolExecutor):
        def __init__(self) -> None:
            super().__init__(1)

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            go_on.set()
            super().shutdown(wait=wait)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "present", present)
    monkeypatch.setattr(machine, "host", interrupted)
    monkeypatch.setattr(machine, "ThreadPoolExecutor", OneByOne)
    with pytest.raises(KeyboardInterrupt):
        gather(c)
    assert len(found) == 1


def test_a_tool_kept_from_an_earlier_download_is_found(
    c: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wanted, system = pin("kind"), this_system().replace("/", "-")
    kept = tmp_path / "kubetour" / f"kind-{wanted.version}-{system}"
    kept.mkdir(parents=True)
    path = put(kept, "kind", "echo 'kind v0.32.0 go1.26 linux/amd64'")
    assert gather(c).kind == Program(Tool(path, "0.32.0"))
