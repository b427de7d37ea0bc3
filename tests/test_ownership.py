"""How much of a cluster that is not ours is removed: what kubectl and the ledger say decides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from invoke.context import Context

from kubetour import ownership
from kubetour.errors import ClusterError, RefusedError
from kubetour.session import Session
from kubetour.settings import Resolved, Settings
from kubetour.state import State
from tests.making import CONTEXT, make_provider, put
from tests.shapes import OURS

NAMESPACE = "namespace/gke_example/kubetour"
SECRET = "secret/gke_example/kubetour/kubetour-registry"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Return a session on a named context, whose kubectl a test writes."""
    provider = make_provider("context")
    tools = replace(
        provider.tools, kubectl=str(tmp_path / "kubectl"), engine=put(tmp_path, "docker", "exit 1")
    )
    provider = replace(provider, tools=tools)
    return Session(Resolved(Settings(), {}), provider, CONTEXT, State(tmp_path / "state"))


def says(directory: Path, body: str) -> None:
    path = directory / "kubectl"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def there(directory: Path, labels: dict[str, str]) -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "kubetour", "labels": labels}}
    says(directory, f"cat <<'EOF'\n{json.dumps(namespace)}\nEOF")


def absent(directory: Path) -> None:
    says(directory, """echo 'Error from server (NotFound): namespaces "kubetour" not found' >&2; exit 1""")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ((), ["delete-app"]),
        ((SECRET,), ["delete-app", "delete-pull-secret"]),
        ((NAMESPACE,), ["delete-app", "delete-namespace"]),
        ((NAMESPACE, SECRET), ["delete-app", "delete-namespace"]),
    ],
)
def test_only_what_the_ledger_has_is_removed(
    c: Context, session: Session, tmp_path: Path, made: tuple[str, ...], expected: list[str]
) -> None:
    there(tmp_path, OURS)
    session.state.add(*made)
    assert [step.id for step in ownership.clean_up(c, session, ())] == expected


def test_a_namespace_without_our_label_is_refused_with_what_to_type(
    c: Context, session: Session, tmp_path: Path
) -> None:
    there(tmp_path, {})
    for clean_up in (ownership.clean_up, ownership.clean_up_after):
        with pytest.raises(RefusedError) as error:
            clean_up(c, session)
        line = "kubectl --context gke_example label namespace kubetour app.kubernetes.io/managed-by=kubetour"
        for language in ("en", "zh"):
            assert line in error.value.explain(language)[0]


def test_a_namespace_that_is_gone_is_struck_from_the_ledger_and_leaves_nothing_to_remove(
    c: Context, session: Session, tmp_path: Path
) -> None:
    absent(tmp_path)
    session.state.add(NAMESPACE, SECRET, "docker-image/web:1")
    assert ownership.clean_up(c, session, ()) == ()
    assert session.state.created() == ("docker-image/web:1",)


def test_a_cluster_that_cannot_be_asked_is_an_error_and_the_ledger_stays(
    c: Context, session: Session, tmp_path: Path
) -> None:
    says(tmp_path, "echo 'The connection to the server 127.0.0.1:1 was refused' >&2; exit 1")
    session.state.add(NAMESPACE)
    with pytest.raises(ClusterError):
        ownership.clean_up(c, session, ())
    assert session.state.created() == (NAMESPACE,)


def test_a_tour_that_makes_the_namespace_deletes_it_and_one_that_finds_it_takes_back_the_secret(
    c: Context, session: Session, tmp_path: Path
) -> None:
    absent(tmp_path)
    ids = [step.id for step in ownership.clean_up_after(c, session)]
    assert ids == ["delete-app", "delete-namespace", "delete-image"]
    there(tmp_path, OURS)
    ids = [step.id for step in ownership.clean_up_after(c, session)]
    assert ids == ["delete-app", "delete-pull-secret", "delete-image"]


@pytest.mark.parametrize("kind", ["kind", "minikube"])
def test_a_cluster_of_ours_is_not_asked(c: Context, session: Session, kind: str) -> None:
    provider = make_provider(kind)
    tools = replace(provider.tools, engine=session.provider.tools.engine)
    session = replace(session, provider=replace(provider, tools=tools))
    assert ownership.clean_up(c, session) == ownership.clean_up_after(c, session) == session.clean_up()


@pytest.mark.parametrize("kind", ["kind", "context"])
def test_an_image_that_was_there_before_the_tour_stays(
    c: Context, session: Session, tmp_path: Path, kind: str
) -> None:
    absent(tmp_path)
    provider = make_provider(kind)
    session = replace(session, provider=replace(provider, tools=session.provider.tools))
    put(tmp_path, "docker", "exit 0")
    assert "delete-image" not in [step.id for step in ownership.clean_up_after(c, session)]
    session.state.add(f"docker-image/{session.settings.image}")
    assert "delete-image" in [step.id for step in ownership.clean_up_after(c, session)]


def test_what_others_put_into_our_namespace_keeps_it(c: Context, session: Session, tmp_path: Path) -> None:
    session.state.add(NAMESPACE)
    namespace = json.dumps({"kind": "Namespace", "metadata": {"name": "kubetour", "labels": OURS}})
    held = r"ConfigMap/kube-root-ca.crt \nDeployment/web kubetour\nSecret/theirs <no value>\nPod/x me\n"
    says(
        tmp_path,
        f"""case "$*" in
*api-resources*) printf 'pods\nsecrets\ndeployments.apps\nevents\n' ;;
*pods,secrets,deployments.apps*) printf '{held}' ;;
*'-o json'*) echo '{namespace}' ;;
esac""",
    )
    with pytest.raises(RefusedError, match="namespace-shared") as raised:
        ownership.clean_up(c, session, ())
    assert raised.value.evidence.split() == ["Secret/theirs", "Pod/x"]


def test_an_app_that_others_made_is_refused_before_a_step_works_on_it(
    c: Context, session: Session, tmp_path: Path
) -> None:
    says(tmp_path, r"printf 'Deployment/node-hostname helm\nService/node-hostname kubetour\n'")
    steps = [step for step in session.plan() if step.id == "deploy"]
    with pytest.raises(RefusedError, match="not-made-here") as raised:
        ownership.refuse_anothers_app(c, session, steps)
    assert raised.value.evidence == "Deployment/node-hostname"
    ownership.refuse_anothers_app(c, session, [step for step in session.plan() if step.id == "nodes"])
