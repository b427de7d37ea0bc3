"""`python -m kubetour.embedded`."""

import sys

from kubetour.embedded.cli import main

if __name__ == "__main__":
    sys.exit(main())
