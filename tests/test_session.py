"""From flags to a provider: which one, why, and on which ports."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import buildcontext, choosing, engines, session
from kubetour.engines import Engine
from kubetour.errors import KubetourError, UsageError
from kubetour.project import ROOT
from kubetour.settings import FIELDS, Resolved, Settings
from kubetour.state import State
from kubetour.text import Text
from tests.making import CONTEXT, OTHERS, TOOLS, make_provider

BROKEN = Engine("docker", "engine-daemon")


@pytest.mark.fault("F31")
def test_a_context_has_to_be_named_on_the_command_line(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setenv("KUBETOUR_CONTEXT", "production")
    machine.setattr(
        engines, "find", lambda c, wanted: Engine("docker", "engine-daemon")
    )  # refused all the same
    state = State(tmp_path)
    resolved = session.settle(c, {}, state)
    with pytest.raises(KubetourError) as error:
        session.open_session(c, resolved, state, lambda text: None)
    assert error.value.key == "context-unnamed"


def test_a_port_that_is_taken_is_passed_over_and_a_kept_one_is_not(tmp_path: Path) -> None:
    state = State(tmp_path)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        provider = make_provider("embedded", port=taken)
        assert session._ports(provider, state).container != taken
        state.add("embedded-container/kubetour-node-hostname")
        state.keep_ports({"container": taken})
        assert session._ports(provider, state).container == taken


def test_students_who_begin_at_the_same_moment_choose_different_ports(tmp_path: Path) -> None:
    chosen = [
        session._ports(make_provider("kind", student=student), State(tmp_path / student))
        for student in ("ann", "bob")
    ]
    assert len({port for ports in chosen for port in (ports.container, ports.host)}) == 4


def test_a_path_on_the_command_line_is_meant_from_where_it_was_typed(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setenv("KUBETOUR_CWD", str(tmp_path))
    resolved = session.settle(c, {"app_dir": "shop", "lessons": "class"}, State(tmp_path))
    assert (ROOT / resolved.settings.app_dir).resolve() == tmp_path / "shop"
    assert (ROOT / resolved.settings.lessons).resolve() == tmp_path / "class"


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("kind", {"provider": "kind", "engine": "podman"}),
        ("context", {"engine": "podman"}),
        ("embedded", {"provider": "embedded"}),
    ],
)
def test_the_next_command_uses_the_same_engine_as_no_other_sees_what_it_has(
    kind: str, kept: dict[str, str], tmp_path: Path
) -> None:
    state, provider = State(tmp_path), make_provider(kind, OTHERS["podman"])
    opened = session.Session(Resolved(Settings(), dict.fromkeys(FIELDS, "default")), provider, CONTEXT, state)
    opened.remember()
    assert state.remembered() == kept


def test_podmans_images_have_their_full_name_from_the_beginning(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setattr(engines, "find", lambda c, wanted: Engine("podman", version="5.4.0"))
    for flags, image in (
        ({"provider": "kind"}, "localhost/node-hostname:"),
        ({"provider": "kind", "image": "quay.io/me/web:1"}, "quay.io/me/web:1"),
        ({"provider": "embedded"}, "node-hostname:"),
    ):
        resolved = session.settle(c, flags, State(tmp_path))
        opened = session.open_session(c, resolved, State(tmp_path), lambda text: None)
        assert opened.settings.image.startswith(image)
        assert f'image: "{opened.settings.image}"' in opened.provider.templates["deployment"]
        assert resolved.settings.image in ("node-hostname", "quay.io/me/web:1"), (
            "what is remembered is as typed"
        )


def test_an_image_goes_into_the_registry_only_for_a_cluster_that_pulls_it(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setattr(choosing, "server", lambda c, kubectl, context: Text("tour.chosen"))
    state = State(tmp_path)
    flags = {"image": "web:1", "registry": "r.example/team"}
    for more, image in (({"context": "x"}, "r.example/team/web:1"), ({"provider": "kind"}, "web:1")):
        opened = session.open_session(
            c, session.settle(c, {**flags, **more}, state), state, lambda text: None
        )
        assert opened.settings.image == image
        (push,) = session.push_step(opened)
        assert push.actions[-1].argv == ("docker", "push", "r.example/team/web:1")
        assert len(push.actions) == (2 if image == "web:1" else 1)  # it must be tagged first


@pytest.mark.parametrize(
    ("registry", "unchecked"),
    [("r.example/team", ()), ("127.0.0.1:5000/team", ("--tls-verify=false",))],  # as Docker does unasked
    ids=["elsewhere", "here"],
)
def test_what_podman_calls_its_own_goes_to_the_registry_without_that_name(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path, registry: str, unchecked: tuple[str, ...]
) -> None:
    machine.setattr(engines, "find", lambda c, wanted: Engine("podman", version="5.4.0"))
    flags = {"provider": "kind", "image": "web:1", "registry": registry}
    opened = session.open_session(
        c, session.settle(c, flags, State(tmp_path)), State(tmp_path), lambda text: None
    )
    (push,) = session.push_step(opened)
    tag, to_registry = (run.argv[1:] for run in push.actions)
    assert tag == ("tag", "localhost/web:1", f"{registry}/web:1")
    assert to_registry == ("push", *unchecked, "--digestfile", ".kubetour/digest", f"{registry}/web:1")


def test_a_pull_secret_of_no_use_is_refused_before_anything_is_done(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setattr(choosing, "server", lambda c, kubectl, context: Text("tour.chosen"))
    machine.setenv("KUBETOUR_CWD", str(tmp_path))
    (tmp_path / "config.json").write_text('{"auths": {"r.example": {}}, "credsStore": "desktop"}')
    state = State(tmp_path / "state")
    flags = {"context": "x", "image": "r.example/web", "pull_secret": "config.json"}
    with pytest.raises(UsageError) as error:
        session.open_session(c, session.settle(c, flags, state), state, lambda text: None)
    assert error.value.key == "pull-secret-helper"
    assert not (tmp_path / "state").exists()


def test_an_image_too_long_with_its_registry_is_refused(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setattr(choosing, "server", lambda c, kubectl, context: Text("tour.chosen"))
    state = State(tmp_path)
    flags = {"context": "x", "image": "w" * 200, "registry": "r.example/" + "t" * 100}
    with pytest.raises(UsageError) as error:
        session.open_session(c, session.settle(c, flags, state), state, lambda text: None)
    assert error.value.values["name"] == "--registry"


def test_the_paths_in_kubeconfig_are_meant_from_where_they_were_typed(
    machine: pytest.MonkeyPatch, c: Context, tmp_path: Path
) -> None:
    machine.setenv("KUBETOUR_CWD", str(tmp_path))
    machine.setenv("KUBECONFIG", os.pathsep.join(("one", "", "/etc/two")))
    session.settle(c, {}, State(tmp_path))
    assert os.environ["KUBECONFIG"] == os.pathsep.join((str(tmp_path / "one"), "/etc/two"))


@pytest.mark.parametrize(
    ("app_dir", "user", "is_marked", "rights"),
    [
        (".", "1000", False, {"non_root": True, "drop": True, "read_only": True, "path": True}),
        ("../shop", "1000", True, {"non_root": True, "drop": True, "read_only": False, "path": False}),
        ("../shop", "", True, {"non_root": False, "drop": False, "read_only": False, "path": False}),
    ],
    ids=["ours", "another", "another that runs as root"],
)
def test_requests_to_an_app_that_is_not_ours_are_marked_and_its_pods_get_the_rights_they_need(
    machine: pytest.MonkeyPatch,
    tmp_path: Path,
    app_dir: str,
    user: str,
    is_marked: bool,
    rights: dict[str, bool],
) -> None:
    context = replace(CONTEXT, directory=app_dir, user=user)
    machine.setattr(buildcontext, "read", lambda *given: context)
    resolved = Resolved(Settings(app_dir=app_dir), dict.fromkeys(FIELDS, "flag"))
    made = session.assemble(resolved, State(tmp_path), "kind", TOOLS["kind"])
    assert bool(made.provider.mark) is is_marked
    manifest = made.render(1)["deployment"]
    assert {
        "non_root": "runAsNonRoot" in manifest,
        "drop": "drop:" in manifest,
        "read_only": "readOnlyRootFilesystem" in manifest,
        "path": "/healthz" in manifest,
    } == rights
