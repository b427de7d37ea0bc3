"""Failures on demand: MINIKUBE_STANDIN_FAIL holds one or more of these words, with commas between.

    memory     the engine has too little memory for a node
    engine     the driver, Docker, does not run
    slow       the base image is pulled for ever, until it is interrupted
    space      the first node's container cannot be made for want of room
    provision  the first node's container cannot be made; the profile is left as it is
    stall      starting goes on for ever once the first node is there, until it is interrupted
    load       the last node does not take the image; minikube ends well all the same
    digest     the same, as with an archive that lacks a part: minikube does not say why
    add        a node cannot be added
    delete     the nodes cannot be deleted

The texts are minikube's own.
"""

from __future__ import annotations

import os

from minikube_standin.out import ExitError, fatal

KNOWN = ("memory", "engine", "slow", "space", "provision", "stall", "load", "digest", "add", "delete")


def asked(what: str) -> bool:
    """Return whether this failure is wanted; ValueError for an unknown word in the variable."""
    words = [word for word in os.environ.get("MINIKUBE_STANDIN_FAIL", "").split(",") if word]
    if unknown := sorted(set(words) - set(KNOWN)):
        raise ValueError(f"MINIKUBE_STANDIN_FAIL: unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}")
    return what in words


def memory() -> ExitError:
    """Return the end for want of memory."""
    have = "docker only has 975MiB available, less than the required 1800MiB for Kubernetes"
    return fatal("RSRC_INSUFFICIENT_CONTAINER_MEMORY", 23, have)


def engine() -> ExitError:
    """Return the end for want of an engine."""
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    asking = '"docker version --format <no value>-<no value>:<no value>" exit status 1'
    return fatal("PROVIDER_DOCKER_NOT_RUNNING", 63, f"{asking}: {said}", "Start the Docker service")


def provisioning(what: str) -> ExitError:
    """Return the end of a start whose container could not be made."""
    doing = "error provisioning guest: Failed to start host: creating host: create: creating: create kic node"
    return fatal("GUEST_PROVISION", 80, f"{doing}: create container: {what}")
