"""`inv explain`: one code, several, all of them; and what it says of one that is none."""

from __future__ import annotations

import pytest

from kubetour import codes, explaining
from kubetour.codes import TABLE
from kubetour.explaining import explain
from kubetour.text import LANGUAGES, catalog


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param("en", ("Exit status: 5", "What it means", "How to see it", "How to mend it"), id="en"),
        pytest.param("zh", ("退出码：5", "含义", "如何确认", "如何解决"), id="zh"),
    ],
)
def test_a_code_is_told_with_its_page_in_either_language(
    language: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    explain({"lang": language}, ["KT404"], False)
    out = capsys.readouterr().out
    assert out.startswith("KT404 · forbidden ─")
    assert f"✗ {catalog(language)['error.forbidden']}\n→ {catalog(language)['error.forbidden.fix']}\n" in out
    at = [out.index(word) for word in words]
    assert at == sorted(at)
    assert "kubectl auth can-i --list -n NAMESPACE" in out.replace("\n", " ")


def test_several_are_told_by_code_and_key_and_what_has_no_page_is_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explain({"lang": "en"}, ["setting-unknown", "KT451"], False)
    out = capsys.readouterr().out
    assert out.index("KT102 · setting-unknown") < out.index("KT451 · cause.image-never")
    assert "invoke.yaml sets kubetour.NAME, which is no setting." in out
    assert "no exit status of its own" in out
    assert out.count("How to mend it") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_word_all_are_listed_within_eighty_columns(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.cells import cell_len

    explain({"lang": language}, [], False)
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("KT")]
    assert sorted(listed) == sorted(code.code for code in TABLE)
    assert max(map(cell_len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("word", "near"), [("KT4044", "KT404"), ("forbiden", "forbidden"), ("\x1b[2J", "")], ids=ascii
)
def test_an_unknown_word_is_an_error_that_names_what_is_near(
    word: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        explain({"lang": "en"}, [word], False)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("✗ KT144 There is no code")
    assert f"most like it: {near}" in said
    assert "\x1b[2J" not in said


def test_a_code_that_is_no_longer_raised_is_still_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explaining, "RETIRED", {"KT199": "gone-by"})
    for word in ("kt199", "gone-by"):
        explain({"lang": "en"}, [word], False)
        assert "KT199 (gone-by) is in reports of an earlier kubetour" in capsys.readouterr().out
    assert "- KT199 `gone-by`" in explaining.as_markdown("en")


def test_markdown_and_a_code_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        explain({"lang": "en"}, ["KT101"], True)
    assert ended.value.code == 2
    assert "✗ KT104 --markdown and KT101 exclude each other." in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_a_row_for_each_code_with_five_cells(language: str) -> None:
    rows = [line for line in explaining.as_markdown(language).splitlines() if line.startswith("| **KT")]
    assert len(rows) == len(TABLE)
    assert {row.replace("\\|", "").count("|") for row in rows} == {6}
    assert not [row for row in rows if "<" in row.replace("<br>", "").replace("\\<", "")]


def test_it_works_where_a_setting_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBETOUR_REPLICAS", "many")
    explain({"lang": "en"}, ["KT101"], False)
    assert codes.code_of("setting-invalid") in capsys.readouterr().out
