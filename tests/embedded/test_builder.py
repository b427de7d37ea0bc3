from __future__ import annotations

import hashlib
import json
import tarfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kubetour.embedded.builder import Builder
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from tests.embedded.making import build, context

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)
APP = """\
ARG BASE=scratch
FROM ${BASE}
WORKDIR /app
COPY src/*.js ./
USER 1000
EXPOSE 8080
ENTRYPOINT ["node", "app.js"]
"""
FILES = {"src/app.js": "hello", "src/b.js": "b", "src/readme": "no"}


def config(
    root: Path, dockerfile: str, files: dict[str, str] | None = None, **arguments: str
) -> dict[str, object]:
    image, _ = build(root, dockerfile, files, arguments=arguments)
    found: dict[str, object] = image.config["config"]
    return found


def contents(root: Path, dockerfile: str, files: dict[str, str]) -> list[dict[str, tarfile.TarInfo]]:
    image, _ = build(root, dockerfile, files)
    layers = []
    for entry in image.manifest["layers"]:
        with tarfile.open(ImageStore(root / "images").blob(entry["digest"])) as tar:
            layers.append({member.name: member for member in tar})
    return layers


def test_each_instruction_is_one_entry_of_the_history_and_files_make_layers(tmp_path: Path) -> None:
    image, _ = build(tmp_path, APP, FILES)
    shown = [(record["created_by"], "empty_layer" not in record) for record in image.config["history"]]
    assert shown == [
        ("FROM scratch", False),
        ("WORKDIR /app", True),
        ("COPY src/*.js ./", True),
        ("USER 1000", False),
        ("EXPOSE 8080/tcp", False),
        ('ENTRYPOINT ["node", "app.js"]', False),
    ]
    assert image.layer_sizes == [0, 6]
    assert image.config["config"] == {
        "WorkingDir": "/app",
        "User": "1000",
        "ExposedPorts": {"8080/tcp": {}},
        "Entrypoint": ["node", "app.js"],
    }


def test_every_digest_is_true(tmp_path: Path) -> None:
    image, _ = build(tmp_path, APP, FILES)
    store = ImageStore(tmp_path / "images")
    for digest in (image.id, image.digest, *image.config["rootfs"]["diff_ids"]):
        assert digest == "sha256:" + hashlib.sha256(store.blob(digest).read_bytes()).hexdigest()
    assert [entry["digest"] for entry in image.manifest["layers"]] == image.config["rootfs"]["diff_ids"]
    assert [entry["size"] for entry in image.manifest["layers"]] == [
        store.blob(digest).stat().st_size for digest in image.config["rootfs"]["diff_ids"]
    ]


def test_the_same_files_make_the_same_image_anywhere(tmp_path: Path) -> None:
    one, _ = build(tmp_path / "one", APP, FILES, now=lambda: NOW)
    other, _ = build(tmp_path / "other", APP, FILES, now=lambda: NOW)
    assert one.id == other.id


def test_a_second_build_is_cached_and_makes_the_same_image(tmp_path: Path) -> None:
    first, said = build(tmp_path, APP, FILES)
    assert not [line for line in said if "CACHED" in line]
    second, said = build(tmp_path, APP, FILES)
    assert second.id == first.id
    assert len([line for line in said if line.startswith("CACHED ")]) == 5


def test_a_changed_file_is_built_anew_from_its_instruction_on(tmp_path: Path) -> None:
    first, _ = build(tmp_path, APP, FILES)
    second, said = build(tmp_path, APP, {**FILES, "src/app.js": "changed"})
    assert second.id != first.id
    assert [line.split("] ")[1].split()[0] for line in said if "CACHED" in line] == ["WORKDIR"]


def test_without_the_cache_every_layer_is_made_again(tmp_path: Path) -> None:
    build(tmp_path, APP, FILES)
    _, said = build(tmp_path, APP, FILES, use_cache=False)
    assert not [line for line in said if "CACHED" in line]


def test_a_damaged_cache_is_no_cache(tmp_path: Path) -> None:
    build(tmp_path, APP, FILES)
    (tmp_path / "images" / "cache.json").write_text("{", encoding="utf-8")
    _, said = build(tmp_path, APP, FILES)
    assert not [line for line in said if "CACHED" in line]


def test_an_image_can_be_built_on_one_that_was_built_before(tmp_path: Path) -> None:
    base, _ = build(tmp_path, APP, FILES, name="base:1")
    image, _ = build(tmp_path, "FROM base:1\nCOPY src/readme /app/", FILES)
    assert image.config["rootfs"]["diff_ids"][:2] == base.config["rootfs"]["diff_ids"]
    assert len(image.config["history"]) == len(base.config["history"]) + 1
    assert image.config["config"]["Entrypoint"] == ["node", "app.js"]


def test_the_last_stage_is_the_image_and_may_begin_with_another(tmp_path: Path) -> None:
    text = "FROM scratch AS base\nENV a=1\nFROM scratch\nENV b=2\nFROM base\nENV c=3"
    assert config(tmp_path, text) == {"Env": ["a=1", "c=3"]}


def test_from_node_is_this_machines_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\necho v99.1.2\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{node.parent}:/usr/bin:/bin")
    image, said = build(tmp_path, "FROM node:24-alpine")
    note = "this machine's Node v99.1.2 (embedded: nothing is pulled)"
    assert image.config["history"][0]["comment"] == note
    assert image.config["config"]["Labels"] == {"dev.kubetour.base": note}
    assert "NODE_VERSION=99.1.2" in image.config["config"]["Env"]
    assert note in said[0]


def test_setting_the_entrypoint_drops_the_bases_command_only(tmp_path: Path) -> None:
    build(tmp_path, 'FROM scratch\nCMD ["base"]', name="base:1")
    assert config(tmp_path, 'FROM base:1\nENTRYPOINT ["x"]') == {"Entrypoint": ["x"]}
    own = config(tmp_path, 'FROM base:1\nCMD ["own"]\nENTRYPOINT ["x"]')
    assert own == {"Entrypoint": ["x"], "Cmd": ["own"]}


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("ENV a=1 b='x y'", {"Env": ["a=1", "b=x y"]}),
        ("ENV a one two", {"Env": ["a=one two"]}),
        ("ENV a=1\nENV a=2 b=$a", {"Env": ["a=2", "b=1"]}),
        ("LABEL x.y='1 2' z=3", {"Labels": {"x.y": "1 2", "z": "3"}}),
        ("MAINTAINER me", {"Labels": {"maintainer": "me"}}),
        ("WORKDIR a\nWORKDIR b/../c", {"WorkingDir": "/a/c"}),
        ("USER app:app", {"User": "app:app"}),
        (
            "EXPOSE 80 53/udp 90-91",
            {"ExposedPorts": {p: {} for p in ("80/tcp", "53/udp", "90/tcp", "91/tcp")}},
        ),
        ('VOLUME ["/data"]', {"Volumes": {"/data": {}}}),
        ("STOPSIGNAL SIGINT", {"StopSignal": "SIGINT"}),
        ("CMD echo $HOME", {"Cmd": ["/bin/sh", "-c", "echo $HOME"]}),
        ('SHELL ["bash", "-c"]\nCMD x', {"Shell": ["bash", "-c"], "Cmd": ["bash", "-c", "x"]}),
        ('CMD ["a", "b"]', {"Cmd": ["a", "b"]}),
        ("HEALTHCHECK NONE", {"Healthcheck": {"Test": ["NONE"]}}),
        (
            "HEALTHCHECK --interval=5s --retries=2 CMD curl -f x",
            {"Healthcheck": {"Test": ["CMD-SHELL", "curl -f x"], "Interval": 5 * 10**9, "Retries": 2}},
        ),
        ("ARG v=1\nENV a=$v", {"Env": ["a=1"]}),
        ("ARG v\nENV a=${v:-none}", {"Env": ["a=none"]}),
        ("ENV v=env\nARG v=arg\nENV a=$v", {"Env": ["v=env", "a=env"]}),
    ],
)
def test_what_instructions_do_to_the_config(
    tmp_path: Path, instruction: str, expected: dict[str, object]
) -> None:
    assert config(tmp_path, f"FROM scratch\n{instruction}") == expected


def test_build_arguments_replace_defaults_where_they_are_declared(tmp_path: Path) -> None:
    text = "ARG g=1\nFROM scratch\nENV a=${g:-unseen}\nARG g\nENV b=$g\nARG l=2\nENV c=$l"
    assert config(tmp_path, text) == {"Env": ["a=unseen", "b=1", "c=2"]}
    assert config(tmp_path, text, g="8", l="9") == {"Env": ["a=unseen", "b=8", "c=9"]}


def test_a_build_argument_that_nothing_asks_for_is_told(tmp_path: Path) -> None:
    _, said = build(tmp_path, "FROM scratch\nENV a=1", arguments={"typo": "1", "http_proxy": "x"})
    assert [line for line in said if line.startswith("warning")] == [
        "warning: build arguments that no ARG asks for were not used: typo"
    ]


@pytest.mark.parametrize(
    ("instruction", "files", "expected"),
    [
        ("COPY a /x", {"a": "1"}, ["x"]),
        ("COPY a /x/", {"a": "1"}, ["x", "x/a"]),
        ("COPY a b /x/", {"a": "1", "b": "2"}, ["x", "x/a", "x/b"]),
        ("COPY . /x", {"d/a": "1"}, ["x", "x/Dockerfile", "x/d", "x/d/a"]),
        ("COPY d /x", {"d/a": "1", "d/e/b": "2"}, ["x", "x/a", "x/e", "x/e/b"]),
        ("COPY d/* /x/", {"d/a": "1", "d/e/b": "2"}, ["x", "x/a", "x/b"]),
        ('COPY ["a b", "/x y/"]', {"a b": "1"}, ["x y", "x y/a b"]),
        ("COPY --chown=5:6 --chmod=600 a /", {"a": "1"}, ["a"]),
        ("ADD a /x/y/z", {"a": "1"}, ["x", "x/y", "x/y/z"]),
    ],
)
def test_where_copied_files_go(
    tmp_path: Path, instruction: str, files: dict[str, str], expected: list[str]
) -> None:
    (layer,) = contents(tmp_path, f"FROM scratch\n{instruction}", files)
    assert sorted(layer) == expected


def test_a_file_copied_to_a_directory_that_is_there_goes_into_it(tmp_path: Path) -> None:
    layers = contents(tmp_path, "FROM scratch\nWORKDIR /app\nCOPY a /app\nCOPY a .", {"a": "1"})
    assert [sorted(layer) for layer in layers] == [["app"], ["app/a"], ["app/a"]]


def test_owner_and_mode_of_copied_files(tmp_path: Path) -> None:
    (layer,) = contents(tmp_path, "FROM scratch\nCOPY --chown=node:7 --chmod=640 a /d/", {"a": "1"})
    member = layer["d/a"]
    assert (member.uid, member.gid, member.mode, member.mtime) == (1000, 7, 0o640, 0)


def test_dockerignore_keeps_files_out(tmp_path: Path) -> None:
    files = {".dockerignore": "*\n!src\nsrc/b.js\n", **FILES}
    (layer,) = contents(tmp_path, "FROM scratch\nCOPY . /", files)
    assert sorted(layer) == ["src", "src/app.js", "src/readme"]


def test_links_stay_links_inside_a_directory(tmp_path: Path) -> None:
    context(tmp_path / "context", {"d/a": "1"})
    (tmp_path / "context" / "d" / "link").symlink_to("a")
    (layer,) = contents(tmp_path, "FROM scratch\nCOPY d /", {})
    assert (layer["link"].issym(), layer["link"].linkname) == (True, "a")


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [
        ("FROM scratch\nRUN npm ci", "Dockerfile:2: RUN: cannot be done by the embedded cluster"),
        (
            'FROM nowhere\nCMD ["no-such"]',
            "the program 'no-such' is neither in the image nor on this machine",
        ),
        ('FROM nowhere\nCMD ["/bin/no-such"]', "the program '/bin/no-such' is neither in the image"),
        ('FROM nowhere AS one\nCMD ["no-such"]\nFROM one', "the program 'no-such' is neither"),
        ("FROM scratch AS", "Dockerfile:1: FROM: has the form"),
        ("ARG B\nFROM $B", "Dockerfile:2: FROM: "),
        ("FROM scratch\nCOPY a", "Dockerfile:2: COPY: needs a source and a destination"),
        ("FROM scratch\nCOPY missing /", "Dockerfile:2: COPY: 'missing' is not in the build context"),
        ("FROM scratch\nCOPY ../x /", "Dockerfile:2: COPY: '../x' lies outside of the build context"),
        ("FROM scratch\nCOPY ignored /", "Dockerfile:2: COPY: 'ignored' is excluded by .dockerignore"),
        ("FROM scratch\nCOPY a b /x", "Dockerfile:2: COPY: several sources need"),
        ("FROM scratch\nCOPY --from=x a /", "Dockerfile:2: COPY: --from=x: no other image"),
        ("FROM scratch\nCOPY --chown=bob a /", "Dockerfile:2: COPY: --chown: no user 'bob'"),
        ("FROM scratch\nCOPY --chmod=abc a /", "Dockerfile:2: COPY: --chmod=abc: give an octal mode"),
        ("FROM scratch\nCOPY --parents a /", "Dockerfile:2: COPY: --parents is not supported"),
        ("FROM scratch\nCOPY out /", "Dockerfile:2: COPY: 'out' is a link that leads out"),
        ("FROM scratch\nADD http://x/y /", "Dockerfile:2: ADD: http://x/y would be downloaded"),
        ("FROM scratch\nADD x.tar.gz /", "Dockerfile:2: ADD: x.tar.gz would be unpacked"),
        ("FROM scratch\nEXPOSE web", "Dockerfile:2: EXPOSE: 'web' is no port"),
        ("FROM scratch\nEXPOSE 70000", "Dockerfile:2: EXPOSE: '70000' is no port"),
        ("FROM scratch\nENV a", "Dockerfile:2: ENV: a has no value"),
        ("FROM scratch\nENV a=1 b", "Dockerfile:2: ENV: 'b' is not NAME=VALUE"),
        ("FROM scratch\nENV a='1", "Dockerfile:2: ENV: a ' that does not end"),
        ("FROM scratch\nSTOPSIGNAL SIGNOT", "Dockerfile:2: STOPSIGNAL: 'SIGNOT' is no signal"),
        ("FROM scratch\nSHELL bash", "Dockerfile:2: SHELL: takes a JSON array"),
        ("FROM scratch\nONBUILD USER 1", "Dockerfile:2: ONBUILD: is not supported"),
        ("FROM scratch\nHEALTHCHECK curl x", "Dockerfile:2: HEALTHCHECK: has the form"),
        ("FROM scratch\nHEALTHCHECK --interval=5 CMD x", "Dockerfile:2: HEALTHCHECK: --interval=5"),
        ("FROM scratch\nARG 1x", "Dockerfile:2: ARG: '1x' is no name"),
    ],
)
def test_what_cannot_be_built_is_told_with_its_line(tmp_path: Path, dockerfile: str, message: str) -> None:
    files = {"a": "1", "b": "2", "ignored": "3", ".dockerignore": "ignored"}
    context(tmp_path / "context", files)
    (tmp_path / "context" / "out").symlink_to("/etc/passwd")
    with pytest.raises(EmbeddedError) as caught:
        build(tmp_path, dockerfile, files)
    assert str(caught.value).removeprefix(f"{tmp_path}/context/").startswith(message)
    assert ImageStore(tmp_path / "images").images() == []


def test_no_node_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubetour.embedded.base.find_node", lambda: None)
    with pytest.raises(EmbeddedError, match="there is no Node on this machine"):
        build(tmp_path, "FROM node:24")


def test_a_missing_dockerfile_is_told(tmp_path: Path) -> None:
    builder = Builder(ImageStore(tmp_path / "images"), print)
    with pytest.raises(EmbeddedError, match="name another one with -f"):
        builder.build(tmp_path, tmp_path / "Dockerfile", ["x"], {})
    (tmp_path / "Dockerfile").write_text("FROM scratch", encoding="utf-8")
    with pytest.raises(EmbeddedError, match="is no directory"):
        builder.build(tmp_path / "none", tmp_path / "Dockerfile", ["x"], {})


def test_the_epoch_of_reproducible_builds_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    image, _ = build(tmp_path, APP, FILES)
    assert image.config["created"] == "1970-01-01T00:00:00Z"
    assert json.dumps(image.config)


@pytest.mark.parametrize(
    ("dockerfile", "is_told"),
    [
        ('FROM python:3\nCMD ["python", "a.py"]', True),
        ('FROM python:3\nCMD ["/usr/local/bin/python3", "a.py"]', True),
        ('FROM alpine\nCMD ["sh"]', True),
        ("FROM alpine\nCMD exec sh", True),
        ('FROM alpine\nWORKDIR /app\nCOPY a b\nCMD ["./b"]', True),
        ('FROM alpine\nCOPY a /usr/bin/server\nCMD ["server"]', True),
        ('FROM scratch\nCOPY a /server\nCMD ["/server"]', False),
    ],
    ids=["python", "by its path", "a shell", "shell form", "of the working directory", "copied", "scratch"],
)
def test_any_other_base_stands_for_this_machine_where_the_program_can_be_found(
    tmp_path: Path, dockerfile: str, is_told: bool
) -> None:
    image, said = build(tmp_path, dockerfile, {"a": "1"})
    assert any("this machine and its programs" in line for line in said) is is_told
    assert ("dev.kubetour.base" in image.config["config"].get("Labels", {})) is is_told
