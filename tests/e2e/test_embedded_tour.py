"""The whole tour on the embedded cluster, with real processes and the real kubectl, as a user types it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, make

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="the app needs Node.js: it is not on PATH"
)

EMBEDDED = ("--provider", "embedded")
CHAPTERS = [
    *("tools", "app", "build-context", "build", "layers", "shared-layers"),
    *("run-container", "hit-container", "container-logs", "stop-container", "not-a-vm"),
    *("create-cluster", "cluster-info", "nodes", "describe-node", "load"),
    *("run-pod", "describe-bare-pod", "expose-pod", "hit-pod", "crash", "delete-pod"),
    *("deploy", "replace-pod", "expose", "services", "hit-inside", "hit", "picture"),
    *("same-address", "hit-again"),
    *("scale", "hit-all", "scale-under-load", "pods", "describe-pod"),
]
CLEANING = ["delete-app", "delete-cluster", "delete-image"]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """Return a checkout; afterwards, nothing of it may run, whatever the test did."""
    directory = tmp_path / "a project"
    directory.mkdir()
    checkout = make(directory)
    yield checkout
    checkout.clean()


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Return a checkout in which the tour has been taken and everything still runs."""
    checkout = make(tmp_path_factory.mktemp("toured"))
    try:
        checkout.inv("tour", *EMBEDDED, "--cluster-name", "toured", "--image", "shop", "--name", "shop")
        yield checkout
    finally:  # of a tour that failed, too, nothing may run on
        checkout.inv("down", "--check", "--provider", "embedded", "--cluster-name", "toured")
    assert checkout.processes() == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_tour_proves_every_step_and_leaves_nothing(checkout: Checkout, lang: str) -> None:
    told = checkout.inv("tour", *EMBEDDED, "--down", lang=lang)
    report = checkout.report()
    assert [step["step"] for step in report["steps"]] == [*CHAPTERS, *CLEANING]
    assert all(step["ok"] and step["proof"]["holds"] for step in report["steps"])
    assert not any(step["proof"]["notes"] for step in report["steps"])
    assert report["ok"]
    assert "\x1b" not in told.stdout  # plain on a pipe
    assert bool(re.search("[\u4e00-\u9fff]", told.stdout)) == (lang == "zh")
    assert checkout.processes() == []


def test_the_commands_are_the_same_in_both_languages(checkout: Checkout) -> None:
    scripts = [checkout.inv("script", *EMBEDDED, lang=lang).stdout for lang in ("en", "zh")]
    commands = [[line for line in text.splitlines() if not line.startswith("#")] for text in scripts]
    assert commands[0] == commands[1]
    assert scripts[0] != scripts[1]


def test_a_second_tour_skips_what_is_already_so(checkout: Checkout) -> None:
    checkout.inv("tour", *EMBEDDED, "--quiet")
    checkout.inv("tour", "--quiet")
    report = checkout.report()
    assert report["ok"]
    found = {step["step"]: step["because"] for step in report["steps"] if step["already"]}
    assert list(found) == ["build", "create-cluster", "load"]
    assert "image inspect" in found["build"][0]
    assert len(found["load"]) == 3, "each node was asked"


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (("build",), " build "),
        (("prove", "latest"), " build "),
        (("down",), " delete cluster "),
        (("tour", "--until", "app"), "kubectl"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_dry_task_prints_its_commands_and_does_nothing(
    checkout: Checkout, task: tuple[str, ...], told: str
) -> None:
    script = checkout.inv("--dry", *task, *EMBEDDED).stdout
    assert script.startswith("#!/bin/sh\n")
    assert told in script
    assert not list((checkout.root / ".kubetour").glob("*"))


def test_the_printed_script_does_the_same_without_python_around_it(checkout: Checkout) -> None:
    script = checkout.inv("script", *EMBEDDED, "--down").stdout
    dry = checkout.inv("--dry", "tour", *EMBEDDED, "--down").stdout
    assert dry == script
    done = checkout.run_script(script)
    hit, _, _ = done.stdout.partition('{"rate"')  # under load, Pods come and go
    answers = re.findall(r"You've hit (node-hostname-[0-9a-z]+-[0-9a-z]{5})", hit)
    assert len(set(answers[-37:])) == 3, "the last ones are those to all Pods; before, others were replaced"
    assert checkout.processes() == []


@pytest.mark.parametrize(
    ("step", "number"),
    [
        ("run-container", signal.SIGINT),
        ("create-cluster", signal.SIGINT),
        ("create-cluster", signal.SIGTERM),
        ("scale", signal.SIGHUP),
    ],
)
def test_a_signal_ends_the_tour_with_a_word_on_how_to_go_on(
    checkout: Checkout, step: str, number: signal.Signals
) -> None:
    with checkout.start("tour", *EMBEDDED) as tour:
        assert tour.stdout is not None
        for line in tour.stdout:
            if f"· {step} ·" in line:
                break
        os.kill(tour.pid, number)
        rest = tour.stdout.read()
    assert tour.returncode == 128 + number, rest
    assert "Interrupted." in rest
    assert f"--from {step}" in rest or "./inv down" in rest
    assert "Traceback" not in rest
    assert checkout.inv("tour", "--quiet").status == 0


def test_single_tasks_go_on_with_what_the_tour_used(toured: Checkout) -> None:
    toured.inv("scale", "--replicas", "5")
    told = toured.inv("hit", "--requests", "60")
    assert len(set(re.findall(r"You've hit (shop-\S+)", told.stdout))) == 5
    names = re.findall(r"\[pod/(shop-[^/]+)/shop\]", toured.inv("logs").stdout)
    assert len(set(names)) == 5
    assert "Deployment shop" in toured.inv("status").stdout
    assert toured.inv("pods").stdout.count("Running") == 5
    toured.inv("scale", "--replicas", "3")


@pytest.mark.parametrize(
    "task", ["nodes", "cluster-info", "describe-node", "services", "describe-pod", "build", "layers", "load"]
)
def test_a_task_for_looking_succeeds_on_a_running_cluster(toured: Checkout, task: str) -> None:
    toured.inv(task)
    assert toured.report()["ok"]


def test_a_changed_app_gets_a_new_tag_and_rolls_out(toured: Checkout) -> None:
    app = toured.root / "app/app.js"
    before = toured.inv("hit").stdout
    source = app.read_text(encoding="utf-8")
    try:
        app.write_text(source.replace("You've hit", "Hello from"), encoding="utf-8")
        for task in ("build", "load", "deploy"):
            toured.inv(task)
        after = toured.inv("hit").stdout
    finally:
        app.write_text(source, encoding="utf-8")
    assert "You've hit" in before
    assert "Hello from shop-" in after
    toured.inv("load")
    toured.inv("deploy")


def give_address(checkout: Checkout, address: str) -> None:
    """Do as a cloud's controller does: give the Service an address, or take it back."""
    from kubernetes import client, config

    kubeconfig = checkout.root / ".kubetour/embedded-toured.kubeconfig"
    with config.new_client_from_config(str(kubeconfig)) as api:  # type: ignore[no-untyped-call]
        services = client.CoreV1Api(api)
        if address == "its own":
            spec = services.read_namespaced_service("shop", "default").spec
            assert spec is not None
            assert spec.cluster_ip
            address = spec.cluster_ip
        ingress = [{"ip": address}] if address else []
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        services.patch_namespaced_service_status("shop", "default", status)


@pytest.mark.parametrize(
    ("address", "is_mapped", "expected"),
    [
        ("its own", True, "rung.load-balancer"),
        ("127.255.255.254", True, "rung.host-port"),
        ("", True, "rung.host-port"),
        ("", False, "rung.node"),
    ],
    ids=["a load balancer's address", "one where nobody answers", "none", "no mapped port either"],
)
def test_the_service_is_reached_by_the_first_way_that_gets_through(
    toured: Checkout, address: str, is_mapped: bool, expected: str
) -> None:
    ports = toured.root / ".kubetour/ports.json"
    before = ports.read_text(encoding="utf-8")
    give_address(toured, address)
    try:
        if not is_mapped:
            ports.write_text(json.dumps({**json.loads(before), "host": 9}), encoding="utf-8")
        toured.inv("hit")
    finally:
        ports.write_text(before, encoding="utf-8")
        give_address(toured, "")
    steps = {step["step"]: step for step in toured.report()["steps"]}
    assert steps["hit"]["proof"]["data"]["rung"] == expected
    assert steps["hit-all"]["ok"]


def test_json_is_one_object_per_step(toured: Checkout) -> None:
    told = toured.inv("tour", "--json", "--from", "deploy", "--until", "scale")
    steps = [json.loads(line) for line in told.stdout.splitlines()]
    wanted = CHAPTERS[CHAPTERS.index("deploy") : CHAPTERS.index("scale") + 1]
    assert [step["step"] for step in steps] == wanted
    assert all(step["ok"] for step in steps)


def test_quiet_is_one_line_per_step(toured: Checkout) -> None:
    told = toured.inv("tour", "--quiet", "--only", "services,pods")
    assert [line.split(":")[0] for line in told.stdout.splitlines()[:2]] == ["✓ services", "✓ pods"]


@pytest.mark.fault("F06")
def test_a_busy_host_port_gives_another_one(checkout: Checkout) -> None:
    with socket.socket() as busy:
        with contextlib.suppress(OSError):  # somebody else holds it: as good
            busy.bind(("127.0.0.1", 30080))
            busy.listen()
        checkout.inv("tour", *EMBEDDED, "--quiet", "--until", "create-cluster")
    (create,) = checkout.report()["steps"][-1]["commands"]
    assert "hostPort: 30080" not in create["text"]
    assert "hostPort: " in create["text"]


@pytest.mark.fault("F32")
def test_two_tours_at_once_in_one_checkout_exclude_each_other(checkout: Checkout) -> None:
    with checkout.start("tour", *EMBEDDED, "--quiet", "--until", "nodes") as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = checkout.inv("tour", *EMBEDDED, check=8)
        first.stdout.read()
    assert first.returncode == 0
    assert "Another run works in this checkout" in second.stderr


def test_a_workload_that_is_not_there_is_named_with_its_fix(toured: Checkout) -> None:
    told = toured.inv("scale", "--name", "nothing", check=5)
    assert "What the command works on is not there." in told.stderr
    assert "./inv deploy" in told.stderr


@pytest.mark.parametrize(
    ("argv", "status", "says"),
    [
        (("tour", "--provider", "foo"), 2, "--provider"),
        (("tour", "--replicas", "0"), 2, "from 1 to 50"),
        (("tour", "--replicas", "1e9"), 2, "from 1 to 50"),
        (("deploy", "--name", "Bad_Name"), 2, "DNS label"),
        (("build", "--image", "x; touch pwned #"), 2, "image reference"),
        (("build", "--app-dir", "nowhere"), 2, "no Dockerfile"),
        (("tour", "--until", "nowhere"), 2, "There is no step"),
        (("tour", "--from", "scale", "--until", "build"), 2, "no step is left"),
        (("tour", "--quiet", "--json"), 2, "exclude each other"),
        (("tour", "--pause"), 2, "no terminal"),
        (("tour", "--provider", "context"), 9, "--context NAME"),
        (("scale", *EMBEDDED, "--timeout", "1"), 5, "./inv create-cluster"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_refused_before_anything_is_made(
    checkout: Checkout, argv: tuple[str, ...], status: int, says: str
) -> None:
    told = checkout.inv(*argv, check=status)
    assert says in told.stderr
    assert "Traceback" not in told.stderr
    assert not (checkout.root / "pwned").exists()
    assert not (checkout.root / ".kubetour/embedded").exists()


def test_a_template_with_an_undefined_variable_is_named_with_its_line(checkout: Checkout) -> None:
    template = checkout.root / "templates/service.yaml.j2"
    whole = template.read_text(encoding="utf-8")
    template.write_text(whole + "{{ nothing }}\n", encoding="utf-8")
    told = checkout.inv("render", *EMBEDDED, check=2)
    template.write_text(whole, encoding="utf-8")
    line = len(whole.splitlines()) + 1
    assert f"service.yaml.j2, line {line}" in told.stderr


@pytest.mark.fault("F55")
def test_cleaning_up_nothing_is_a_success(checkout: Checkout) -> None:
    assert "nothing to remove" in checkout.inv("down", "--check", *EMBEDDED).stdout
