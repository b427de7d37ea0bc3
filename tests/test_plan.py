"""The plan of each provider: its whole script as a golden file, and what holds for every plan."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kubetour.dry import script_text, tour_steps
from kubetour.errors import UsageError
from kubetour.plan import clean_up, plan, select, singles, whole
from kubetour.project import ROOT
from kubetour.proofs.cluster import NodesJoined, NodesReady
from kubetour.providers import Provider, Tools
from kubetour.script import shell
from kubetour.session import Session
from kubetour.settings import Resolved
from kubetour.state import State
from kubetour.steps import Found, Lookup, Run, Step, Variable
from tests.making import CONTEXT, OTHERS, TOOLS, make_provider

SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def session(provider: Provider, tmp_path: Path) -> Session:
    return Session(Resolved(provider.settings, {}), provider, CONTEXT, State(tmp_path))


def every_step(provider: Provider) -> tuple[Step, ...]:
    images = (provider.settings.image,)
    return (*whole(provider, CONTEXT), *singles(provider), *clean_up(provider, images))


def every_run(step: Step) -> tuple[Run, ...]:
    """Return a step's commands, and those that stand in their arguments."""
    runs = [*step.actions, *step.confirm, *(run for run in (step.unless, step.exists) if run)]
    for run in runs:
        runs += [part.run for part in run.argv if isinstance(part, Lookup)]
    return tuple(runs)


def told(of: Session, language: str) -> str:
    return script_text(of, tour_steps(of, down=True), language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_script_of_a_whole_tour_is_as_recorded(
    provider: Provider, language: str, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    text = told(session(provider, tmp_path), language)
    golden(f"{provider.name}.{language}.sh", text.replace(str(ROOT), "/path/to/kubetour"))


@pytest.mark.parametrize("engine", OTHERS)
def test_the_script_of_a_tour_on_kind_with_another_engine_is_as_recorded(
    engine: str, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    text = told(session(make_provider("kind", OTHERS[engine]), tmp_path), "en")
    golden(f"kind-{engine}.en.sh", text.replace(str(ROOT), "/path/to/kubetour"))


@pytest.mark.parametrize("engine", OTHERS)
def test_with_another_engine_no_command_calls_docker(engine: str) -> None:
    for step in every_step(make_provider("kind", OTHERS[engine])):
        for run in every_run(step):
            assert run.argv[0] != "docker"
            assert run.argv[0] != "kind", "kind is told which engine to use"
            assert "docker-image" not in run.argv, "kind loads that by a program named docker"


def test_the_script_of_a_tour_of_another_app_is_as_recorded_and_passes_shellcheck(
    tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    another = replace(make_provider("kind", name="shop"), mark="kubetour.6b077cb1")
    text = told(session(another, tmp_path), "en")
    golden("kind-any-app.en.sh", text.replace(str(ROOT), "/path/to/kubetour"))
    (tmp_path / "tour.sh").write_text(text)
    done = subprocess.run(
        [SHELLCHECK, "-s", "sh", tmp_path / "tour.sh"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_a_script_passes_shellcheck(provider: Provider, tmp_path: Path) -> None:
    script = tmp_path / "tour.sh"
    script.write_text(told(session(provider, tmp_path), "en"))
    done = subprocess.run(
        [SHELLCHECK, "-s", "sh", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout


def commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_commands_are_the_same_in_both_languages(provider: Provider, tmp_path: Path) -> None:
    english, chinese = (told(session(provider, tmp_path), lang) for lang in ("en", "zh"))
    assert commands(english) == commands(chinese)
    assert english != chinese


def test_ids_are_unique_and_fit_for_a_flag(provider: Provider) -> None:
    ids = [step.id for step in every_step(provider)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


def test_every_step_comes_after_what_it_needs(provider: Provider) -> None:
    done: set[str] = set()
    for step in whole(provider, CONTEXT):
        assert set(step.needs) <= done, step.id
        done.add(step.id)


def test_the_stages_come_in_the_tours_order(provider: Provider) -> None:
    order = list(type(plan(provider, CONTEXT)[0].stage))
    stages = [order.index(step.stage) for step in (*plan(provider, CONTEXT), *clean_up(provider, ("web:1",)))]
    assert stages == sorted(stages)


def test_every_step_but_proofs_of_what_is_gone_has_a_command(provider: Provider) -> None:
    assert all(step.actions for step in every_step(provider))


def test_every_kubectl_command_names_its_context(provider: Provider) -> None:
    for step in every_step(provider):
        for run in every_run(step):
            if run.argv[0] == provider.tools.kubectl and run.argv[1] != "version":
                assert ("--context", provider.context) == run.argv[run.argv.index("--context") :][:2], step.id


def test_a_cluster_of_ours_has_a_kubeconfig_of_its_own_and_every_command_names_it(provider: Provider) -> None:
    if not provider.owns_cluster:
        assert provider.kubeconfig == ""
        return
    for step in every_step(provider):
        for run in every_run(step):
            words = [part for part in run.argv if isinstance(part, str)]
            speaks = run.argv[0] == provider.tools.kubectl and words[1] != "version"
            if speaks or {
                ("create", "cluster"),
                ("delete", "cluster"),
                ("export", "kubeconfig"),
            }.intersection(pairwise(words)):
                assert words[words.index("--kubeconfig") + 1] == provider.kubeconfig, step.id
            if {"start", "update-context", "delete"} & set(words) and "minikube" in words:
                assert words[:2] == ["env", f"KUBECONFIG={provider.kubeconfig}"], step.id


def test_what_is_created_is_removed_again(provider: Provider) -> None:
    created = {entry for step in every_step(provider) for entry in step.creates}
    removed = {entry for step in every_step(provider) for entry in step.removes}
    assert created == removed


def test_a_step_that_acts_on_what_it_made_says_so_before(provider: Provider) -> None:
    for step in every_step(provider):
        if step.creates:
            removed = step.exists is not None and set(step.creates) <= set(step.removes)
            assert step.unless or removed, f"{step.id}: a second run must see what is already there"


def test_a_cluster_that_is_not_ours_is_neither_made_nor_deleted() -> None:
    ids = [step.id for step in every_step(make_provider("context"))]
    assert "create-cluster" not in ids
    assert "delete-cluster" not in ids
    assert {"push", "namespace"} <= set(ids)


@pytest.mark.parametrize("name", ["kind", "minikube", "embedded"])
def test_the_cluster_boots_while_the_image_is_built(name: str) -> None:
    early = [step for step in plan(make_provider(name), CONTEXT) if step.early]
    assert [step.id for step in early] == ["create-cluster", "load"]
    assert [step.needs for step in early] == [("tools",), ("build", "create-cluster")]


@pytest.mark.parametrize(
    ("image", "settled"),
    [
        pytest.param("web:0123456789ab", True, id="named by its content"),
        pytest.param("web:1.0", False, id="named by a person"),
    ],
)
def test_an_image_is_loaded_anew_unless_its_name_says_that_it_is_the_same(image: str, settled: bool) -> None:
    steps = {step.id: step for step in plan(make_provider("kind", image=image), CONTEXT)}
    assert steps["load"].settled is settled


def test_an_image_is_loaded_into_all_nodes_also_those_that_are_added() -> None:
    grows = replace(TOOLS["minikube"], machines=("a",))
    steps = {step.id: step for step in plan(make_provider("minikube", tools=grows), CONTEXT)}
    assert steps["load"].needs == ("build", "create-cluster", "add-nodes")
    assert not steps["add-nodes"].early


def test_the_settings_reach_the_commands() -> None:
    given: dict[str, Any] = {
        "image": "shop:1",
        "name": "shop",
        "replicas": 7,
        "port": 9000,
        "namespace": "team",
        "requests": 5,
        "cluster_name": "mine",
        "base": "node:22",
        "timeout": 42,
    }
    provider = make_provider("kind", **given)
    steps = {step.id: step for step in plan(provider, CONTEXT, 2)}

    def argv(name: str) -> list[str]:
        return [part for run in every_run(steps[name]) for part in run.argv if isinstance(part, str)]

    assert {"shop:1", "BASE=node:22"} <= set(argv("build"))
    assert "127.0.0.1:18080:9000" in argv("run-container")
    assert {"mine", "--timeout=42s", ".kubetour/kind-mine.kubeconfig"} <= set(argv("create-cluster"))
    assert {"deployment/shop", "--replicas=7", "--namespace", "team"} <= set(argv("scale"))
    assert Variable(Found.URL, "?[1-5]") in steps["hit-all"].actions[0].argv
    assert "http://127.0.0.1:30080/" in [rung.url for rung in steps["hit"].ladder]


def test_without_the_containerd_store_kind_loads_from_the_engine_itself() -> None:
    provider = make_provider("kind", tools=replace(TOOLS["kind"], containerd_store=False))
    (load,) = provider.image()
    assert [run.argv[:3] for run in load.actions] == [("kind", "load", "docker-image")]


def test_an_engine_that_cannot_choose_a_platform_is_not_told_one() -> None:
    provider = make_provider("kind", tools=replace(TOOLS["kind"], save_flags=()))
    assert not [part for run in provider.image()[0].actions for part in run.argv if part == "--platform"]


def minikube(machines: tuple[str, ...] = (), workers: int = 2, **tools: Any) -> Provider:
    """Return minikube with a profile that has these nodes already."""
    found = replace(TOOLS["minikube"], machines=machines, **tools)
    return make_provider("minikube", tools=found, cluster_name="mine", workers=workers)


@pytest.mark.parametrize(
    ("machines", "workers", "nodes", "added"),
    [
        ((), 0, "mine", 0),
        ((), 2, "mine mine-m02 mine-m03", 0),
        (("mine",), 2, "mine mine-m02 mine-m03", 2),
        (("mine", "mine-m03"), 2, "mine mine-m03 mine-m04", 1),
        (("mine", "mine-m02", "mine-m03"), 2, "mine mine-m02 mine-m03", 0),
        (("mine", "mine-m02"), 0, "mine mine-m02", 0),
    ],
    ids=["one", "three", "two are missing", "one was deleted", "all are there", "more than asked for"],
)
def test_a_minikube_profile_gets_the_nodes_that_it_lacks(
    machines: tuple[str, ...], workers: int, nodes: str, added: int
) -> None:
    provider = minikube(machines, workers)
    assert provider.nodes() == tuple(nodes.split())
    commands = [run.argv[-2:] for step in provider.up() for run in step.actions]
    assert commands.count(("node", "add")) == added
    create, *more = provider.up()
    assert create.check == NodesReady(len(machines) or workers + 1, ours=True)
    assert [step.check for step in more] == ([NodesJoined(workers + 1)] if added else [])


@pytest.mark.parametrize("root", [False, True])
def test_minikube_is_only_forced_for_root_whom_it_would_refuse(root: bool) -> None:
    start = minikube(root=root).up()[0].actions[0]
    assert ("--force" in start.argv) is root


def test_podmans_driver_and_its_images_are_podmans_own() -> None:
    provider = minikube(engine="podman", minikube_flags=("--rootless",))
    start = provider.up()[0].actions[0].argv
    assert ("--driver", "podman") in pairwise(start)
    assert start[2:4] == ("minikube", "--rootless")
    assert provider.image()[0].actions[1].argv[:3] == ("podman", "image", "save")


@pytest.mark.parametrize("kind", ["kind", "minikube", "embedded"])
def test_a_containers_end_is_asked_of_the_node_that_runs_its_pod(kind: str) -> None:
    provider: Any = make_provider(kind)
    run = provider.stop_container("web-pod")
    assert run
    node = next(part for part in run.argv if isinstance(part, Lookup))
    asked = provider.node_of("web-pod")
    assert node.run == asked.run
    assert "stop" in str(run.argv[-1])
    assert ("sudo" in run.argv) is (kind == "minikube")


def test_where_no_node_can_be_entered_no_process_is_killed() -> None:
    provider = make_provider("context")
    assert provider.stop_container("web-pod") is None
    assert not {"crash", "crash-again", "delete-crashed"} & {step.id for step in whole(provider, CONTEXT)}


def test_a_command_on_a_minikube_node_reaches_its_shell_word_for_word() -> None:
    words = ("printf", r"%s\n", "*", "a b", "$HOME", "it's", 'say "x"', "http://[::1]:8080/?a=1&b=2")
    run = minikube().on_node(*words)
    assert run
    handed_over = " ".join(str(word) for word in run.argv[run.argv.index("--") + 1 :])
    done = subprocess.run(["sh", "-c", handed_over], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "".join(f"{word}\n" for word in words[2:])


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_the_image_is_proved_on_as_many_nodes_as_were_asked_for(workers: int) -> None:
    provider = make_provider("kind", workers=workers)
    assert len(provider.nodes()) == workers + 1
    assert len(provider.image()[0].confirm) == workers + 1


IDS = [step.id for step in plan(make_provider("kind"), CONTEXT)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, IDS),
        ({"first": "pods"}, ["pods", "describe-pod"]),
        ({"last": "app"}, ["tools", "app"]),
        ({"first": "build", "last": "layers"}, ["build", "layers"]),
        ({"first": "scale", "last": "scale"}, ["scale"]),
        ({"only": ("scale", "app")}, ["app", "scale"]),
        ({"first": "build", "only": ("app", "scale")}, ["scale"]),
        ({"only": ("hit-all",)}, ["hit", "hit-all"]),
        ({"first": "hit-all", "last": "pods"}, ["hit", "hit-all", "scale-under-load", "pods"]),
    ],
)
def test_steps_are_selected_in_the_plans_order(wanted: dict[str, Any], expected: list[str]) -> None:
    chosen = select(plan(make_provider("kind"), CONTEXT), **wanted)
    assert [step.id for step in chosen] == expected


@pytest.mark.parametrize(
    ("wanted", "key"),
    [
        ({"first": "nope"}, "step-unknown"),
        ({"last": "nope"}, "step-unknown"),
        ({"only": ("app", "nope")}, "step-unknown"),
        ({"first": "scale", "last": "app"}, "steps-empty"),
    ],
)
def test_a_choice_of_no_steps_is_an_error(wanted: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(plan(make_provider("kind"), CONTEXT), **wanted)
    assert caught.value.key == key


UNDER_LOAD = [
    *("scale-under-load", "update-under-load", "delete-under-load", "bad-release"),
    *("slow-start", "slow-start-unprobed", "stop-node", "start-node"),
]


@pytest.mark.parametrize(
    ("provider", "absent"),
    [
        (make_provider("kind"), set()),
        (make_provider("minikube"), set()),
        (make_provider("embedded"), set()),
        (make_provider("context"), {"stop-node", "start-node"}),
        (make_provider("kind", workers=1), {"stop-node", "start-node"}),
        (make_provider("kind", replicas=1), {"delete-under-load"}),
        (replace(make_provider("kind"), mark="word"), {"slow-start", "slow-start-unprobed"}),
        (make_provider("kind", tools=Tools("python")), set(UNDER_LOAD)),
    ],
    ids=[
        *("kind", "minikube", "embedded", "context"),
        "two nodes",
        "one Pod",
        "another app",
        "no Python there",
    ],
)
def test_what_cannot_be_tried_under_load_is_no_part_of_the_plan(provider: Provider, absent: set[str]) -> None:
    found = [step.id for step in whole(provider, CONTEXT) if step.id in UNDER_LOAD]
    assert found == [name for name in UNDER_LOAD if name not in absent]


def forwarded(provider: Provider) -> list[str]:
    """Return the command that forwards a port, if there is one."""
    return [shell(step.actions[0]) for step in whole(provider, CONTEXT) if step.id == "port-forward"]


def test_a_port_is_forwarded_on_the_cluster_that_is_meant_and_kubectl_picks_a_free_one(
    provider: Provider,
) -> None:
    (text,) = forwarded(provider)
    where, _, requests = text.partition(" -- ")[2].partition(" -- ")
    kubectl = shell(provider.kubectl("port-forward", f"service/{provider.settings.name}", ":8080"))
    assert where == kubectl
    assert f"--context {provider.context}" in kubectl
    assert requests.endswith("-H 'Connection: close' 'http://{}/?[1-60]'")


def test_of_another_app_whole_answers_are_asked_for_through_a_forwarded_port() -> None:
    (text,) = forwarded(replace(make_provider("kind"), mark="word"))
    assert " -- curl -i " in text
    assert text.endswith("'http://{}/?word.port-forward.[1-60]'")


def test_where_no_python_can_forward_a_port_that_is_no_part_of_the_plan() -> None:
    assert forwarded(make_provider("kind", tools=Tools("python"))) == []


def test_of_the_experiments_under_load_only_scaling_our_own_app_is_in_the_tour() -> None:
    provider = make_provider("kind")
    own, other = (plan(replace(provider, mark=mark), CONTEXT) for mark in ("", "word"))
    assert [step.id for step in own if step.id in UNDER_LOAD] == ["scale-under-load"]
    assert [step.id for step in other if step.id in UNDER_LOAD] == []


@pytest.mark.parametrize(
    ("image", "broken"),
    [
        ("web:1", "web:no-such-release"),
        ("127.0.0.1:5000/web:1", "127.0.0.1:5000/web:no-such-release"),
        ("127.0.0.1:5000/web@sha256:" + "0" * 64, "127.0.0.1:5000/web:no-such-release"),
    ],
    ids=["a tag", "a registry's port", "a digest"],
)
def test_the_bad_release_is_the_same_image_with_a_tag_that_nobody_made(image: str, broken: str) -> None:
    provider = make_provider("context")
    provider = replace(provider, settings=replace(provider.settings, image=image))
    (step,) = (step for step in whole(provider, CONTEXT) if step.id == "bad-release")
    assert f"{provider.settings.name}={broken}" in step.actions[0].argv


@pytest.mark.parametrize("kind", ["kind", "minikube", "embedded"])
def test_a_node_is_stopped_and_started_by_its_providers_own_command(kind: str) -> None:
    provider = make_provider(kind)
    steps = {step.id: step for step in whole(provider, CONTEXT)}
    node = provider.nodes()[-1]
    stop, start = steps["stop-node"].actions[-1], steps["start-node"].actions[0]
    assert stop.argv[-1] == start.argv[-1] == node
    assert start in steps["stop-node"].restore, "a node that was stopped must not stay so"
    words = {"kind": "docker", "minikube": "minikube", "embedded": ".venv/bin/python"}
    assert stop.argv[0] == words[kind]
    if kind != "minikube":
        assert start.argv[0] == words[kind]


@pytest.mark.parametrize(
    ("given", "namespace", "container"),
    [
        ({}, "kubetour", "kubetour-node-hostname"),
        ({"student": "ann"}, "kubetour-ann", "kubetour-ann-node-hostname"),
        ({"student": "ann", "name": "shop"}, "kubetour-ann", "kubetour-ann-shop"),
        ({"student": "ann", "namespace": "ours"}, "ours", "kubetour-ann-node-hostname"),
    ],
    ids=["alone", "a student", "with an app of their own", "in a namespace given"],
)
def test_a_students_namespace_and_container_are_their_own(
    given: dict[str, Any], namespace: str, container: str
) -> None:
    provider = make_provider("context", **given)
    assert (provider.namespace, provider.container) == (namespace, container)
    words = [run.argv for step in plan(provider, CONTEXT, 1) for run in step.actions]
    assert any("--name" in argv and container in argv for argv in words)
