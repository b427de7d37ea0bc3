"""Entry point."""

import sys

from nerdctl_standin.commands import main

sys.exit(main(sys.argv[1:]))
