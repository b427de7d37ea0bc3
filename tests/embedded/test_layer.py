from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.embedded import layer
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.layer import Entry


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o644
    return info, content


def test_what_is_written_comes_out_again(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    entries = [
        Entry("d", None, 0o755),
        Entry("d/file", source, 0o640),
        Entry("d/link", None, 0o777, link="file"),
    ]
    with (tmp_path / "blob").open("wb") as out:
        made = layer.write(entries, out)
    assert made.content_size == 7
    assert made.size == (tmp_path / "blob").stat().st_size
    root = tmp_path / "root"
    root.mkdir()
    layer.unpack(tmp_path / "blob", root)
    assert (root / "d" / "file").read_bytes() == b"content"
    assert (root / "d" / "file").stat().st_mode & 0o777 == 0o640
    assert os.readlink(root / "d" / "link") == "file"
    assert layer.paths(tmp_path / "blob") == {"d": True, "d/file": False, "d/link": False}


@given(st.permutations(["a", "a/b", "a/b/c", "a-b", "z"]))
def test_the_order_of_entries_does_not_matter(names: list[str]) -> None:
    def digest(order: list[str]) -> str:
        return layer.write([Entry(name, None, 0o755) for name in order], io.BytesIO()).digest

    assert digest(names) == digest(sorted(names))


def test_whiteouts_remove_what_lower_layers_had(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("keep", "gone", "dir/old"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", encoding="utf-8")
    blob = tar(tmp_path / "blob", member(".wh.gone"), member("dir/.wh..wh..opq"), member("dir/new", b"n"))
    layer.unpack(blob, root)
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == ["dir/new", "keep"]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param((member("../out", b"x"),), id="a path with .."),
        pytest.param((member("l", b"", tarfile.SYMTYPE, "/tmp"), member("l/out", b"x")), id="through a link"),
        pytest.param(
            (member("l", b"", tarfile.SYMTYPE, "../.."), member("l/out", b"x")), id="a relative link"
        ),
    ],
)
def test_nothing_is_written_outside_of_the_root(
    tmp_path: Path, members: tuple[tuple[tarfile.TarInfo, bytes], ...]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(EmbeddedError, match="not unpacked"):
        layer.unpack(tar(tmp_path / "blob", *members), root)
    assert not (tmp_path / "out").exists()
    assert not Path("/tmp/out").exists()


def test_a_file_replaces_a_link_rather_than_what_it_points_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine", encoding="utf-8")
    root = tmp_path / "root"
    root.mkdir()
    blob = tar(tmp_path / "blob", member("f", b"", tarfile.SYMTYPE, str(outside)), member("f", b"theirs"))
    layer.unpack(blob, root)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert (root / "f").read_text(encoding="utf-8") == "theirs"


def test_a_layer_that_is_no_tar_is_told(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"no tar")
    with pytest.raises(EmbeddedError, match="build or load the image again"):
        layer.unpack(tmp_path / "blob", tmp_path)
