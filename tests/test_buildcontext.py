"""The build context: a digest that changes when, and only when, the image could."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour import buildcontext
from kubetour.buildcontext import User, described, read, user, with_tag
from kubetour.errors import UsageError


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return make(tmp_path / "app")


def make(root: Path) -> Path:
    (root / "src").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM node\n")
    (root / "src/app.js").write_text("one")
    (root / "run.sh").write_text("two")
    (root / ".dockerignore").write_text("ignored\n")
    (root / "link").symlink_to("run.sh")
    return root


def digest(root: Path, base: str = "") -> str:
    return read(root, ".", base).digest


def rename(root: Path) -> None:
    (root / "run.sh").rename(root / "start.sh")


def retarget(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("src/app.js")


def harden(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").write_text("two")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a content": lambda root: (root / "src/app.js").write_text("ONE"),
    "a name": rename,
    "an executable bit": lambda root: (root / "run.sh").chmod(0o755),
    "the Dockerfile": lambda root: (root / "Dockerfile").write_text("FROM node:24\n"),
    "a file more": lambda root: (root / "src/new").write_text(""),
    "a file less": lambda root: (root / "src/app.js").unlink(),
    "a link's target": retarget,
    "a link made a file": harden,
    "what is ignored": lambda root: (root / ".dockerignore").write_text("ignored\nsrc\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_changes_with(change: str, app: Path) -> None:
    before = digest(app)
    CHANGES[change](app)
    assert digest(app) != before


NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "an ignored file": lambda root: (root / "ignored").write_text("x"),
    "a time": lambda root: os.utime(root / "run.sh", (1, 1)),
    "a bit that no image keeps apart": lambda root: (root / "run.sh").chmod(0o640),
    "an empty directory": lambda root: (root / "empty").mkdir(),
}


@pytest.mark.parametrize("change", NO_CHANGES)
def test_the_digest_stays_with(change: str, app: Path) -> None:
    before = digest(app)
    NO_CHANGES[change](app)
    assert digest(app) == before


def test_the_digest_changes_with_the_base_image(app: Path) -> None:
    assert len({digest(app), digest(app, "node:24"), digest(app, "node:22")}) == 3


def test_the_digest_does_not_depend_on_where_the_directory_is(app: Path, tmp_path: Path) -> None:
    assert digest(app) == digest(make(tmp_path / "elsewhere"))


FILES = st.dictionaries(st.sampled_from(["a", "b", "ab", "c"]), st.binary(max_size=4), max_size=4)


@given(FILES, FILES)
def test_two_contexts_have_one_digest_if_and_only_if_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    digests = []
    for content in (one, other):
        root = tmp_path_factory.mktemp("context")
        (root / "Dockerfile").write_text("FROM node\n")
        for name, text in content.items():
            (root / name).write_bytes(text)
        digests.append(digest(root))
    assert (digests[0] == digests[1]) is (one == other)


def test_files_sizes_and_tag_are_told(app: Path) -> None:
    context = read(app, "here")
    assert context.directory == "here"
    assert context.files == (".dockerignore", "Dockerfile", "link", "run.sh", "src/app.js")
    assert context.size == sum((app / name).lstat().st_size for name in context.files)
    assert context.tag == context.digest[:12]


def test_a_directory_without_dockerfile_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, "../shop")
    assert caught.value.key == "dockerfile-missing"
    assert caught.value.values["directory"] == "../shop"


def test_a_huge_context_is_refused_before_it_is_read(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buildcontext, "LARGEST", 8)
    with pytest.raises(UsageError) as caught:
        read(app, ".")
    assert caught.value.key == "context-too-large"


def test_a_directory_that_may_not_be_read_is_told(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:  # root, as in CI, may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError) as caught:
        read(app, ".")
    assert caught.value.key == "context-unreadable"


@pytest.mark.parametrize("content", [b"\xff\xfe\n", b"[z-a]\n"], ids=["not UTF-8", "no pattern"])
def test_a_dockerignore_that_cannot_be_read_is_told(app: Path, content: bytes) -> None:
    (app / ".dockerignore").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read(app, ".")
    assert caught.value.key == "context-unreadable"


def test_a_pipe_in_the_context_does_not_hang(app: Path) -> None:
    os.mkfifo(app / "pipe")
    assert stat.S_ISFIFO((app / "pipe").stat().st_mode)
    assert "pipe" in read(app, ".").files


@pytest.mark.parametrize(
    ("image", "tagged"),
    [
        ("web", "web:abc"),
        ("web:1", "web:1"),
        ("localhost:5000/web", "localhost:5000/web:abc"),
        ("localhost:5000/web:1", "localhost:5000/web:1"),
        ("registry.example/team/web", "registry.example/team/web:abc"),
    ],
)
def test_an_image_gets_the_tag_unless_it_has_one(image: str, tagged: str) -> None:
    assert with_tag(image, "abc") == tagged


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("FROM a", ("", ())),
        ("FROM a\nUSER 1000\nEXPOSE 8080", ("1000", (8080,))),
        ("FROM a\nuser app:app\nexpose 80/tcp 53/udp 443", ("app:app", (80, 443))),
        ("FROM a\nUSER 1\nUSER 0", ("0", ())),
        ("FROM a\n# USER 1\nUSER \\\n  2", ("2", ())),
        ("FROM a AS one\nUSER 1\nEXPOSE 80\nFROM b", ("", ())),
        ("FROM a AS One\nUSER 1\nEXPOSE 80\nFROM one\nEXPOSE 81", ("1", (80, 81))),
        ("FROM --platform=$P a AS one\nUSER 1\nFROM one as two\nFROM two", ("1", ())),
        ("FROM a\nARG U\nUSER $U\nEXPOSE $P", ("", ())),
        ("", ("", ())),
    ],
    ids=[
        *("nothing", "both", "any case", "the last counts", "comment and continuation", "another stage"),
        *("a stage above", "two stages above", "a build argument", "no Dockerfile at all"),
    ],
)
def test_what_a_dockerfile_says_of_its_user_and_ports_is_known(
    dockerfile: str, expected: tuple[str, tuple[int, ...]]
) -> None:
    assert described(dockerfile) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, User.ROOT) for text in ("", "root", "0", "0:0", "root:app")),
        *((text, User.NAMED) for text in ("app", "node:node")),
        *((text, User.NUMBERED) for text in ("1000", "101:101")),
    ],
)
def test_whose_user_an_image_runs_as_is_known_as_far_as_it_is_said(text: str, kind: User) -> None:
    assert user(text) is kind
