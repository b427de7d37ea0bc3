"""A stand-in for minikube v1.38 with its drivers docker and podman, for this project's tests only.

What is real: the command line with its flags, texts and exit statuses (after minikube's source; nothing was
recorded), the profiles in MINIKUBE_HOME, the Docker containers and published ports, and every API answer and
HTTP response. What is not: the nodes are those of the stand-in for kind. Their image holds nothing; the
cluster in them is kubetour's embedded one in the first node's container, and further nodes share that
container's namespaces, so that all have one address. Unlike minikube's, the first node has a taint if there
are others, and `status` does not look into the kubeconfig. Where stdout is no terminal, minikube writes `* `
in place of each emoji, and so does this.
"""
