"""The volumes of one Pod: directories of the node, filled, and what of them each container mounts.

k8s.io/kubernetes/pkg/kubelet/volumemanager; pkg/volume/{emptydir,hostpath}
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kubetour.embedded import volume_files, volumes
from kubetour.embedded.api import Object
from kubetour.embedded.backoff import Backoff
from kubetour.embedded.kubelet_state import NodeContext, PodState
from kubetour.embedded.kubelet_status import PodReporter
from kubetour.embedded.paths import private_directory
from kubetour.embedded.pod_environment import ConfigError, expand
from kubetour.embedded.volumes import Payload, Sources, VolumeError

_REFRESH = 60.0  # seconds: kubelet's syncFrequency, after which changed ConfigMaps and Secrets arrive
# How long a volume that could not be had waits, from and to (pkg/util/goroutinemap/exponentialbackoff).
_FIRST_RETRY, _LONGEST_RETRY = 0.5, 122.0
_HOST_DIRECTORIES = ("", "DirectoryOrCreate")


class PodVolumes:
    """Sets up and refreshes what a Pod mounts."""

    def __init__(self, node: NodeContext, state: PodState, reporter: PodReporter) -> None:
        self._node, self._state, self._reporter = node, state, reporter
        self._written: dict[str, Payload] = {}
        self._backoff = Backoff(_FIRST_RETRY, _LONGEST_RETRY)
        self.ready = False

    def set_up(self) -> float | None:
        """Have all volumes as they are to be, and tell of those that cannot; return when to look again."""
        wanted = self._state.pod["spec"].get("volumes") or []
        failed = [volume["name"] for volume in wanted if not self._set_up(volume)]
        if failed and not self.ready:
            now = self._node.clock.monotonic()
            self._backoff.next("", now)
            return self._backoff.left("", now, now)
        if not self.ready:
            self._warn_of_paths()
        self.ready = True
        return _REFRESH if any(kind in volume for volume in wanted for kind in volumes.WRITTEN) else None

    def mounts(self, container: Object, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what a container mounts: from mount path to directory or file; ConfigError if it cannot."""
        found = {}
        named = {volume["name"]: volume for volume in self._state.pod["spec"].get("volumes") or []}
        for mount in container.get("volumeMounts") or []:
            source = self._directory(named[mount["name"]])
            if source is None:
                continue
            sub = mount.get("subPath") or expand(mount.get("subPathExpr", ""), environment)
            if sub:
                source /= sub
                if os.path.isabs(sub) or ".." in Path(sub).parts:
                    raise ConfigError(f"subPath {sub!r} must be a relative path without '..'")
                if not source.exists():
                    source.mkdir(parents=True)
            found[mount["mountPath"]] = str(source)
        return found

    def _set_up(self, volume: Object) -> bool:
        name = volume["name"]
        try:
            directory = self._directory(volume)
            if directory is None:
                if not self.ready:
                    kind = next((key for key in volume if key != "name"), "")
                    self._fail(name, f"an embedded cluster has no volumes of the kind {kind}; none is there")
            elif "hostPath" in volume:
                _host_path(directory, volume["hostPath"].get("type") or "")
            elif "emptyDir" in volume:
                private_directory(directory)
            else:
                self._write(name, directory, volumes.payload(volume, self._sources()))
        except (VolumeError, OSError) as error:
            self._fail(name, str(error))
            return False
        return True

    def _write(self, name: str, directory: Path, payload: Payload) -> None:
        if self._written.get(name) != payload:
            volume_files.write(directory, payload)
            self._written[name] = payload

    def _directory(self, volume: Object) -> Path | None:
        """Return where a volume's files are; None for a kind that is not there."""
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if "emptyDir" in volume or any(kind in volume for kind in volumes.WRITTEN):
            return self._state.directory(self._node) / "volumes" / str(volume["name"])
        return None

    def _sources(self) -> Sources:
        addresses = {"status.podIP": self._state.ip, "status.hostIP": self._node.address}
        return Sources(self._node.api, self._state.pod, addresses)

    def _fail(self, name: str, why: str) -> None:
        text = f'MountVolume.SetUp failed for volume "{name}" : {why}'
        self._reporter.pod_warning("FailedMount", text)

    def _warn_of_paths(self) -> None:
        """Say where files are that a program finds at their absolute path nowhere."""
        spec = self._state.pod["spec"]
        paths = {
            mount["mountPath"]
            for container in [*spec["containers"], *(spec.get("initContainers") or [])]
            for mount in container.get("volumeMounts") or []
        }
        if paths:
            text = (
                f"an embedded cluster mounts in the container's own directory: {', '.join(sorted(paths))} "
                "are there below $HOME, by paths relative to the working directory, and in commands; "
                "what a program opens by absolute path is this machine's"
            )
            self._reporter.pod_warning("MountedInDirectory", text)


def _host_path(path: Path, kind: str) -> None:
    """Check a path of this machine, and make what may be made; VolumeError if it is not what it should be."""
    if kind in _HOST_DIRECTORIES and not path.exists():
        path.mkdir(parents=True)
    if kind == "FileOrCreate" and not path.exists():
        path.touch()
    if kind in ("Directory", "DirectoryOrCreate") and not path.is_dir():
        raise VolumeError(f"hostPath type check failed: {path} is not a directory")
    if kind in ("File", "FileOrCreate") and not path.is_file():
        raise VolumeError(f"hostPath type check failed: {path} is not a file")
