"""The experiments on what a builder gets, and on what it makes of it."""

from __future__ import annotations

from kubetour.chapters.image import build
from kubetour.chapters.image_experiments.making import Made, directory, experiment, image
from kubetour.proofs.building import LayersShared, OnlyTheRestSent
from kubetour.providers import Provider
from kubetour.steps import Run, Stage, Step

BLOCKS = 1024  # of 1024 bytes. Random, as some engines tell an image's compressed size


def build_context(provider: Provider) -> tuple[Step, ...]:
    """Return the experiment that builds from a directory without and with a `.dockerignore`.

    The image takes whatever has arrived: `COPY .` copies the whole context, and there is no base.
    """
    place = directory("build-context")
    everything, rest = (image(provider, "context", tag) for tag in ("all", "rest"))
    made = Made(provider, (everything, rest), directory=place)
    actions = (
        Run(("rm", "-rf", place)),  # an older .dockerignore would be in the way
        Run(("mkdir", "-p", place)),
        _random(f"{place}/big.log"),
        Run(("tee", f"{place}/Dockerfile"), "FROM scratch\nCOPY . /\n"),
        build(provider, place, "-t", everything),
        Run(("tee", f"{place}/.dockerignore"), "*.log\n"),
        build(provider, place, "-t", rest),
        _inspect(provider, "{{.Size}}", everything, rest),
    )
    check = OnlyTheRestSent(len(actions) - 1, BLOCKS * 1024)
    return (experiment("build-context", Stage.BUILD, "build-context", made, actions, check, ()),)


def shared_layers(provider: Provider) -> tuple[Step, ...]:
    """Return the experiment that builds an app of two files, changes the last one and builds it again."""
    place = directory("layers")
    first, second = (image(provider, "layers", tag) for tag in ("1", "2"))
    made = Made(provider, (first, second), directory=place)
    dockerfile = "FROM scratch\nCOPY libraries.bin /app/\nCOPY app.txt /app/\n"
    actions = (
        Run(("mkdir", "-p", place)),
        _random(f"{place}/libraries.bin"),
        Run(("tee", f"{place}/app.txt"), "version 1\n"),
        Run(("tee", f"{place}/Dockerfile"), dockerfile),
        build(provider, place, "-t", first),
        Run(("tee", f"{place}/app.txt"), "version 2\n"),
        build(provider, place, "-t", second),
        _inspect(provider, "{{json .RootFS.Layers}}", first, second),
    )
    check = LayersShared(len(actions) - 2, len(actions) - 1, BLOCKS * 1024)
    return (experiment("shared-layers", Stage.BUILD, "layers", made, actions, check, ()),)


def _random(path: str) -> Run:
    return Run(("dd", "if=/dev/urandom", f"of={path}", "bs=1024", f"count={BLOCKS}"))


def _inspect(provider: Provider, template: str, *images: str) -> Run:
    return Run((*provider.engine, "image", "inspect", "--format", template, *images))
