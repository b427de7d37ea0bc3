"""The page in a real Chromium: it loads nothing, nothing complains, its buttons work, and all can be read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetour.course import course
from kubetour.html import files
from kubetour.project import TEMPLATES
from kubetour.records import read
from kubetour.state import State
from tests.html import axe, sample
from tests.html.chromium import Tab, browser, find

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
SECTIONS = (
    "summary",
    "wrong",
    "claims",
    "timeline",
    "structure",
    "answers",
    "nodes",
    "layers",
    "phases-pods",
    "load-hit-all",
    "steps",
    "settings",
)
# An element counts as shown if it takes room on the page.
SHOWN = (
    "(selector) => [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length).length"
)
NAMES = (Path(__file__).parent / "names.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """Return a page of a browser, or skip where there is none; CI must have one."""
    program = find()
    if not program and os.environ.get("CI"):
        pytest.fail("CI must have Chromium: apt-get install chromium")
    if not program:
        pytest.skip("chromium not found: apt-get install chromium")
    with browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a page of a run that failed, with hostile output."""
    root = tmp_path_factory.mktemp("run")
    documents = sample.documents(sample.failed(), planned=("later",))
    titles = course().titles()
    return files.write(State(root), root / "a b", documents, "en", titles, TEMPLATES).as_uri()


@pytest.fixture
def opened(tab: Tab, url: str) -> Tab:
    """Return the page, freshly loaded, in a wide window that prefers light."""
    tab.size(1200, 900)
    tab.prefers("light")
    tab.open(url)
    return tab


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a page of two runs, one of which failed with hostile output."""
    root = tmp_path_factory.mktemp("two")
    one, other = sample.documents(sample.failed())["en"], sample.documents()["en"]
    other["steps"][0]["commands"][0]["text"] = other["steps"][1]["proof"]["text"] = sample.HOSTILE
    other["settings"]["replicas"] = 5
    for name, document in (("one", one), ("other", other)):
        (root / name).write_text(json.dumps(document), encoding="utf-8")
    a, b = (read(root / name) for name in ("one", "other"))
    return files.write_comparison(State(root), a, b, "en", course().titles(), TEMPLATES).as_uri()


def shown(tab: Tab, selector: str) -> int:
    count: int = tab.evaluate(f"({SHOWN})({selector!r})")
    return count


def click(tab: Tab, selector: str) -> None:
    tab.evaluate(f"document.querySelector({selector!r}).click()")


def test_nothing_complains_and_nothing_is_asked_for(opened: Tab) -> None:
    for selector in ("[data-language=zh]", "#theme", "#outputs", ".copy"):
        click(opened, selector)
    opened.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert opened.told() == []
    assert opened.evaluate("performance.getEntriesByType('resource').length") == 0


def test_a_complaint_and_a_request_would_be_noticed(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<img src=http://example.invalid/x.png><script>throw Error('oh')</script>", encoding="utf-8"
    )
    tab.open(page.as_uri())
    told = "\n".join(tab.told())
    assert "http://example.invalid/x.png" in told
    assert "oh" in told


def test_what_an_app_prints_does_not_run_and_the_policy_would_not_let_it(opened: Tab) -> None:
    assert opened.evaluate("document.scripts.length") == 1
    assert opened.evaluate(
        "new Promise((done) => {"
        "  document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));"
        "  const script = document.createElement('script');"
        "  script.textContent = 'window.ran = true';"
        "  document.body.append(script);"
        "})"
    ).startswith("script-src")
    assert opened.evaluate("window.ran === undefined")


@pytest.mark.parametrize("width", [1200, 390])
def test_every_section_is_there_and_nothing_is_wider_than_the_window(opened: Tab, width: int) -> None:
    opened.size(width, 900)
    assert {name: shown(opened, f"#{name}") for name in SECTIONS} == dict.fromkeys(SECTIONS, 1)
    assert shown(opened, "article.step") == 7
    assert opened.evaluate("document.documentElement.scrollWidth") == width


def test_one_language_is_shown_at_a_time(opened: Tab) -> None:
    assert "Report of a run" in opened.evaluate("document.body.innerText")
    assert shown(opened, '[lang="zh"]') == 0
    click(opened, "[data-language=zh]")
    text = opened.evaluate("document.body.innerText")
    assert "运行报告" in text
    assert "Report of a run" not in text
    assert shown(opened, 'body [lang="en"]') == 0
    assert opened.evaluate("document.documentElement.lang") == "zh"
    assert (
        opened.evaluate("document.querySelector('[data-language=zh]').getAttribute('aria-pressed')") == "true"
    )


def test_dark_and_light_follow_the_system_until_one_is_chosen(opened: Tab) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    light = opened.evaluate(color)
    opened.prefers("dark")
    dark = opened.evaluate(color)
    assert dark != light
    click(opened, "#theme")
    assert opened.evaluate(color) == light
    click(opened, "#theme")
    assert opened.evaluate(color) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_all_text_can_be_told_from_what_is_behind_it(opened: Tab, scheme: str, language: str) -> None:
    opened.prefers(scheme)
    click(opened, f"[data-language={language}]")
    click(opened, "#outputs")
    found: dict[str, Any] = opened.evaluate(CONTRAST)
    assert found["seen"] > 100
    assert found["faults"] == []


def test_everything_one_can_use_has_a_name_and_headings_are_in_order(opened: Tab) -> None:
    assert opened.evaluate(NAMES) == []


def test_outputs_are_closed_until_asked_for(opened: Tab) -> None:
    count = opened.evaluate("document.querySelectorAll('details.output').length")
    assert count > 5
    assert shown(opened, "details.output[open]") == 0
    click(opened, "#outputs")
    assert shown(opened, "details.output[open]") == count
    click(opened, "#outputs")
    assert shown(opened, "details.output[open]") == 0


def test_the_keyboard_reaches_buttons_links_and_outputs(opened: Tab) -> None:
    reached = set()
    for _ in range(40):
        for kind in ("keyDown", "keyUp"):
            opened.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.add(opened.evaluate("document.activeElement.tagName"))
    assert {"A", "BUTTON", "SUMMARY"} <= reached


def test_a_command_is_copied_as_it_stands(opened: Tab) -> None:
    opened.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    opened.ask("Emulation.setFocusEmulationEnabled", enabled=True)
    copied = opened.evaluate(
        "new Promise((done) => {"
        "  const button = document.querySelector('.copy');"
        "  new MutationObserver(() => navigator.clipboard.readText().then(done))"
        "    .observe(button, { attributes: true });"
        "  button.click();"
        "})"
    )
    assert copied == "do build"


def test_without_its_script_all_of_it_can_be_read(tab: Tab, url: str) -> None:
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(url)
        text = tab.evaluate("document.body.innerText")
        assert "6 of 8 steps proved" in text
        assert shown(tab, ".copy, .tools, #outputs") == 0
    finally:
        tab.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_it_can_be_printed(opened: Tab) -> None:
    opened.prefers("dark")
    printed = opened.printed()
    assert printed.startswith(b"%PDF-")
    assert opened.told() == []


@pytest.mark.parametrize("width", [1200, 390])
def test_two_runs_are_shown_side_by_side_and_nothing_complains(tab: Tab, two: str, width: int) -> None:
    tab.size(width, 900)
    tab.open(two)
    for selector in ("[data-language=zh]", "#theme"):
        click(tab, selector)
    assert tab.told() == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    text = tab.evaluate("document.body.innerText")
    assert "两次运行对照" in text
    assert "<script>alert(1)</script>" in text
    assert shown(tab, "table.pairs tbody tr") == 7
    assert tab.evaluate(NAMES) == []
    assert tab.evaluate(CONTRAST)["faults"] == []


@pytest.mark.parametrize("page", ["url", "two"])
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize(
    ("scheme", "language"), [("light", "en"), ("dark", "en"), ("light", "zh"), ("dark", "zh")]
)
def test_axe_finds_no_grave_fault(
    tab: Tab, request: pytest.FixtureRequest, page: str, width: int, scheme: str, language: str
) -> None:
    program = axe.source()
    tab.size(width, 900)
    tab.prefers(scheme)
    tab.open(request.getfixturevalue(page))
    click(tab, f"[data-language={language}]")
    assert axe.faults(tab, program) == []


def test_axe_would_find_one(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>x</title><button></button><p style='color: #ddd'>faint</p>", encoding="utf-8")
    program = axe.source()
    tab.open(page.as_uri())
    found = [fault.partition(":")[0] for fault in axe.faults(tab, program)]
    assert {"button-name", "color-contrast", "html-has-lang"} <= set(found)
