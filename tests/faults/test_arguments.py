"""What nobody should type, or write into a file: refused before anything is made, in their own language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.checkout import Checkout, make
from tests.faults.telling import told_well

EMBEDDED = ("--provider", "embedded")
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which nothing is ever made."""
    return make(tmp_path_factory.mktemp("arguments"))


@pytest.fixture
def untouched(shared: Checkout) -> Iterator[Checkout]:
    """Return that checkout, and prove that no command has run in it."""
    yield shared
    assert {each.name for each in (shared.root / ".kubetour").glob("*")} <= {"lock"}
    assert not (shared.root / "pwned").exists()


REFUSED = [
    *(pytest.param(("--name", name), marks=pytest.mark.fault("F01"), id=f"name {name[:9]!r}")
      for name in ("Bad_Name", "-a", "a.", "a" * 64, "a\n", "ä", "\u202ea", "a: b\nhostNetwork: true")),
    *(pytest.param(("--image", image), marks=pytest.mark.fault("F02"), id=f"image {image[:9]!r}")
      for image in ("x; touch pwned #", "$(touch pwned)", "-v/:/h", "--help", "a b", "a" * 256)),
    *(pytest.param(("--replicas", count), marks=pytest.mark.fault("F04"), id=f"replicas {count}")
      for count in ("-1", "0", "1e9", "1000000000", "abc", "1.5", "NaN")),
    *(pytest.param(("--port", port), marks=pytest.mark.fault("F05"), id=f"port {port}")
      for port in ("0", "65536", "-80", "http")),
]  # fmt: skip


@pytest.mark.parametrize("argument", REFUSED)
def test_a_value_that_breaks_its_rule_is_refused_first(
    untouched: Checkout, argument: tuple[str, str]
) -> None:
    lang = LANGUAGES[len(argument[1]) % 2]
    told = untouched.inv("tour", *EMBEDDED, "=".join(argument), lang=lang, check=2)
    told_well(told, "KT101", lang)
    assert argument[0] in told.stderr


@pytest.mark.fault("F03")
@pytest.mark.parametrize("word", ["no", "on", "null", "y", "e1"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(shared: Checkout, word: str) -> None:
    told = shared.inv("render", *EMBEDDED, "--name", word)
    names = {each["metadata"]["name"] for each in yaml.safe_load_all(told.stdout) if each}
    assert word in names


TEMPLATES = {
    "undefined": ("{{ nothing }}", "KT113"),
    "syntax": ("{% if %}", "KT113"),
    "a file outside": ("{% include '../../../../etc/passwd' %}", "KT112"),
    "out of the sandbox": ("{{ ''.__class__.__mro__ }}", "KT113"),
    "no YAML": ("\n\t: [", "KT114"),
}


@pytest.mark.fault("F07")
@pytest.mark.parametrize("kind", [*TEMPLATES, "missing"])
def test_a_broken_template_is_told_with_its_name(untouched: Checkout, kind: str) -> None:
    lang = LANGUAGES[len(kind) % 2]
    template = untouched.root / "templates/service.yaml.j2"
    whole = template.read_text(encoding="utf-8")
    more, code = TEMPLATES.get(kind, ("", "KT112"))
    try:
        template.write_text(whole + more, encoding="utf-8")
        if kind == "missing":
            template.unlink()
        told = untouched.inv("tour", *EMBEDDED, lang=lang, check=2)
    finally:
        template.write_text(whole, encoding="utf-8")
    told_well(told, code, lang)
    assert "root:" not in told.stdout + told.stderr


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
CONFIGS: dict[str, tuple[str | bytes, str]] = {
    "no YAML": ("a: [", "KT146"),
    "a list": ("[1]", "KT146"),
    "a call": ('kubetour: !!python/object/apply:os.system ["touch pwned"]', "KT146"),
    "a billion": (LAUGHS, "KT146"),
    "itself": ("a: &a [*a]", "KT146"),
    "not UTF-8": (b"\xff\xfe", "KT146"),
    "two megabytes": ("#" * 2_000_000, "KT146"),
    "no section": ("kubetour: [1]", "KT103"),
    "no setting": ("kubetour: {nope: 1}", "KT102"),
    "no number": ("kubetour: {replicas: [1]}", "KT101"),
}


@pytest.mark.fault("F08")
@pytest.mark.parametrize("kind", [*CONFIGS, "directory"])
def test_a_broken_invoke_yaml_is_told_and_not_by_a_traceback(untouched: Checkout, kind: str) -> None:
    path, lang = untouched.root / "invoke.yaml", LANGUAGES[len(kind) % 2]
    content, code = CONFIGS.get(kind, ("", "KT146"))
    if kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        told_well(untouched.inv("tour", *EMBEDDED, lang=lang, check=2), code, lang)
    finally:
        path.rmdir() if kind == "directory" else path.unlink()


@pytest.mark.fault("F09")
@pytest.mark.parametrize(
    "content",
    ["a: [", "[]", "kind: Cluster\nnodes: 3", "a: !!python/name:os.system x", None, "pipe", "device"],
    ids=["no YAML", "a list", "no nodes", "a call", "missing", "a pipe", "a device"],
)
def test_a_kind_config_that_is_none_is_told(untouched: Checkout, tmp_path: Path, content: str | None) -> None:
    lang = LANGUAGES[len(content or "") % 2]
    path = tmp_path / "kind.yaml"
    if content == "pipe":
        os.mkfifo(path)
    elif content == "device":
        path = Path("/dev/zero")
    elif content is not None:
        path.write_text(content, encoding="utf-8")
    told = untouched.inv("create-cluster", *EMBEDDED, "--config", str(path), lang=lang, check=2)
    told_well(told, "KT111", lang)
