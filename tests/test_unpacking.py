"""Where what is in a pack goes, and which tools are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubetour import tools, unpacking
from kubetour.errors import IntegrityError
from kubetour.packs.manifest import Item, Manifest
from kubetour.pins import pin

SHA256 = "0" * 64
PINNED = pin("kubectl")


def item(kind: str, path: str, name: str = "", version: str = "", sha256: str = SHA256) -> Item:
    return Item(path, kind, 1, sha256, name, version)


def manifest(*items: Item) -> Manifest:
    return Manifest("0.1.0", "", "linux/amd64", "3.11", "", {}, items)


@pytest.mark.parametrize(
    ("packed", "end"),
    [
        (item("wheel", "wheels/a/b/one.whl"), ".kubetour/wheels/one.whl"),
        (item("lesson", "lessons/en.md"), ".kubetour/lessons/en.md"),
        (
            item("tool", "tools/x/y", "kubectl", PINNED.version),
            f"cache/kubetour/kubectl-{PINNED.version}-linux-amd64/kubectl",
        ),
        (item("tool", "tools/x/y", "kind", "v9"), "cache/kubetour/kind-pack-linux-amd64/kind"),
        (item("tool", "tools/x/y", "kind", "pack"), "cache/kubetour/kind-pack-linux-amd64/kind"),
    ],
    ids=["a wheel", "a lesson", "the pinned tool", "another version", "one of some version"],
)
def test_a_file_goes_where_the_project_looks_for_it_whatever_its_path_in_the_pack(
    packed: Item, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "this_system", lambda: "linux/amd64")
    assert str(unpacking._where(packed)).endswith("/" + end)


def test_a_tool_that_calls_itself_the_pinned_one_must_have_its_hash() -> None:
    right = PINNED.sha256["linux/amd64"]
    unpacking._require_pinned(manifest(item("tool", "tools/k", "kubectl", PINNED.version, right)))
    unpacking._require_pinned(manifest(item("tool", "tools/k", "kubectl", "pack")))
    with pytest.raises(IntegrityError) as caught:
        unpacking._require_pinned(manifest(item("tool", "tools/k", "kubectl", PINNED.version)))
    assert caught.value.key == "pack-tampered"


def test_a_tool_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(IntegrityError) as caught:
        unpacking._require_pinned(manifest(item("tool", "tools/sh", "sh", "pack")))
    assert caught.value.key == "pack-member"
