"""kubectl from Debian's own package, unpacked without root."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from kubetour.ask import ask

PACKAGE = "kubernetes-client"
PATIENCE = 300.0  # seconds for the download
_OFFER = re.compile(r"'(?P<url>[^']+)' (?P<file>\S+) (?P<size>\d+) ")


def kubectl(to: Path, announce: Callable[[str, int], None]) -> str:
    """Put Debian's kubectl to `to` and return "", or return why it cannot be had.

    `announce` is told the URL and the bytes to come. apt checks the package against the signed index.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return "there is no apt-get"
    offer = ask(("apt-get", "download", "--print-uris", PACKAGE), timeout=30)
    found = _OFFER.search(offer.output)
    if not found:
        return offer.trouble or f"apt-get knows no package {PACKAGE}"
    announce(found["url"], int(found["size"]))
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as place:
        got = ask(("apt-get", "download", PACKAGE), timeout=PATIENCE, cwd=place)
        packages = sorted(Path(place).glob("*.deb"))
        if not packages:
            return got.trouble or "apt-get downloaded nothing"
        unpacked = Path(place) / "root"
        done = ask(("dpkg-deb", "-x", str(packages[0]), str(unpacked)), timeout=60)
        program = unpacked / "usr/bin/kubectl"
        if not program.is_file():
            return done.trouble or f"{packages[0].name} holds no kubectl"
        program.replace(to)
    return ""
