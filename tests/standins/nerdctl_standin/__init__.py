"""A stand-in for nerdctl v2.1, for this project's tests only.

What is real: the containers, images, networks and ports, which are a Docker Engine's. What is nerdctl's own,
as its source has it: which commands and flags there are, what is refused, the form of errors, and the output
of those commands that answer otherwise than Docker. What is not: containerd, BuildKit, snapshots.
"""
