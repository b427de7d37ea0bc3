"""The experiments on images and containers on the embedded cluster, which is broken claim by claim."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

EMBEDDED = ("--provider", "embedded", "--cluster-name", "tries", "--image", "tries", "--name", "tries")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout; afterwards nothing of it may run, and the ledger must be empty."""
    checkout = make(tmp_path)
    yield checkout
    checkout.inv("down", *EMBEDDED[:4])
    ledger = tmp_path / ".kubetour/created.json"
    assert not ledger.exists() or json.loads(ledger.read_text())["created"] == []
    assert checkout.processes() == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_claims_hold_and_what_was_made_is_removed(checkout: Checkout, lang: str) -> None:
    checkout.inv("prove", "build-context", "layers", "not-a-vm", "latest", *EMBEDDED, lang=lang)
    tried = [step for step in checkout.report()["steps"] if step["claim"]]
    assert [step["step"] for step in tried] == [
        *("build-context", "shared-layers", "not-a-vm", "latest", "pull-policy")
    ]
    assert all(step["proof"]["holds"] for step in tried)
    ledger = json.loads((checkout.root / ".kubetour/created.json").read_text())["created"]
    assert {entry.partition(":")[0] for entry in ledger} == {"embedded-image/tries", "embedded-cluster/tries"}
    assert not {"build-context", "layers"} & set(os.listdir(checkout.root / ".kubetour"))


@pytest.mark.parametrize(
    ("claim", "file", "line", "other", "words"),
    [
        pytest.param(
            "build-context",
            "kubetour/embedded/context.py",
            "tuple(dockerignore.files(root))",
            'tuple(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())',
            "were not left out",
            id="a builder that knows no .dockerignore",
        ),
        pytest.param(
            "layers",
            "kubetour/embedded/cli_image.py",
            "use_cache=not arguments.no_cache",
            "use_cache=False",
            "made them again",
            id="a builder without a cache",
        ),
        pytest.param(
            "not-a-vm",
            "kubetour/embedded/containerformat.py",
            'container.environment["HOSTNAME"]',
            '__import__("platform").node()',
            "no host name of its own",
            id="the host's name",
        ),
        pytest.param(
            "latest",
            "kubetour/embedded/builder.py",
            "if self._labels:",
            "if False:",
            "there is only one image",
            id="a builder that loses labels",
        ),
        pytest.param(
            "latest",
            "kubetour/embedded/defaults_pod.py",
            'return "Always" if',
            'return "IfNotPresent" if',
            "the default is IfNotPresent for latest",
            id="another default",
        ),
    ],
)
def test_a_broken_claim_is_refuted(
    checkout: Checkout, claim: str, file: str, line: str, other: str, words: str
) -> None:
    source = checkout.root / file
    text = source.read_text(encoding="utf-8")
    assert text.count(line) == 1
    source.write_text(text.replace(line, other), encoding="utf-8")
    done = checkout.inv("prove", claim, *EMBEDDED, check=None)
    assert done.status not in (0, 1), done.told()
    assert words in " ".join(done.stderr.split()), done.told()
    last = checkout.report()["steps"][-1]
    assert (last["claim"], last["ok"], last["proof"]["holds"]) == (claim, False, False)


def test_why_process_1_cannot_be_tried_is_said(checkout: Checkout) -> None:
    done = checkout.inv("prove", "process-one", *EMBEDDED, check=2)
    assert "nothing is isolated" in done.stderr
    assert "--provider kind" in done.stderr
