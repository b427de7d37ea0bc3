"""A stand-in for kind v0.33.0-alpha, for this project's tests only.

What is real: the command line, its texts and exit statuses (held to a recording), the containers of
Docker, or of the engine that KIND_EXPERIMENTAL_PROVIDER names, their names, labels, network, volumes and
published ports, `exec`, `save`, and every API answer and HTTP response. What is not: the node image holds
nothing, it borrows this machine's programs by read-only mounts; the cluster in it is kubetour's embedded one,
a single process in the control plane's container; workers share that container's namespaces, so that a
request from any node reaches the Services, but stopping a worker stops nothing, and a node that was stopped
does not come back. There is one control plane at most; kubeadm and containerd patches are read and not used.
"""
