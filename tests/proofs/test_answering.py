"""Who answered: by a name in the body or a header, by a mark in a log, or nobody knows."""

from __future__ import annotations

import pytest

from kubetour.proofs.answering import BODY, HEADER, LOG, NOBODY, Answer, answers, by_pod, marked, who

NAMES = ("web-1-a", "web-1-b")
MARK = "kubetour.5f.hit"


def said(body: str = "", status: int = 200, header: str = "Server: x") -> str:
    return f"HTTP/1.1 {status} Some\r\n{header}\r\n\r\n{body}"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", []),
        ("no answer at all", []),
        (said("a\n"), [Answer(200, "HTTP/1.1 200 Some\nServer: x", "a\n")]),
        (said("a") + said("b", 404), [(200, "a"), (404, "b")]),
        (said("") + said(""), [(200, ""), (200, "")]),
        ("HTTP/1.1 103 Early Hints\r\n\r\n" + said("a"), [(200, "a")]),
        (said("one\r\n\r\ntwo"), [(200, "one\n\ntwo")]),
        ("HTTP/1.0 301 Moved\nLocation: /x\n\n", [(301, "")]),
        (said("it says HTTP/1.1 200 OK, then more"), [(200, "it says HTTP/1.1 200 OK, then more")]),
    ],
    ids=[
        "nothing",
        "none",
        "one",
        "run together",
        "empty bodies",
        "announced",
        "blank line",
        "no CR",
        "about HTTP",
    ],
)
def test_answers_are_told_apart(printed: str, expected: list[object]) -> None:
    found = answers(printed)
    assert [
        each if isinstance(e, Answer) else (each.status, each.body)
        for each, e in zip(found, expected, strict=True)
    ] == expected


@pytest.mark.parametrize(
    ("printed", "logs", "way", "counts", "strangers"),
    [
        (said("hello from web-1-a"), {}, BODY, {"web-1-a": 1}, 0),
        (said("web-1-a") + said("web-1-b") + said("?"), {}, BODY, {"web-1-a": 1, "web-1-b": 1}, 1),
        (said("x", header="X-Served-By: web-1-b"), {}, HEADER, {"web-1-b": 1}, 0),
        (said("web-1-a", header="X-Served-By: web-1-b"), {}, BODY, {"web-1-a": 1}, 0),
        (said("peers: web-1-a web-1-b"), {}, NOBODY, {}, 1),
        (said("x") * 2, {"web-1-a": f"GET /?{MARK}\nGET /?{MARK}"}, LOG, {"web-1-a": 2}, 0),
        (said("x") * 2, {"web-1-a": f"GET /?{MARK}", "web-1-b": ""}, LOG, {"web-1-a": 1}, 1),
        (said("x"), {"other": f"GET /?{MARK}"}, NOBODY, {}, 1),
        (said("x"), {"web-1-a": f"GET /?{MARK}-all"}, NOBODY, {}, 1),
        (said("x"), {}, NOBODY, {}, 1),
        (said("web-1-a", 404), {}, BODY, {"web-1-a": 1}, 0),
        (said("web-1-a", 503), {}, NOBODY, {}, 0),
        ("", {"web-1-a": f"GET /?{MARK}"}, NOBODY, {}, 0),
        (said("web-1-ab"), {}, NOBODY, {}, 1),
    ],
    ids=[
        *("body", "a stranger among them", "header", "the body counts first", "a list of all is no name"),
        *("log", "a request that no log has", "the log of another", "the mark of another step", "nothing"),
        *("not found is an answer", "a server error is none", "no answer, but a log", "a longer name"),
    ],
)
def test_the_first_way_that_tells_who_answered_counts(
    printed: str, logs: dict[str, str], way: str, counts: dict[str, int], strangers: int
) -> None:
    told = who(printed, NAMES, logs, MARK)
    assert (told.way, told.counts, told.strangers) == (way, counts, strangers)


def test_without_a_mark_no_log_tells_anything() -> None:
    assert who(said("x"), NAMES, {"web-1-a": "GET /"}, "").way == NOBODY


@pytest.mark.parametrize(
    ("line", "count"),
    [(MARK, 1), (f"GET /?{MARK}&x=1", 1), (f'"{MARK}"', 1), (f"{MARK}-all", 0), (f"{MARK}2", 0), ("", 0)],
)
def test_a_mark_counts_whole(line: str, count: int) -> None:
    assert marked(line, MARK) == count


def test_logs_with_prefixes_are_told_apart_by_pod() -> None:
    printed = "[pod/web-1-a/web] one\n[pod/web-1-b/web] two\n[pod/web-1-a/web] \nno prefix\n"
    assert by_pod(printed) == {"web-1-a": "one\n", "web-1-b": "two"}
