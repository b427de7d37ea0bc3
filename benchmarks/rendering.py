"""A thousand manifests, and the report of a run with 2,000 requests and 200 Pods."""

from __future__ import annotations

import statistics
import time
from typing import Any

from jinja2 import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

from benchmarks.measure import against
from benchmarks.results import Result
from kubetour.html.page import page
from kubetour.manifests import render
from kubetour.project import TEMPLATES
from kubetour.report import to_json
from kubetour.text import LANGUAGES
from tests.html import sample

MANIFESTS, ROUNDS = 1000, 5
MOST_RENDER = 10.0  # of the bare template: each manifest is parsed back, to see that it is YAML
REQUESTS, PODS, MOST_SECONDS, STEEPEST = 2000, 200, 3.0, 12.0
VALUES: dict[str, Any] = {
    "name": "web",
    "image": "web:0123456789ab",
    "port": 8080,
    "replicas": 3,
    "digest": "0123456789ab",
    "namespace": "default",
    "node_port": 30080,
    "probe": None,
    "non_root": True,
    "drop_capabilities": True,
    "read_only": True,
}


def manifests() -> Result:
    """Print the table of rendering; return the ratio to the bare template."""
    bare, ours = [], []
    template = SandboxedEnvironment(loader=FileSystemLoader(TEMPLATES)).get_template("service.yaml.j2")
    for _ in range(ROUNDS):
        bare.append(_timed(lambda: template.render(VALUES)))
        ours.append(_timed(lambda: render(TEMPLATES, "service.yaml.j2", VALUES)))
    print(f"| {MANIFESTS} manifests | CPU, median s | min–max |\n|---|---|---|")
    for name, found in (("the bare template", bare), ("rendered, parsed, checked", ours)):
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f}–{max(found):.2f} |")
    print()
    result, rounds = Result(), against(ours, bare)
    result.add("rendering to the bare template", statistics.median(rounds), rounds, most=MOST_RENDER)
    return result


def _timed(call: Any) -> float:
    began = time.process_time()
    for _ in range(MANIFESTS):
        call()
    return time.process_time() - began


def _run(requests: int, pods: int) -> dict[str, dict[str, Any]]:
    """Return a run's record in each language, with that many requests and Pods."""
    names = [f"web-5d7cbddd68-{number:05d}" for number in range(pods)]
    there = [{"name": name, "node": "worker", "address": "10.0.0.1", "ready": True} for name in names]
    born = {**sample.TIMELINE, "pods": [{**sample.TIMELINE["pods"][0], "name": name} for name in names]}
    data: dict[str, dict[str, Any]] = {
        "picture": {**sample.CHAIN, "endpoints": names, "pods": there},
        "hit-all": {"answers": dict.fromkeys(names, requests // pods), "requests": requests},
        "pods": {"nodes": {"worker": names}, "timeline": born},
    }
    answers = "".join(f"You've hit {names[number % pods]}\n" for number in range(requests))
    documents = sample.documents()
    for document in documents.values():
        for step in document["steps"]:
            if step["step"] in data:
                step["proof"]["data"] = data[step["step"]]
            if step["step"] == "hit-all":
                step["commands"][0]["stdout"] = answers
    return documents


def reports() -> Result:
    """Print the table of reports; return the seconds of the largest, and how they grow."""
    titles: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    took: dict[tuple[int, int], list[float]] = {}
    sizes = ((REQUESTS // 10, PODS // 10), (REQUESTS, PODS))
    print("| requests | Pods | CPU, median s | min–max | page, kB | record, kB |\n|---|---|---|---|---|---|")
    for size in sizes:
        documents = _run(*size)
        html = page(documents, "en", titles, TEMPLATES)
        record = to_json(documents["en"])
        for _ in range(ROUNDS):
            began = time.process_time()
            page(documents, "en", titles, TEMPLATES)
            to_json(documents["en"])
            took.setdefault(size, []).append(time.process_time() - began)
        found = took[size]
        cells = f"{statistics.median(found):.2f} | {min(found):.2f}–{max(found):.2f}"
        print(f"| {size[0]} | {size[1]} | {cells} | {len(html) // 1000} | {len(record) // 1000} |")
    print()
    result = Result()
    small, large = (took[size] for size in sizes)
    result.add("CPU seconds of the large report", statistics.median(large), large, most=MOST_SECONDS)
    rounds = against(large, small)
    result.add("ten times as much, to a tenth", statistics.median(rounds), rounds, most=STEEPEST)
    return result


def main() -> Result:
    """Print the tables; return the ratios."""
    return Result(manifests().ratios + reports().ratios)
