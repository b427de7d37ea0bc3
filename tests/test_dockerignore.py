"""Which files are the build context: .dockerignore by Docker's documented rules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetour.dockerignore import files, ignored, parse


@pytest.mark.parametrize(
    ("pattern", "out", "kept"),
    [
        # The examples of https://docs.docker.com/build/concepts/context/#dockerignore-files
        ("*/temp*", ["somedir/temporary.txt", "somedir/temp"], ["temp", "a/b/temp"]),
        ("*/*/temp*", ["somedir/subdir/temporary.txt"], ["somedir/temporary.txt"]),
        ("temp?", ["tempa", "tempb", "tempa/x"], ["temp", "tempab", "a/tempa"]),
        ("**/*.go", ["a.go", "a/b.go", "a/b/c.go"], ["a.gox", "go"]),
        ("/foo/bar", ["foo/bar", "foo/bar/x"], ["bar", "x/foo/bar"]),
        ("foo/bar", ["foo/bar"], ["foo", "foo/barx"]),
        # A directory takes all that lies in it
        ("node_modules", ["node_modules/a/b.js"], ["app/node_modules/a.js"]),
        ("node_modules/", ["node_modules/a/b.js"], ["node_modulesx"]),
        ("**/node_modules", ["node_modules/a", "app/node_modules/a/b"], ["app/modules"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["docsx"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/bc", "b"]),
        ("*", ["a", "a/b", ".git"], []),
        ("**", ["a", "a/b"], []),
        # Lines are trimmed and cleaned as Go's filepath.Clean does
        ("  a  ", ["a"], ["b"]),
        ("./a//b/../c", ["a/c"], ["a/b"]),
        ("# a", [], ["a", "# a"]),
        ("", [], ["a"]),
        (".", [], ["a"]),
        # Go's filepath.Match: sets, and the backslash
        ("[ab].txt", ["a.txt", "b.txt"], ["c.txt", "ab.txt"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("\\#a", ["#a"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a+(b)$", ["a+(b)$"], ["ab"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_one_pattern_leaves_out(pattern: str, out: list[str], kept: list[str]) -> None:
    patterns = parse(pattern)
    assert [path for path in out + kept if ignored(path, patterns)] == out


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("*.md\n!README.md", ["a.md"], ["README.md"]),
        # The last line that matches decides: https://docs.docker.com/build/concepts/context/#negating-matches
        ("*.md\n!README*.md\nREADME-secret.md", ["a.md", "README-secret.md"], ["README.md"]),
        ("*.md\nREADME-secret.md\n!README*.md", ["a.md"], ["README.md", "README-secret.md"]),
        ("*\n!app", ["x", "apps/x"], ["app/a.js", "app/b/c.js"]),
        ("*\n!app/app.js", ["app/other.js", "x"], ["app/app.js"]),
        ("a\n!a/b\na/b/c", ["a/x", "a/b/c"], ["a/b/d"]),
        ("# comment\n\n! a \n*\n!a", ["b"], ["a"]),
        ("\ufeffa\r\nb\r\n", ["a", "b"], ["c"]),
    ],
    ids=[
        "one back",
        "the last decides",
        "and the other way",
        "a directory back",
        "a file back",
        "three",
        "!",
        "BOM",
    ],
)
def test_lines_are_read_in_their_order(text: str, out: list[str], kept: list[str]) -> None:
    patterns = parse(text)
    assert [path for path in out + kept if ignored(path, patterns)] == out


def test_a_range_that_runs_backwards_is_an_error_that_names_the_pattern() -> None:
    with pytest.raises(ValueError, match=r"\.dockerignore: \[z-a\]"):
        ignored("a", parse("[z-a]"))


@pytest.mark.parametrize("pattern", ["[[:alpha:]", "a[b-", "[]", "[&&]", "[~~||]"])
def test_what_only_looks_like_a_set_of_another_language_is_taken_as_it_stands(pattern: str) -> None:
    assert not ignored("é", parse(pattern))


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_without_a_dockerignore_every_file_is_context_in_sorted_order(tmp_path: Path) -> None:
    make(tmp_path, "b", "a/c", "a/b/d", "Dockerfile", ".hidden")
    assert list(files(tmp_path)) == [".hidden", "Dockerfile", "a/b/d", "a/c", "b"]


def test_a_file_deep_in_an_excluded_directory_comes_back(tmp_path: Path) -> None:
    make(tmp_path, "x/y/keep/a", "x/y/other", "x/z/a", "w/keep/a")
    (tmp_path / ".dockerignore").write_text("*\n!x/y/keep\n!**/z/a\n")
    assert list(files(tmp_path)) == ["x/y/keep/a", "x/z/a"]


def test_an_excluded_directory_that_cannot_return_is_not_even_opened(tmp_path: Path) -> None:
    make(tmp_path, "node_modules/a", "src/b")
    (tmp_path / ".dockerignore").write_text("node_modules\n.dockerignore\n")
    listed: list[str] = []
    scan = os.scandir

    def told(path: Path) -> os._ScandirIterator[str]:
        listed.append(path.name)
        return scan(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", told)
        assert list(files(tmp_path)) == ["src/b"]
    assert "node_modules" not in listed


def test_symbolic_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/a")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to("absent")
    assert list(files(tmp_path)) == ["loop", "nowhere", "real/a"]


NAMES = st.lists(st.sampled_from(["a", "b", "ab", "c.md"]), min_size=1, max_size=3).map("/".join)
GLOBS = st.builds(
    "{}{}".format,
    st.sampled_from(["", "!"]),
    st.lists(st.sampled_from(["a", "b", "*", "**", "a*", "?", "[ab]", "*.md"]), min_size=1, max_size=3).map(
        "/".join
    ),
)


@given(st.sets(NAMES, max_size=6), st.lists(GLOBS, max_size=4))
def test_skipping_whole_directories_never_loses_a_file(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], lines: list[str]
) -> None:
    root = tmp_path_factory.mktemp("context")
    for name in sorted(names, key=len, reverse=True):
        path = root / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
    every = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()} | {".dockerignore"}
    (root / ".dockerignore").write_text("\n".join(lines))
    patterns = parse("\n".join(lines))
    assert list(files(root)) == sorted(
        (name for name in every if not ignored(name, patterns)), key=lambda name: name.split("/")
    )
