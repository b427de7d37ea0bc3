"""What a builder got and made: where the claims hold, and each way in which they are refuted."""

from __future__ import annotations

import pytest

from kubetour.checks import Observation, Result
from kubetour.proofs.building import LayersShared, OnlyTheRestSent
from tests.making import output

MEGABYTE = 1024 * 1024


def key(proof: object) -> str:
    return str(proof.text.key).removeprefix("proof.")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        pytest.param(f"{MEGABYTE + 22}\n28\n", "context-sent", id="Docker, podman and the embedded builder"),
        pytest.param(f"{MEGABYTE * 2 + 9000}\n8500\n", "context-sent", id="content and snapshot counted"),
        pytest.param(f"{MEGABYTE + 22}\n{MEGABYTE + 28}\n", "context-not-ignored", id="nothing is ignored"),
        pytest.param("22\n28\n", "context-not-sent", id="nothing is sent"),
        pytest.param("", "context-unmeasured", id="no sizes"),
        pytest.param("<no value>\n<no value>\n", "context-unmeasured", id="sizes that are none"),
    ],
)
def test_what_dockerignore_names_does_not_arrive(sizes: str, expected: str) -> None:
    proof = OnlyTheRestSent(1, MEGABYTE)(Observation((output("built"), output(sizes))))
    assert key(proof) == expected
    assert proof.holds is (expected == "context-sent")


BASE, ONE, TWO = '"sha256:aa"', '"sha256:11"', '"sha256:22"'
CLASSIC = output("Step 2/3 : COPY libraries.bin /app/\n ---> Using cache\n ---> d667efa576a5\n")
PODMAN = output("STEP 2/3: COPY libraries.bin /app/\n--> Using cache 44f6\n--> 44f6\n")
BUILDKIT = output("", stderr="#5 [1/2] COPY libraries.bin /app/\n#5 CACHED\n")
EMBEDDED = output("", stderr="CACHED [2/3] COPY libraries.bin /app/  1.05MB\n")
ANEW = output("", stderr="#5 [1/2] COPY libraries.bin /app/\n#5 DONE 0.1s\n")


@pytest.mark.parametrize(
    ("rebuilt", "lists", "expected"),
    [
        pytest.param(CLASSIC, (f"[{BASE},{ONE}]", f"[{BASE},{TWO}]"), "layers-shared", id="classic builder"),
        pytest.param(PODMAN, (f"[{BASE},{ONE}]", f"[{BASE},{TWO}]"), "layers-shared", id="podman"),
        pytest.param(BUILDKIT, (f"[{BASE},{ONE}]", f"[{BASE},{TWO}]"), "layers-shared", id="BuildKit"),
        pytest.param(EMBEDDED, (f"[{BASE},{ONE}]", f"[{BASE},{TWO}]"), "layers-shared", id="embedded"),
        pytest.param(ANEW, (f"[{BASE},{ONE}]", f"[{BASE},{TWO}]"), "layers-not-cached", id="no cache"),
        pytest.param(CLASSIC, (f"[{ONE},{BASE}]", f"[{TWO},{BASE}]"), "layers-not-shared", id="the first"),
        pytest.param(CLASSIC, (f"[{ONE},{BASE}]", f"[{TWO},{TWO}]"), "layers-not-shared", id="none shared"),
        pytest.param(CLASSIC, (f"[{BASE},{ONE}]", f"[{BASE},{ONE}]"), "layers-not-shared", id="no change"),
        pytest.param(CLASSIC, (f"[{BASE}]", f"[{BASE},{ONE}]"), "layers-not-shared", id="one more"),
        pytest.param(CLASSIC, ("null", "null"), "layers-unmeasured", id="no layers"),
        pytest.param(CLASSIC, (), "layers-unmeasured", id="nothing printed"),
    ],
)
def test_only_the_changed_layer_is_new(rebuilt: Result, lists: tuple[str, ...], expected: str) -> None:
    told = output("".join(f"{line}\n" for line in lists))
    proof = LayersShared(0, 1, MEGABYTE)(Observation((rebuilt, told)))
    assert key(proof) == expected
    assert proof.holds is (expected == "layers-shared")
