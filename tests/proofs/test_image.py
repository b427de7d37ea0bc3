"""The checks before there is a cluster: each where it holds, and each way it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubetour.checks import Observation, Proof, Result
from kubetour.proofs.image import (
    AppReadable,
    ContainerAnswered,
    ContainerStarted,
    ImageBuilt,
    LayersListed,
    Logged,
    Stopped,
    ToolsFound,
    instruction,
    layers,
)
from tests.making import output
from tests.shapes import OURS


def printed(*texts: str) -> Observation:
    return Observation(tuple(output(text) for text in texts))


def confirmed(text: str, *texts: str) -> Observation:
    return Observation(tuple(output(text) for text in texts), (output(text),))


def key(proof: Proof) -> str:
    return proof.text.key.removeprefix("proof.")


VERSION = {"clientVersion": {"major": "1", "minor": "36", "gitVersion": "v1.36.2"}, "kustomizeVersion": "v5"}


def test_kubectl_tells_its_version() -> None:
    proof = ToolsFound("docker 29")(printed(json.dumps(VERSION)))
    assert proof.holds
    assert proof.data == {"kubectl": "v1.36.2", "engine": "docker 29"}


@pytest.mark.parametrize("text", ["", "{}", "Client Version: v1.36.2", '{"clientVersion": {}}'])
def test_a_kubectl_that_tells_no_version_proves_nothing(text: str) -> None:
    proof = ToolsFound("docker 29")(printed(text))
    assert not proof.holds
    assert key(proof) == "kubectl-silent"


@pytest.mark.parametrize(
    ("dockerfile", "start"),
    [
        ('FROM node\nENTRYPOINT ["node", "app.js"]\n', '["node", "app.js"]'),
        ("ARG BASE=node\nfrom ${BASE}\ncmd node app.js\n", "node app.js"),
        ("FROM node\n", "–"),
    ],
)
def test_a_dockerfile_says_what_it_starts(dockerfile: str, start: str) -> None:
    proof = AppReadable(1, 10, "abc")(printed(dockerfile))
    assert proof.holds
    assert proof.text.values["start"] == start


@pytest.mark.parametrize("dockerfile", ["", "# FROM node\n", "FROM\n", "RUN echo FROM node\n"])
def test_a_dockerfile_without_from_is_none(dockerfile: str) -> None:
    assert key(AppReadable(1, 10, "abc")(printed(dockerfile))) == "dockerfile-no-from"


INSPECTED = [{"Id": "sha256:7e0f498f2a7c80b3", "Size": 104_000_000, "RootFS": {"Layers": ["sha256:1"]}}]


def test_an_image_that_can_be_inspected_is_there() -> None:
    proof = ImageBuilt("web:1")(confirmed(json.dumps(INSPECTED)))
    assert proof.holds
    assert proof.text.values["id"] == "7e0f498f2a7c"
    assert proof.text.values["size"] == "104MB"
    assert proof.data["layers"] == ["sha256:1"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "Error: No such image: web:1"])
def test_an_image_that_cannot_be_inspected_is_not_there(text: str) -> None:
    proof = ImageBuilt("web:1")(confirmed(text))
    assert not proof.holds
    assert key(proof) == "image-absent"


def history(*rows: tuple[str, str]) -> str:
    """Return rows as `docker history --format '{{json .}}'` prints them: the newest first."""
    return "".join(json.dumps({"CreatedBy": text, "Size": size}) + "\n" for text, size in rows)


HISTORY = history(
    ('ENTRYPOINT ["node" "app.js"]', "0B"),
    ("COPY app/app.js ./ # buildkit", "2.1kB"),
    ('/bin/sh -c #(nop)  CMD ["node"]', "0B"),
    ("/bin/sh -c #(nop) ADD file:1 in / ", "8.3MB"),
)


def test_layers_are_the_history_from_its_beginning() -> None:
    assert layers(HISTORY) == [
        {"instruction": "ADD file:1 in /", "size": "8.3MB"},
        {"instruction": 'CMD ["node"]', "size": "0B"},
        {"instruction": "COPY app/app.js ./", "size": "2.1kB"},
        {"instruction": 'ENTRYPOINT ["node" "app.js"]', "size": "0B"},
    ]
    proof = LayersListed("web:1")(confirmed(HISTORY))
    assert proof.holds
    assert (proof.text.values["rows"], proof.text.values["filled"]) == (4, 2)


# What podman 4.3 prints: a list on one line, sizes in bytes.
PODMAN = json.dumps(
    [
        {"id": "a", "CreatedBy": '/bin/sh -c #(nop) ENTRYPOINT ["node", "app.js"]', "size": 0},
        {"id": "<missing>", "CreatedBy": "/bin/sh -c #(nop) COPY file:733d in ./ ", "size": 4608},
        {
            "id": "<missing>",
            "created": "2026-11-25T20:55:08Z",
            "size": 104345600,
            "comment": "Imported from -",
        },
    ]
)
# nerdctl 2.1: rows of its own, with Docker's names and words.
NERDCTL = "".join(
    json.dumps(
        {"Snapshot": "<missing>", "CreatedBy": text, "Size": size, "Comment": "buildkit.dockerfile.v0"}
    )
    + "\n"
    for text, size in (('ENTRYPOINT ["node" "app.js"]', "0B"), ("COPY app/app.js ./ # buildkit", "8.192kB"))
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            PODMAN,
            [
                ("Imported from -", "104MB"),
                ("COPY file:733d in ./", "4.61kB"),
                ('ENTRYPOINT ["node", "app.js"]', "0B"),
            ],
        ),
        (NERDCTL, [("COPY app/app.js ./", "8.192kB"), ('ENTRYPOINT ["node" "app.js"]', "0B")]),
    ],
    ids=["podman", "nerdctl"],
)
def test_layers_are_read_from_each_engines_rows(text: str, rows: list[tuple[str, str]]) -> None:
    assert layers(text) == [{"instruction": instruction, "size": size} for instruction, size in rows]


@pytest.mark.parametrize("text", ["", "Error: no such image\n", history(("CMD", "0B")), "[]\n"])
def test_a_history_without_a_layer_that_holds_files_proves_nothing(text: str) -> None:
    assert key(LayersListed("web:1")(confirmed(text))) == "layers-none"


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ("", "Imported from -"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("RUN /bin/sh -c npm ci # buildkit", "RUN /bin/sh -c npm ci"),
        ("/bin/sh -c apk add curl", "/bin/sh -c apk add curl"),
        ("/bin/sh -c #(nop)  EXPOSE 8080", "EXPOSE 8080"),
        ("COPY  a\tb  # buildkit", "COPY a b"),
    ],
)
def test_an_instruction_is_shown_without_its_builders_wrapping(created_by: str, shown: str) -> None:
    assert instruction({"CreatedBy": created_by, "Comment": "Imported from -"}) == shown


def test_an_instruction_without_any_text_is_a_dash() -> None:
    assert instruction({"CreatedBy": "", "Comment": ""}) == "–"


def container(labels: dict[str, str] | None) -> str:
    return json.dumps([{"Id": "d1ed5e5480799f53", "Config": {"Hostname": "d1ed5e548079", "Labels": labels}}])


def test_a_container_with_our_label_is_ours() -> None:
    proof = ContainerStarted("kubetour-web")(confirmed(container(OURS)))
    assert proof.holds
    assert proof.text.values["id"] == "d1ed5e548079"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "container-absent"),
        ("", "container-absent"),
        (container(None), "container-foreign"),
        (container({}), "container-foreign"),
        (container({"app.kubernetes.io/managed-by": "helm"}), "container-foreign"),
    ],
)
def test_a_container_that_is_absent_or_anothers_proves_nothing(text: str, why: str) -> None:
    proof = ContainerStarted("kubetour-web")(confirmed(text))
    assert not proof.holds
    assert key(proof) == why


def test_the_answer_names_the_container() -> None:
    proof = ContainerAnswered()(confirmed(container(OURS), "You've hit d1ed5e548079\n"))
    assert proof.holds


@pytest.mark.parametrize(
    ("inspected", "answer"),
    [
        (container(OURS), ""),
        (container(OURS), "You've hit another\n"),
        ("[]", "You've hit d1ed5e548079\n"),
        ("", ""),
        (json.dumps([{"Config": {"Hostname": ""}}]), "You've hit anything\n"),
    ],
)
def test_an_answer_from_elsewhere_proves_nothing(inspected: str, answer: str) -> None:
    assert key(ContainerAnswered()(confirmed(inspected, answer))) == "container-other"


@pytest.mark.parametrize(("stdout", "stderr"), [("web starting ...\n", ""), ("", "web starting ...\n")])
def test_a_log_may_be_on_either_stream(stdout: str, stderr: str) -> None:
    proof = Logged()(Observation((Result(0, stdout, stderr),)))
    assert proof.holds
    assert proof.text.values == {"lines": 1, "first": "web starting ..."}


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_log_proves_nothing(text: str) -> None:
    assert key(Logged()(printed(text))) == "log-empty"


@pytest.mark.parametrize(
    ("status", "seconds", "holds"),
    [(0, 0.4, True), (0, 9.99, True), (0, 10.0, False), (0, 10.3, False), (1, 0.4, False)],
)
def test_a_container_stopped_by_itself_only_within_the_engines_grace(
    status: int, seconds: float, holds: bool
) -> None:
    proof = Stopped(10.0)(Observation((Result(status, "", "", seconds),)))
    assert proof.holds is holds
    assert key(proof) == ("stopped" if holds else "stopped-late")


CHECKS: list[Any] = [
    ToolsFound("docker"),
    AppReadable(1, 2, "abc"),
    ImageBuilt("web:1"),
    LayersListed("web:1"),
    ContainerStarted("web"),
    ContainerAnswered(),
    Logged(),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: type(check).__name__)
@pytest.mark.parametrize("text", ["null", "1", '"text"', "[1]", "[null]", "{", "\x00", "[[]]"])
def test_output_of_another_form_fails_the_check_and_not_the_program(check: Any, text: str) -> None:
    proof = check(Observation((Result(0, text),), (Result(0, text),)))
    assert not proof.holds or check == Logged()
