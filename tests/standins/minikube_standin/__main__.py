"""`python -m minikube_standin`: the command line."""

import sys

from minikube_standin.commands import main

sys.exit(main(sys.argv[1:]))
