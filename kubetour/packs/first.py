"""What `./inv unpack PACK` does before there is any package: a bare Python checks it and takes its wheels.

The wrapper installs from there, and then `inv unpack` does the rest.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kubetour.codes import coded
from kubetour.errors import KubetourError
from kubetour.packs.manifest import require_fit
from kubetour.packs.reading import check, place_wheels
from kubetour.project import ROOT, STATE
from kubetour.text import choose

WHEELS = ROOT / STATE / "wheels"


def main(pack: str) -> int:
    """Put the wheels of a pack where the wrapper looks for them; return the exit status."""
    path = Path(os.environ.get("KUBETOUR_CWD", ".")) / pack
    try:
        require_fit(check(path), ROOT)
        place_wheels(path, WHEELS)
    except KubetourError as error:
        cause, fix = error.explain(choose(None))
        print(f"✗ {coded(error.key, cause)}\n→ {fix}", file=sys.stderr)
        return error.exit_status
    return 0
