"""`python -m kind_standin`: the command line."""

import sys

from kind_standin.commands import main

sys.exit(main(sys.argv[1:]))
