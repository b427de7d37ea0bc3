"""How the container engines differ: in names, flags, and what starts them. All of it is data.

docker: https://docs.docker.com/reference/cli/docker/
podman: https://docs.podman.io/en/latest/Commands.html
nerdctl: https://github.com/containerd/nerdctl/blob/main/docs/command-reference.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One engine's own ways, whatever its program is called (podman may be called `docker`)."""

    name: str
    question: tuple[str, ...]  # what only an engine answers whose daemon, machine or storage works
    signature: str  # how `--version` begins
    install: str
    # What makes it answer: (system, words of its complaint, command); the first that fits.
    starts: tuple[tuple[str, str, str], ...]
    permit: str  # gives the right to use it
    all_as_json: str = "{{json .}}"  # the format of `info` that gives all it knows
    local: str = ""  # the registry that its images get whose names have none
    kind: str = ""  # KIND_EXPERIMENTAL_PROVIDER, where kind would take another engine first
    archive: bool = True  # kind gets images by archive: its `load docker-image` calls a program named docker
    attestations: tuple[str, ...] = ("provenance", "sbom")  # flags of `build`, if its help knows them
    removes: bool = True  # `run` takes -d and --rm together
    digest_file: bool = False  # `push` writes the digest into a file, and nothing else tells it
    # Of `push` to a registry on loopback: Docker and nerdctl speak plain HTTP there and check no certificate,
    # https://docs.docker.com/reference/cli/dockerd/#insecure-registries
    push_local: tuple[str, ...] = ()

    def start(self, complaint: str, system: str) -> str:
        """Return the command that makes it answer on this system (as `platform.system()` names it)."""
        return next(
            command
            for where, words, command in self.starts
            if where in ("", system) and re.search(words, complaint, re.IGNORECASE)
        )


DIALECTS: Mapping[str, Dialect] = {
    each.name: each
    for each in (
        Dialect(
            "docker",
            ("version", "--format", "{{.Server.Version}}"),
            "Docker version",
            "https://docs.docker.com/engine/install/",
            starts=(
                ("Darwin", "", "open -a Docker"),
                ("", r"/desktop/", "systemctl --user start docker-desktop"),
                ("", r"/run/user/", "systemctl --user start docker"),
                ("", "", "sudo systemctl start docker"),
            ),
            permit="sudo usermod -aG docker $USER",
            archive=False,
        ),
        Dialect(
            "podman",
            ("info", "--format", "{{.Version.Version}}"),
            "podman version",
            "https://podman.io/docs/installation",
            starts=(
                ("Darwin", "", "podman machine start"),
                ("", r"connect to podman|podman\.sock", "systemctl --user start podman.socket"),
                ("", "", "podman system migrate"),
            ),
            permit="sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER",
            all_as_json="json",
            local="localhost",
            kind="podman",
            attestations=(),  # it makes none, and its --sbom means something else
            digest_file=True,  # its RepoDigests hold the image's digest here, not the one it has there
            push_local=("--tls-verify=false",),
        ),
        Dialect(
            "nerdctl",
            ("info", "--format", "{{.ServerVersion}}"),
            "nerdctl version",
            "https://github.com/containerd/nerdctl/releases",
            starts=(
                ("Darwin", "", "limactl start"),
                ("", r"rootless", "containerd-rootless-setuptool.sh install"),
                ("", "", "sudo systemctl start containerd"),
            ),
            permit="containerd-rootless-setuptool.sh install",
            kind="nerdctl",
            removes=False,
        ),
    )
}


def remedies(name: str, complaint: str, system: str = "") -> dict[str, str]:
    """Return what an error about an engine tells to type: `start` and `permit`. By default, on this system.

    `name` may be another program that calls an engine, or Docker's name with another engine behind it: then
    the complaint tells which, else it is Docker.
    """
    import platform  # only where something is wrong

    others = [each for each in DIALECTS if each != "docker"]
    named = name if name in others else next((each for each in others if each in complaint.lower()), "docker")
    dialect = DIALECTS[named]
    return {"start": dialect.start(complaint, system or platform.system()), "permit": dialect.permit}
