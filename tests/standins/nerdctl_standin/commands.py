"""What each command does here: Docker's, and nerdctl's own answers where they differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from nerdctl_standin import failures, flags
from nerdctl_standin.flags import NerdctlError, Parsed

VERSION = "2.1.4"
CONTAINERD = "v2.1.4"
# What `info` has of Docker's fields and takes from the machine. It has no DriverStatus.
MACHINE = (
    "CgroupDriver",
    "CgroupVersion",
    "KernelVersion",
    "OperatingSystem",
    "OSType",
    "Architecture",
    "NCPU",
)


def main(argv: list[str]) -> int:
    """Run one command and return its exit status."""
    if argv in (["--version"], ["-v"]):
        print(f"nerdctl version {VERSION}")
        return 0
    try:
        name, words = flags.command(argv)
        if "--help" in words:
            print(flags.usage(name), end="")
            return 0
        parsed = flags.parse(flags.COMMANDS[name], words)
        if message := failures.asked(name):
            raise NerdctlError(message)
        return ACTIONS.get(name, _same)(name, parsed)
    except NerdctlError as error:
        message = json.dumps(str(error), ensure_ascii=False)
        print(f'time="2026-11-25T21:00:00Z" level=fatal msg={message}', file=sys.stderr)
        return 1


def _docker(*argv: str) -> str:
    """Run docker and return what it prints; NerdctlError if it fails."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NerdctlError((done.stderr or done.stdout).strip())
    return done.stdout


def _same(name: str, parsed: Parsed) -> int:
    """Do as Docker does."""
    argv = ["docker", *name.split(), *parsed.docker("async", "mode")]
    os.execvp("docker", argv)  # noqa: S606 - the very same arguments, input and outputs


def _version(name: str, parsed: Parsed) -> int:
    if shown := parsed.value("format"):
        raise NerdctlError(f'template: :1: executing "" at <{shown}>: can\'t evaluate field')
    print(f"Client:\n Version:\tv{VERSION}\n\nServer:\n containerd:\n  Version:\t{CONTAINERD}")
    return 0


def _info(name: str, parsed: Parsed) -> int:
    shown = parsed.value("format")
    docker = json.loads(_docker("info", "--format", "{{json .}}"))  # what runs the containers must answer
    info = {"ServerVersion": CONTAINERD, "Driver": "overlayfs"} | {key: docker[key] for key in MACHINE}
    if shown == "{{json .}}":
        print(json.dumps(info, separators=(",", ":")))
    elif (field := shown.removeprefix("{{.").removesuffix("}}")) in info:
        print(info[field])
    else:
        raise NerdctlError(f'template: :1: executing "" at <{shown}>: can\'t evaluate field')
    return 0


def _build(name: str, parsed: Parsed) -> int:
    """BuildKit tells its progress on stderr; on stdout is what was loaded, by its name in full."""
    said = _docker("build", *parsed.docker("provenance", "sbom", "attest", "progress", "output"))
    print(said, end="", file=sys.stderr)
    for flag, value in parsed.flags:
        if flag == "tag":
            print(f"Loaded image: {in_full(value)}")
    return 0


def in_full(image: str) -> str:
    """Return an image's name as containerd keeps it."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _history(name: str, parsed: Parsed) -> int:
    shown = parsed.value("format")
    if not shown:
        print(_docker("history", *parsed.docker()).replace("IMAGE  ", "SNAPSHOT", 1), end="")
        return 0
    if shown != "{{json .}}":
        raise NerdctlError(f'unsupported format: "{shown}"')
    for line in _docker("history", *parsed.docker()).splitlines():
        row = json.loads(line)
        kept = {key: row[key] for key in ("CreatedAt", "CreatedSince", "CreatedBy", "Size", "Comment")}
        print(json.dumps({"Snapshot": "<missing>", **kept}, separators=(",", ":")))
    return 0


def _image_inspect(name: str, parsed: Parsed) -> int:
    try:
        print(_docker("image", "inspect", *parsed.docker("mode", "platform")), end="")
    except NerdctlError:
        raise NerdctlError(f"1 errors:\nno such image: {parsed.arguments[0]}") from None
    return 0


def _image_save(name: str, parsed: Parsed) -> int:
    """Write over the beginning of a file that is there, and leave what is behind: so does nerdctl."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        _docker("image", "save", "-o", str(archive), *parsed.arguments)
        output = Path(parsed.value("output"))
        output.touch()
        with output.open("r+b") as file:
            file.write(archive.read_bytes())
    return 0


def _run(name: str, parsed: Parsed) -> int:
    if parsed.value("detach") and parsed.value("rm"):
        raise NerdctlError("flags -d and --rm cannot be specified together")
    wanted = parsed.value("name")
    if wanted and (found := _docker("ps", "-aq", "--no-trunc", "--filter", f"name=^{wanted}$").strip()):
        raise NerdctlError(f'name "{wanted}" is already used by ID "{found}"')
    return _same(name, parsed)


def _push(name: str, parsed: Parsed) -> int:
    """The progress names layers; that of the manifest is in no line of its own."""
    image = parsed.arguments[0]
    _docker("push", image)
    digest = json.loads(_docker("image", "inspect", "-f", "{{json .RepoDigests}}", image))[0].partition("@")[
        2
    ]
    print(f"manifest-{digest}: done           |++++++++++++++++++++++++++++++++++++++|")
    return 0


ACTIONS: dict[str, Callable[[str, Parsed], int]] = {
    "version": _version,
    "info": _info,
    "build": _build,
    "history": _history,
    "image inspect": _image_inspect,
    "image save": _image_save,
    "run": _run,
    "push": _push,
}
