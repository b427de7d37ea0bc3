from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.commands import Commands
from tests.embedded.making import context

DOCKERFILE = 'ARG V=1\nFROM scratch\nWORKDIR /app\nCOPY run.sh ./\nENV V=$V\nENTRYPOINT ["sh", "run.sh"]\n'


@pytest.fixture
def run(tmp_path: Path) -> Commands:
    context(tmp_path / "app", {"Dockerfile": DOCKERFILE, "run.sh": "echo hello"})
    return Commands(tmp_path / "state")


@pytest.fixture
def built(run: Commands) -> Commands:
    run("build", "-t", "shop:1", "app")
    return run


def test_build_prints_its_steps_on_standard_error(run: Commands) -> None:
    done = run("build", "-t", "shop:1", "--build-arg", "V=7", "app")
    assert done.out == ""
    said = done.err.splitlines()
    assert said[:4] == [
        "[1/6] ARG V=1",
        "[2/6] FROM scratch: an empty image",
        "[3/6] WORKDIR /app  0B",
        "[4/6] COPY run.sh ./  10B",
    ]
    assert said[-1] == "named shop:1"
    assert run("build", "-q", "-t", "shop:1", "app").out.startswith("sha256:")


def test_labels_of_the_command_line_make_another_image_of_the_same_layers(run: Commands) -> None:
    run("build", "-t", "shop:1", "--label", "release=1", "app")
    run("build", "-t", "shop:2", "--label", "release=2", "--label", "team=a=b", "app")
    one, two = json.loads(run("image", "inspect", "shop:1", "shop:2").out)
    assert one["Config"]["Labels"] == {"release": "1"}
    assert two["Config"]["Labels"] == {"release": "2", "team": "a=b"}
    assert one["Id"] != two["Id"]
    assert one["RootFS"] == two["RootFS"]


def test_a_dockerfile_elsewhere(run: Commands, tmp_path: Path) -> None:
    (tmp_path / "Other").write_text("FROM scratch\nCOPY run.sh /x\n", encoding="utf-8")
    run("build", "-t", "other", "-f", "Other", "app")
    assert run("images", "--format", "{{.Repository}}:{{.Tag}}").out == "other:latest\n"


def test_the_image_is_listed_inspected_and_removed(built: Commands) -> None:
    (image,) = built("image", "inspect", "shop:1").json
    assert image["RepoTags"] == ["shop:1"]
    assert image["Config"]["Entrypoint"] == ["sh", "run.sh"]
    assert built("image", "inspect", "-f", "{{.Id}}", "shop:1").out.strip() == image["Id"]
    heading, row = built("images").out.splitlines()
    assert heading.split("   ")[0].strip() == "REPOSITORY"
    assert row.split()[:3] == ["shop", "1", image["Id"][7:19]]
    assert built("images", "-q", "shop").out.strip() == image["Id"][7:19]
    removed = built("image", "rm", "shop:1").out.splitlines()
    assert removed == ["Untagged: shop:1", f"Deleted: {image['Id']}"]
    assert built("images", "-q").out == ""


def test_an_image_with_two_names_stays_with_one(built: Commands) -> None:
    built("build", "-t", "shop:2", "app")
    assert built("image", "rm", "shop:1").out == "Untagged: shop:1\n"
    assert built("images", "--format", "{{.Tag}}").out == "2\n"


def test_history_as_table_and_as_json_lines(built: Commands) -> None:
    table = built("history", "shop:1").out.splitlines()
    assert table[0].split() == ["IMAGE", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    assert len(table) == 6
    for form in ("json", "{{json .}}"):
        rows = [
            json.loads(line)
            for line in built("history", "--no-trunc", "--format", form, "shop:1").out.splitlines()
        ]
        assert [row["CreatedBy"] for row in rows][-1] == "FROM scratch"
        assert [row["Size"] for row in rows if row["CreatedBy"].startswith("COPY")] == ["10B"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("image", "inspect", "none"), "ERROR: no such image: none\n"),
        (("history", "none"), "ERROR: no such image: none; `build -t none CONTEXT` makes it"),
        (("image", "rm", "none"), "ERROR: no such image: none\n"),
        (("build", "-t", "Bad", "app"), "ERROR: invalid image name 'Bad': repository name must be lowercase"),
        (("build", "-t", "x", "none"), "ERROR: cannot read the Dockerfile none/Dockerfile"),
        (("build", "-t", "x", "--build-arg", "V", "app"), "ERROR: --build-arg V: give NAME=VALUE"),
        (("build", "-t", "x", "--label", "release", "app"), "ERROR: --label release: give NAME=VALUE"),
        (("history", "--format", "{{range .}}", "shop:1"), "ERROR: --format: cannot read"),
    ],
)
def test_errors_are_one_line_and_status_1(built: Commands, argv: tuple[str, ...], message: str) -> None:
    done = built(*argv, ok=False)
    assert done.status == 1
    assert done.err.startswith(message)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "argv", [(), ("nonsense",), ("build",), ("create", "cluster", "--bogus"), ("stop", "-t", "x", "c")]
)
def test_wrong_usage_is_status_2(run: Commands, argv: tuple[str, ...]) -> None:
    done = run(*argv, ok=False)
    assert done.status == 2
    assert done.err.startswith("ERROR: ")


def test_inspecting_nothing_prints_an_empty_array(run: Commands) -> None:
    done = run("image", "inspect", "none", ok=False)
    assert (done.status, done.json) == (1, [])


def test_a_reader_that_goes_away_is_no_error(built: Commands) -> None:
    command = f"{sys.executable} -m kubetour.embedded history shop:1 | true"
    done = subprocess.run(
        ["sh", "-c", command], env=built.environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_building_loads_neither_web_server_nor_cryptography(run: Commands) -> None:
    code = (
        "import sys; from kubetour.embedded.cli import main\n"
        "main(['build', '-q', '-t', 'x', 'app']); main(['history', 'x']); main(['images'])\n"
        "print([m for m in ('aiohttp', 'cryptography', 'kubernetes', 'yaml', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=run.environment,
        cwd=run.root.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
