"""Writes pinned.json anew: `python -m kubetour.repin [kubectl=v1.36.4] [kind=…] [minikube=…]`.

A figure is taken from the publisher's file beside the program, and written only if a second public source,
`confirmed_by`, has it too, or if it stood there before. Without one, the publisher's file decides at each
download.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from kubetour import web
from kubetour.errors import IntegrityError, KubetourError
from kubetour.pins import PINNED, Pin, parse
from kubetour.tools import checksum_in

SYSTEMS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
LONGEST = 10 * 1000**2  # bytes of a second source; kubespray's has 160 kB


def figures(pin: Pin, known: Mapping[str, str]) -> dict[str, str]:
    """Return the confirmed figures of a release by system; `known` are those of the same release so far.

    Raises ToolError if a source cannot be read, IntegrityError if the publisher's figure is no figure or is
    another than before: a release is never changed.
    """
    second = web.text(pin.confirmed_by, LONGEST)
    found = {}
    for system in SYSTEMS:
        url = pin.url(pin.base, system)
        figure = checksum_in(web.text(url + pin.checksum), url)
        before = known.get(system, figure)
        if figure != before:
            raise IntegrityError("download-tampered", url=url, expected=before, found=figure)
        if system in known or figure in second:
            found[system] = figure
    return found


def repin(entries: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """Return the entries of pinned.json with these versions by name, others kept, and their figures."""
    made = {}
    for name, entry in entries.items():
        version = versions.get(name, entry["version"])
        pin = Pin(name, **{**entry, "version": version, "least": parse(entry["least"])})
        known = entry["sha256"] if version == entry["version"] else {}
        made[name] = {**entry, "version": version, "sha256": figures(pin, known)}
    return made


def main(arguments: list[str]) -> int:
    """Write the file; return the exit status."""
    entries = json.loads(PINNED.read_text(encoding="utf-8"))
    versions = {name: version for name, _, version in (word.partition("=") for word in arguments)}
    if not entries.keys() >= versions.keys() or not all(versions.values()):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        made = repin(entries, versions)
    except KubetourError as error:
        print(*error.explain("en"), sep="\n", file=sys.stderr)
        return error.exit_status
    PINNED.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
