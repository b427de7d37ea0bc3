"""Disks that are full, directories that are another's, files that are broken, paths that are odd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.checkout import Checkout, Finished, make
from tests.faults.telling import told_well
from tests.serving import serving

FLAGS = ("--provider", "embedded", "--cluster-name", "files")
SOME = ("tour", *FLAGS, "--quiet", "--from", "build", "--until", "layers")
UNSHARE = shutil.which("unshare") and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0
mounts = pytest.mark.skipif(not UNSHARE, reason="this machine lets us have no mounts of our own")


def within(checkout: Checkout, script: str, lang: str, *argv: str, **environ: str) -> Finished:
    """Run a task after a script that mounts things, which nobody else sees."""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *checkout.command(*argv)],
        cwd=checkout.root, env=checkout.environ(lang, **environ), stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


@mounts
@pytest.mark.fault("F20")
@pytest.mark.parametrize(("size", "lang"), [("4k", "en"), ("16k", "zh"), ("64k", "en"), ("200k", "zh")])
def test_a_full_disk_is_told_and_with_more_room_all_goes_on(checkout: Checkout, size: str, lang: str) -> None:
    script = f"""
        mkdir .kubetour && mount -t tmpfs -o size={size} tmpfs .kubetour || exit 99
        "$@" tour {" ".join(FLAGS)} --quiet --from build --until shared-layers; echo "first $?"
        mount -o remount,size=100m .kubetour
        "$@" tour {" ".join(FLAGS)} --quiet --from build --until shared-layers >&2; echo "then $?"
        "$@" down --check {" ".join(FLAGS)}; echo "down $?"
    """
    told = within(checkout, script, lang)
    assert "first 10\n" in told.stdout, told.told()
    assert "then 0\n" in told.stdout
    assert "down 0\n" in told.stdout
    told_well(told, "KT70[89]", lang)


@mounts
@pytest.mark.fault("F81")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_download_without_space_is_told_and_leaves_no_part_of_it(
    checkout: Checkout, tmp_path: Path, lang: str
) -> None:
    programs = tmp_path / "programs"  # all that is on PATH: no kubectl
    programs.mkdir()
    for name in ("sh", "env", "node"):
        (programs / name).symlink_to(str(shutil.which(name)))
    script = f"""
        mkdir cache && mount -t tmpfs -o size=100k tmpfs cache || exit 99
        PATH={programs} XDG_CACHE_HOME=$PWD/cache "$@" create-cluster {" ".join(FLAGS[:4])}; echo "first $?"
        find cache -type f
    """
    with serving("good", body=b"#" * 1_000_000) as server:
        told = within(checkout, script, lang, KUBETOUR_KUBECTL_URL=server.url)
    assert told.stdout.splitlines()[-1] == "first 10", told.told()
    told_well(told, "KT708", lang)


@mounts
@pytest.mark.fault("F21")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_checkout_that_cannot_be_written_to_is_told(checkout: Checkout, lang: str) -> None:
    script = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'
    told = within(checkout, script, lang, *SOME)
    assert told.status == 10
    told_well(told, "KT709", lang)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
@pytest.mark.fault("F22")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_state_directory_of_someone_elses_is_left_alone(checkout: Checkout, lang: str) -> None:
    state = checkout.root / ".kubetour"
    state.mkdir()
    os.chown(state, 65534, 65534)
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # root, but with nobody's rights
    done = subprocess.run(
        [*bare, *checkout.command(*SOME)],
        cwd=checkout.root, env=checkout.environ(lang), capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 10
    told_well(Finished(done.returncode, done.stdout, done.stderr), "KT709", lang)
    assert list(state.iterdir()) == []
    state.rmdir()


@pytest.mark.fault("F23")
@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_a_state_directory_that_is_none_works_or_is_told(
    checkout: Checkout, tmp_path: Path, kind: str
) -> None:
    state, elsewhere = checkout.root / ".kubetour", tmp_path / "elsewhere"
    if kind == "file":
        state.write_text("theirs", encoding="utf-8")
    else:
        state.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.mkdir()
        checkout.inv(*SOME)
        checkout.clean(*FLAGS)
    else:
        told_well(checkout.inv(*SOME, check=10), "KT709")
    assert kind != "file" or state.read_text(encoding="utf-8") == "theirs"
    state.unlink()


@pytest.mark.fault("F24")
@pytest.mark.parametrize("home", [None, "/proc", "not/absolute", "a\nline"])
def test_a_home_that_is_odd_is_not_needed(checkout: Checkout, tmp_path: Path, home: str | None) -> None:
    environ: dict[str, Any] = {"HOME": "" if home is None else home, "XDG_CACHE_HOME": ""}
    checkout.inv("tour", *FLAGS, "--quiet", "--only", "tools,app,create-cluster,nodes", **environ)


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    "name", ["with spaces", "with a\nline break", "ünï 中文", "quotes'\"$(touch pwned)`"]
)
def test_a_checkout_at_an_odd_path_works(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    odd = make(tmp_path / name)
    odd.inv("tour", *FLAGS, "--quiet", "--from", "build", "--until", "nodes")
    odd.clean(*FLAGS)
    assert not list(tmp_path.rglob("pwned"))


BROKEN = {
    "empty": b"",
    "cut off": b'{"created": ["embedded-cluster/fi',
    "bits flipped": b"\xfb\x22created\x22: []}",
    "another form": b"[]",
    "nested too deep": b"[" * 100_000,
    "of the future": json.dumps({"version": 99, "created": {"all": "new"}, "made": 7, "before": 1}).encode(),
}


@pytest.mark.fault("F26")
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_state_is_told_and_what_was_made_is_found_again(checkout: Checkout, kind: str) -> None:
    lang = ("en", "zh")[len(kind) % 2]
    checkout.inv("tour", *FLAGS, "--quiet", "--from", "build", "--until", "nodes")
    for name in ("created.json", "last.json", "ports.json"):
        (checkout.root / ".kubetour" / name).write_bytes(BROKEN[kind])
    told = checkout.inv("down", "--check", *FLAGS, lang=lang)
    assert kind == "of the future" or "created.json" in told.stdout
    images = checkout.root / ".kubetour/embedded/images"
    assert kind == "of the future" or "delete-image" in told.stdout, "from the slate, all is known again"
    assert checkout.processes() == [], images


@pytest.mark.fault("F27")
@pytest.mark.parametrize("how", ["its server killed", "deleted by hand"])
def test_where_the_ledger_says_a_cluster_that_is_gone_reality_wins(checkout: Checkout, how: str) -> None:
    checkout.inv("tour", *FLAGS, "--quiet", "--from", "build", "--until", "nodes")
    if how == "deleted by hand":
        words = [*checkout.command()[:1], "-m", "kubetour.embedded", "delete", "cluster", "--name", FLAGS[-1]]
        subprocess.run(words, cwd=checkout.root, env=checkout.environ("en"), check=True, capture_output=True)
    else:
        record = json.loads((checkout.root / ".kubetour/created.json").read_text(encoding="utf-8"))
        assert f"embedded-cluster/{FLAGS[-1]}" in record["created"]
        for process in Path("/proc").glob("[0-9]*"):
            words = _words(process)
            if "serve" in words and f"{FLAGS[-1]}" in words and _is_in(process, checkout.root):
                os.kill(int(process.name), 9)
    for lang in ("en", "zh"):
        told = checkout.inv("nodes", *FLAGS, "--timeout", "5", lang=lang, check=5)
        told_well(told, "KT40[15]", lang)
    checkout.inv("tour", "--quiet", "--until", "nodes", "--from", "build")


def _words(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _is_in(process: Path, root: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(root)
    except OSError:
        return False


FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")
@pytest.mark.fault("F28")
def test_a_clock_off_by_an_hour_changes_nothing(checkout: Checkout) -> None:
    checkout.inv("create-cluster", *FLAGS)
    for offset in ("+1h", "-1h"):
        environ: dict[str, Any] = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset}
        checkout.inv("tour", *FLAGS, "--quiet", "--only", "nodes,describe-node", **environ)


@pytest.mark.fault("F29")
@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "TERM": "dumb", "COLUMNS": "40"},
        {"LC_ALL": "", "LANG": "", "NO_COLOR": "1", "TERM": ""},
    ],
    ids=["ASCII", "Turkish, dumb, narrow", "none"],
)
def test_a_terminal_that_can_little_gets_the_same_tour(checkout: Checkout, environ: dict[str, Any]) -> None:
    told = checkout.inv("tour", *FLAGS, "--only", "tools,app,create-cluster,nodes", **environ)
    assert "\x1b" not in told.stdout
    assert (
        checkout.inv("tour", *FLAGS, "--until=nope", "--lang=zh", check=2, **environ).stderr.count("KT107")
        == 1
    )
