"""The node image: an almost empty root. A node borrows this machine's programs by read-only mounts."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
import tarfile
from pathlib import Path

from kind_standin import config, docker, failures
from kind_standin.errors import CommandError, KindError

MESSAGE = "kubetour's stand-in for kind's node image, for its tests only"
VERSION = config.NODE_IMAGE.rpartition(":")[2]
STANDINS = Path(__file__).resolve().parent.parent
PROJECT = STANDINS.parent.parent
# A node's own programs come first. It is no part of the image: another checkout uses the same one.
PATH = f"{STANDINS / 'node-bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/root:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnode:x:1000:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "kind/version": f"{VERSION}\n",
    "kind/README": "This is no Kubernetes node: it stands in for one in kubetour's tests.\n",
}
_FOLDERS = ("etc/kubernetes", "proc", "root", "run", "sys", "tmp", "usr", "var")
_MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")  # in a merged /usr links into it, else folders


def ensure(image: str) -> None:
    """See that the image is there: kind's default is made, others are pulled. KindError in kind's words."""
    if failures.asked("slow"):
        signal.pause()
    if failures.asked("pull"):
        raise failures.pull(image).within(f'failed to pull image "{image}"')
    if is_there(image):
        return
    if image == config.NODE_IMAGE:
        make(image)
        return
    try:
        docker.run("pull", docker.pullable(image))
    except KindError as error:
        raise error.within(f'failed to pull image "{image}"') from None


def is_there(image: str) -> bool:
    try:
        docker.run("inspect", "--type=image", docker.pullable(image))
    except CommandError:
        return False
    return True


def make(image: str) -> None:
    """Make the image."""
    # No label: containers would inherit it, and kind's nodes have none but kind's.
    docker.run("import", "--message", MESSAGE, "-", docker.pullable(image), content=_root())


def _root() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in _FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        for name, text in _FILES.items():
            file = tarfile.TarInfo(name)
            file.size = len(text)
            tar.addfile(file, io.BytesIO(text.encode()))
        for name in _MERGED:
            if (host := Path("/") / name).is_symlink():
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.SYMTYPE, os.readlink(host)
                tar.addfile(link)
    return held.getvalue()


def borrowed() -> list[Path]:
    """Return what of this machine a node needs: programs, libraries, Python, Node, and the project."""
    wanted = [Path("/usr"), *(Path("/") / name for name in _MERGED)]
    wanted += [Path("/etc/ld.so.cache"), Path("/etc/ssl"), Path("/etc/alternatives")]
    wanted += [
        PROJECT,
        Path(sys.prefix),
        Path(sys.base_prefix).resolve(),
        Path(sys.executable).resolve().parent,
    ]
    for program in ("node", "kubectl", "curl"):
        if found := shutil.which(program):
            wanted += [Path(found).parent, Path(found).resolve().parent]
    chosen: list[Path] = []
    for path in sorted({path for path in wanted if path.exists() and not path.is_symlink()}):
        if not any(path.is_relative_to(other) for other in chosen):
            chosen.append(path)
    return chosen
