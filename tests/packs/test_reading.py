"""Reading a pack: what was changed, cut off or slipped in is refused, and nothing of it is put anywhere."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubetour.errors import IntegrityError, KubetourError, ResourceError, UsageError
from kubetour.packs.first import main
from kubetour.packs.manifest import Manifest, require_fit
from kubetour.packs.reading import check, opened, place, place_wheels
from kubetour.project import ROOT
from tests.packs.making import FILES, make, member, remake

SHAPES = ("class", "class.tar", "class.tar.gz", "class.tgz")


def status_of(pack: Path, manifest: Manifest) -> int | None:
    """Return the exit status that a pack is refused with; None if all of it is there."""
    try:
        return None if check(pack) == manifest else 1
    except KubetourError as error:
        return error.exit_status


def keep(said: dict[str, Any]) -> None:
    """Change nothing."""


def of_first(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda said: said["files"][0].update(values)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_whole_pack_is_what_was_packed(shape: str, tmp_path: Path) -> None:
    pack = make(tmp_path / shape)
    manifest = check(pack)
    require_fit(manifest, ROOT)
    assert {item.path for item in manifest.files} == set(FILES)
    assert [(item.name, item.version) for item in manifest.of("image")] == [("shop:1", "sha256:abc")]
    assert place_wheels(pack, tmp_path / "to") == (2, 2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()} == {
        name.rpartition("/")[2]: content for name, content in FILES.items() if name.startswith("wheels")
    }
    assert place_wheels(pack, tmp_path / "to") == (2, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_at_whichever_byte_it_is_cut_off_it_is_refused(shape: str, tmp_path: Path) -> None:
    pack = make(tmp_path / shape)
    if pack.is_dir():
        wheel = pack / next(iter(FILES))
        wheel.write_bytes(wheel.read_bytes()[:-1])
        with pytest.raises(IntegrityError):
            check(pack)
        return
    whole, manifest = pack.read_bytes(), check(pack)
    refused = []
    for size in range(0, len(whole), max(1, len(whole) // 80)):
        pack.write_bytes(whole[:size])
        # Behind the last file there are only zeros, and they do not matter.
        if (status := status_of(pack, manifest)) is not None:
            refused.append(size)
            assert status in (2, 11)
    assert max(refused) > len(whole) / 3
    assert refused == list(range(0, max(refused) + 1, max(1, len(whole) // 80)))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (of_first(sha256="0" * 64), "pack-tampered"),
        (of_first(size=1), "pack-tampered"),
        (of_first(path="wheels/three.whl"), "pack-member"),
        (of_first(path="wheels/../../evil"), "pack-manifest"),
        (of_first(path="/wheels/evil"), "pack-manifest"),
        (of_first(path="lessons/one.md"), "pack-manifest"),
        (of_first(path="wheels/a\x1b[31m"), "pack-manifest"),
        (of_first(path="wheels/a\\b"), "pack-manifest"),
        (of_first(path="wheels"), "pack-manifest"),
        (of_first(kind="other"), "pack-manifest"),
        (of_first(name="--privileged"), "pack-manifest"),
        (of_first(size=True), "pack-manifest"),
        (of_first(sha256=None), "pack-manifest"),
        (lambda said: said["files"].append(said["files"][0]), "pack-manifest"),
        (lambda said: said.pop("locks"), "pack-manifest"),
        (lambda said: said.update(system="\x1b]0;title\x07"), "pack-manifest"),
        (lambda said: said.update(settings={"host": "somebody@elsewhere"}), "pack-manifest"),
        (lambda said: said.update(settings={"base": "node:24"}), ""),
        (lambda said: said.update(files={}), "pack-missing"),
        (lambda said: said.update(version=2), "pack-newer"),
        (lambda said: said.update(version=None), ""),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    change: Callable[[dict[str, Any]], None], key: str, tmp_path: Path
) -> None:
    changed = remake(make(tmp_path / "class.tar"), change)
    if not key:
        check(changed)
        return
    with pytest.raises(KubetourError) as caught:
        check(changed)
    # Without files, whatever lies in it is one that the list does not name.
    assert caught.value.key == ("pack-member" if key == "pack-missing" else key)


@pytest.mark.parametrize(
    "extra",
    [
        member("../evil", size=3),
        member("/etc/evil", size=3),
        member("wheels/more.whl", size=3),
        member("wheels/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("wheels/link", tarfile.LNKTYPE, "pack.json"),
        member("wheels/pipe", tarfile.FIFOTYPE),
        member("dev", tarfile.CHRTYPE),
        member("wheels", tarfile.DIRTYPE),
        member("wheels/one-1-py3-none-any.whl", size=3),
        member("a\x1b]0;title\x07", size=3),
    ],
    ids=lambda member: repr(member.name) + member.type.decode(),
)
def test_a_member_that_no_pack_has_is_refused(extra: tarfile.TarInfo, tmp_path: Path) -> None:
    changed = remake(make(tmp_path / "class.tar"), keep, extra)
    with pytest.raises(IntegrityError) as caught:
        check(changed)
    assert caught.value.key == "pack-member"
    assert str(caught.value.values["file"]).isprintable()


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    pack = remake(make(tmp_path / "class.tar"), of_first(path="wheels/a.whl"))
    with tarfile.open(pack, "a") as archive:
        archive.addfile(member("wheels/a.whl", tarfile.SYMTYPE, "one-1-py3-none-any.whl"))
    with pytest.raises(IntegrityError):
        check(pack)


@pytest.mark.parametrize("kind", ["the file", "its directory"])
def test_a_link_in_a_directory_is_refused(kind: str, tmp_path: Path) -> None:
    pack = make(tmp_path / "class")
    linked = pack / (next(iter(FILES)) if kind == "the file" else "wheels")
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError) as caught:
        check(pack)
    assert caught.value.key == "pack-member"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    pack = make(tmp_path / "class")
    (pack / "images/0.tar").unlink()
    with pytest.raises(IntegrityError) as caught:
        check(pack)
    assert (caught.value.key, caught.value.values["file"]) == ("pack-missing", "images/0.tar")


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"system": "plan9/mips"}, "pack-system"),
        ({"python": "3.9"}, "pack-python"),
        ({"locks": "other"}, "pack-locks"),
    ],
)
def test_a_pack_for_another_machine_is_told_apart(changed: dict[str, str], key: str, tmp_path: Path) -> None:
    manifest = check(make(tmp_path / "class.tar", **changed))
    with pytest.raises(UsageError) as caught:
        require_fit(manifest, ROOT)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "what", ["nothing", "an empty file", "a text", "another archive", "another directory"]
)
def test_what_is_no_pack_is_said_to_be_none(what: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    if what == "another directory":
        path.mkdir()
    elif what == "another archive":
        with tarfile.open(path, "w") as archive:
            archive.addfile(member("README"))
    elif what != "nothing":
        path.write_text("" if what == "an empty file" else "hello" * 300)
    with pytest.raises(KubetourError) as caught:
        check(path)
    assert caught.value.key in ("pack-none", "pack-broken")


def test_a_file_is_put_there_whole_or_not_at_all(tmp_path: Path) -> None:
    changed = remake(make(tmp_path / "class.tar"), of_first(sha256="0" * 64))
    with opened(changed) as (_, files):
        item, source = next(files)
        with pytest.raises(IntegrityError):
            place(item, source, tmp_path / "to" / "one.whl")
    assert list((tmp_path / "to").iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "to").write_text("no directory")
    with pytest.raises(ResourceError) as caught:
        place_wheels(make(tmp_path / "class.tar"), tmp_path / "to")
    assert caught.value.values["path"].startswith(str(tmp_path / "to"))


@pytest.mark.parametrize(("lang", "word"), [("en", "is no pack"), ("zh", "不是打好的包")])
def test_with_a_bare_python_too_an_error_is_told_with_its_fix(
    lang: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBETOUR_LANG", lang)
    monkeypatch.setenv("KUBETOUR_CWD", os.fspath(tmp_path))
    assert main("nothing.tar") == 2
    said = capsys.readouterr().err
    assert word in said
    assert "→" in said
