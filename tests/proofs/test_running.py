"""What a container is and how it ends: where the claims hold, and each way in which they are refuted."""

from __future__ import annotations

import pytest

from kubetour.checks import Observation
from kubetour.proofs.running import (
    GraceUsedUp,
    NameMoved,
    PlainProcess,
    ProcessOfHost,
    PullPolicies,
    duration,
)
from tests.making import output

TOP = "UID  PID  PPID  CMD\nnode  4889  4867  node app.js\nnode  4890  4889  node worker.js\n"
UP = "13181.25 11704.71\n"


def printed(*texts: str) -> Observation:
    return Observation(tuple(output(text, seconds=0.4) for text in texts))


def key(proof: object) -> str:
    return str(proof.text.key).removeprefix("proof.")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("told", "proc", "expected"),
    [
        pytest.param("78ee0bbc2b22 4889 2026-11-26T00:29:48Z", f"{UP}NSpid:\t4889\t1\n", "process-of-host"),
        pytest.param("78ee0bbc2b22 4889 2026-11-26 00:29:48 +0000 UTC", UP, "process-elsewhere"),
        pytest.param("78ee0bbc2b22 4889 2026-11-26T00:29:48Z", "", "process-elsewhere"),
        pytest.param("laptop 4889 2026-11-26T00:29:48Z", f"{UP}NSpid:\t4889\t1\n", "host-name-shared"),
        pytest.param("78ee0bbc2b22 4889 2026", f"{UP}NSpid:\t4889\n", "process-numbers-shared"),
    ],
    ids=["its host's", "an engine in a virtual machine", "no /proc", "the host's name", "the host's numbers"],
)
def test_a_container_is_a_process_of_its_host(told: str, proc: str, expected: str) -> None:
    proof = ProcessOfHost()(printed("laptop\n", "4889f\n", *told.split(maxsplit=1), TOP, proc))
    assert key(proof) == expected
    assert proof.holds is (expected in ("process-of-host", "process-elsewhere"))
    assert bool(proof.notes) is (expected == "process-elsewhere")
    assert proof.data["processes"] == 2


def test_the_proof_tells_the_hosts_time_beside_the_containers() -> None:
    proof = ProcessOfHost()(printed("laptop", "x", "c0ffee", "4889 now", TOP, f"{UP}NSpid:\t4889\t17\t1\n"))
    assert proof.data["numbers"] == ["4889", "17", "1"]
    assert proof.data["uptime"] == 13181
    assert {
        "seconds": "0.4",
        "uptime": "3 h",
        "first": "1",
        "pid": "4889",
    }.items() <= proof.text.values.items()


@pytest.mark.parametrize(
    ("told", "looked", "expected"),
    [
        ("c0ffee 4889 now", "4889 runs here\n", "plain-process"),
        ("laptop 4889 now", "4889 runs here\n", "host-name-shared"),
        ("c0ffee 4889 now", "", "process-absent"),
    ],
)
def test_on_the_embedded_cluster_a_container_is_a_process_and_no_more(
    told: str, looked: str, expected: str
) -> None:
    proof = PlainProcess()(printed("laptop\n", "id\n", *told.split(maxsplit=1), looked))
    assert key(proof) == expected
    assert proof.holds is (expected == "plain-process")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_a_time_is_told_in_its_largest_unit(seconds: int, text: str) -> None:
    assert duration(seconds) == text


ONE, TWO = "1" * 64, "2" * 64


@pytest.mark.parametrize(
    ("before", "after", "runs", "expected"),
    [
        pytest.param(f"sha256:{ONE}", f"sha256:{TWO}", f"web:latest sha256:{ONE}", "name-moved", id="docker"),
        pytest.param(ONE, TWO, f"localhost/web:latest {ONE}", "name-moved", id="podman"),
        pytest.param(
            f"sha256:{ONE}",
            f"sha256:{TWO}",
            "<no value> docker.io/web:latest",
            "name-moved",
            id="nerdctl",
        ),
        pytest.param(f"sha256:{ONE}", f"sha256:{ONE}", f"x sha256:{ONE}", "name-stayed", id="one image"),
        pytest.param(f"sha256:{ONE}", f"sha256:{TWO}", f"x sha256:{TWO}", "container-moved", id="moved, too"),
    ],
)
def test_a_tag_may_be_given_to_another_image(before: str, after: str, runs: str, expected: str) -> None:
    proof = NameMoved("web:latest")(printed("", f"{before}\n", "", "", f"{after}\n", f"{runs}\n"))
    assert key(proof) == expected
    assert proof.holds is (expected == "name-moved")


@pytest.mark.parametrize(
    ("latest", "fixed", "holds"),
    [
        ("Always", "IfNotPresent", True),
        pytest.param("Always", "Always", False, id="the admission plugin AlwaysPullImages"),
        ("IfNotPresent", "IfNotPresent", False),
        ("", "", False),
    ],
)
def test_the_default_pull_policy_depends_on_the_tag(latest: str, fixed: str, holds: bool) -> None:
    assert PullPolicies()(printed(latest, fixed)).holds is holds


@pytest.mark.parametrize(
    ("seconds", "status", "holds"),
    [
        pytest.param(3.2, "137\n", True, id="killed after the grace period"),
        pytest.param(0.3, "0\n", False, id="a handler"),
        pytest.param(0.3, "143\n", False, id="an init as process 1"),
        pytest.param(0.2, "137\n", False, id="killed at once"),
        pytest.param(3.2, "0\n", False, id="slow, but by itself"),
        pytest.param(3.2, "", False, id="no status"),
    ],
)
def test_without_a_handler_process_1_takes_the_whole_grace_period(
    seconds: float, status: str, holds: bool
) -> None:
    results = (output("id"), output("deaf", seconds=seconds), output(status))
    assert GraceUsedUp(3)(Observation(results)).holds is holds
