"""What travels, and what goes: by contents, and never outside of the project's directory there."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kubetour import buildcontext
from kubetour.project import ROOT
from kubetour.remote import shipping
from kubetour.remote.shipping import changes

OLD = {"context": {"Dockerfile": "f1", "app/a.js": "f2"}, "package": {"kubetour/a.py": "f3"}}


@pytest.mark.parametrize(
    ("wanted", "changed", "removed"),
    [
        ({}, (), ()),
        (OLD, (), ()),
        ({"context": {"Dockerfile": "f1", "app/a.js": "f9"}}, ("app/a.js",), ()),
        ({"context": {"Dockerfile": "f1", "app/a.js": "x2"}}, ("app/a.js",), ()),
        ({"context": {"Dockerfile": "f1"}}, (), ("app/a.js",)),
        ({"context": {"Dockerfile": "f1", "b": "f4"}}, ("b",), ("app/a.js",)),
        ({"context": {"Dockerfile": "f1", "app/a.js": "f2", "kubetour/a.py": "f3"}}, (), ()),
        ({"file p": {".kubetour/bin/p": "x5"}}, (".kubetour/bin/p",), ()),
    ],
    ids=["nothing", "the same", "content", "mode", "gone", "both", "in two parts", "another part"],
)
def test_only_what_differs_travels(
    wanted: dict[str, dict[str, str]], changed: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    found = changes(wanted, OLD)
    assert (found.changed, found.removed) == (changed, removed)
    assert bool(found) == bool(changed or removed)
    assert found.then == {**OLD, **wanted}


def test_a_part_that_is_not_wanted_now_stays_for_what_runs_from_it() -> None:
    then = changes({"context": {}}, OLD).then
    assert then["package"] == OLD["package"]
    assert changes({"context": {}}, OLD).removed == ("Dockerfile", "app/a.js")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        '{"context": 1}',
        '{"context": {"../../etc/passwd": "f"}}',
        '{"context": {"/etc/passwd": "f"}}',
        '{"context": {"a/../../b": "f"}}',
        '{"context": {"": "f"}}',
        '{"context": {"a": 1}}',
    ],
)
def test_a_broken_list_of_what_is_there_names_nothing_to_remove(text: str) -> None:
    assert changes({}, shipping.read_manifest(text)).removed == ()
    assert changes({"context": {}}, shipping.read_manifest(text)).removed == ()


def test_the_list_is_read_as_it_was_written() -> None:
    assert shipping.read_manifest(shipping.write_manifest(OLD)) == OLD


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return a build context with odd names, a link, and a program."""
    (tmp_path / "app 中文").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    (tmp_path / ".dockerignore").write_text("secret\n", encoding="utf-8")
    (tmp_path / "secret").write_text("not for others", encoding="utf-8")
    (tmp_path / "app 中文/it's $HOME").write_text("x", encoding="utf-8")
    (tmp_path / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "run").chmod(0o750)
    (tmp_path / "link").symlink_to("run")
    return tmp_path


def test_a_build_context_ships_as_the_engine_would_get_it(app: Path, tmp_path: Path) -> None:
    files = shipping.context_files(buildcontext.read(app, "."), app)
    assert set(files) == {"Dockerfile", ".dockerignore", "app 中文/it's $HOME", "run", "link"}
    packed = io.BytesIO()
    umask = os.umask(0o077)
    try:
        shipping.pack(files, tuple(files), packed)
    finally:
        os.umask(umask)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        found = {entry.name: (entry.mode, entry.uid, entry.linkname) for entry in archive}
    assert found == {
        "app 中文": (0o755, 0, ""),
        "Dockerfile": (0o644, 0, ""),
        ".dockerignore": (0o644, 0, ""),
        "app 中文/it's $HOME": (0o644, 0, ""),
        "run": (0o755, 0, ""),
        "link": (0o755, 0, "run"),
    }


@pytest.mark.parametrize(
    ("directory", "there"),
    [
        (".", "."),
        ("shop", "shop"),
        ("deep/shop", "deep/shop"),
        ("..shop", "..shop"),
        ("../shop", shipping.CONTEXT),
        ("..", shipping.CONTEXT),
        ("/srv/shop", shipping.CONTEXT),
    ],
)
def test_a_context_from_outside_lies_in_a_place_of_its_own(directory: str, there: str) -> None:
    assert shipping.directory_there(directory) == there


def test_a_hash_tells_content_mode_and_links_apart(app: Path) -> None:
    first = shipping.hashes({"run": app / "run"})
    (app / "run").chmod(0o640)
    second = shipping.hashes({"run": app / "run"})
    linked = shipping.hashes({"run": app / "link"})
    assert len({first["run"], second["run"], linked["run"]}) == 3


@pytest.mark.parametrize("program", ["steady", "forwarded"])
def test_a_program_needs_no_more_of_the_package_than_is_shipped(program: str, tmp_path: Path) -> None:
    for name, path in shipping.program_files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / name)
    argv = [
        sys.executable,
        "-S",
        "-m",
        f"kubetour.{program}",
        "--help",
    ]
    done = subprocess.run(argv, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_has_all_that_the_embedded_cluster_needs_and_no_state() -> None:
    names = set(shipping.package_files())
    assert {
        "kubetour/embedded/__main__.py",
        "kubetour/embedded/schema.json",
        "kubetour/curl.py",
        "inv",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".kubetour", ".venv"))]
    assert all((ROOT / name).is_file() for name in names)
