"""Which images the tour needs, as a Dockerfile and kind tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke.context import Context

from kubetour.engines import Engine
from kubetour.pack_images import Wanted, bases, node_image
from kubetour.project import ROOT


@pytest.mark.parametrize(
    ("dockerfile", "base", "images"),
    [
        ("FROM alpine:3\n", "", ("alpine:3",)),
        ("ARG BASE=node:24\nFROM ${BASE}\n", "", ("node:24",)),
        ("ARG BASE=node:24\nFROM ${BASE}\n", "mine/node:1", ("mine/node:1",)),
        ("ARG V=3\nFROM python:$V AS build\nFROM build\nFROM scratch\n", "", ("python:3",)),
        ("FROM --platform=linux/amd64 \\\n  golang:1 as b\nfrom nginx\n", "", ("golang:1", "nginx")),
        ("FROM a\nFROM a\n", "", ("a",)),
        ("ARG BASE\nFROM $BASE\n", "", ()),
    ],
    ids=["one", "its argument", "another base", "stages", "a flag and two lines", "twice", "nothing"],
)
def test_what_a_dockerfile_starts_from_has_to_be_packed(
    dockerfile: str, base: str, images: tuple[str, ...]
) -> None:
    assert bases(dockerfile, base) == images


def test_our_own_dockerfile_starts_from_one_image() -> None:
    assert bases((ROOT / "Dockerfile").read_text(encoding="utf-8")) == ("node:24-alpine",)


def test_the_node_image_is_the_one_that_kind_has_in_itself(c: Context, tmp_path: Path) -> None:
    digest = "@sha256:" + "0a" * 32
    program = tmp_path / "kind"
    program.write_bytes(b"\x7fELF\0kindest/node:v1.40.1" + digest.encode() + b"\0kindest/base")
    found = node_image(c, Engine("no-such-engine"), str(program))
    assert found == "kindest/node:v1.40.1" + digest
    assert Wanted(found).name == "kindest/node:v1.40.1"
    assert node_image(c, Engine("no-such-engine"), "") == ""


def test_an_image_known_by_its_digest_alone_gets_a_name_to_be_packed_under() -> None:
    assert Wanted("kindest/node@sha256:" + "0" * 64).name == "kindest/node:pack"
    assert Wanted("shop").name == "shop"
    assert Wanted("localhost:5000/shop:1").name == "localhost:5000/shop:1"
