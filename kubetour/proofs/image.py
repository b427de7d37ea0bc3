"""Checks of the chapters before there is a cluster: tools, app, image, container."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from kubetour.checks import Observation, Proof
from kubetour.project import OWNED_BY, OWNER
from kubetour.proofs.common import (
    fails,
    holds,
    human_size,
    inspected,
    json_object,
    json_rows,
    noted,
    refuses,
    verdict,
)
from kubetour.text import Text


@dataclass(frozen=True)
class ToolsFound:
    """kubectl says a version that will do."""

    looks: ClassVar[tuple[str, ...]] = ()
    engine: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `kubectl version --client -o json`."""
        answer = json_object(seen.results[0].stdout)
        version = answer.get("clientVersion", {}).get("gitVersion", "")
        if not version:
            return fails("kubectl-silent")
        return holds(
            "tools", {"kubectl": version, "engine": self.engine}, version=version, engine=self.engine
        )


@dataclass(frozen=True)
class AppReadable:
    """The Dockerfile says what it starts from and what it starts."""

    looks: ClassVar[tuple[str, ...]] = ()
    files: int
    size: int
    tag: str
    notes: tuple[Text, ...] = ()

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the printed Dockerfile."""
        text = seen.results[0].stdout
        if not re.search(r"(?im)^\s*FROM\s+\S", text):
            return fails("dockerfile-no-from")
        start = re.findall(r"(?im)^\s*(?:ENTRYPOINT|CMD)\s+(.+)$", text)
        proof = holds(
            "app",
            {"files": self.files, "bytes": self.size},
            start=start[0].strip() if start else "–",
            files=self.files,
            size=self.size,
            tag=self.tag,
        )
        return noted(proof, *self.notes)


@dataclass(frozen=True)
class ImageBuilt:
    """The engine has the image."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `image inspect`."""
        answer = inspected(seen.confirmed[0].stdout)
        if not answer:
            return fails("image-absent", image=self.image)
        size = answer.get("Size", 0)
        data = {
            "id": answer.get("Id", ""),
            "size": size,
            "layers": answer.get("RootFS", {}).get("Layers", []),
        }
        return holds(
            "image", data, image=self.image, id=data["id"].removeprefix("sha256:")[:12], size=human_size(size)
        )


@dataclass(frozen=True)
class LayersListed:
    """The image's history has a row for each instruction."""

    looks: ClassVar[tuple[str, ...]] = ()
    image: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `history --format '{{json .}}'`."""
        rows = layers(seen.confirmed[0].stdout)
        data = {"layers": rows}
        filled = sum(row["size"] != "0B" for row in rows)
        if not filled:
            return fails("layers-none", data, image=self.image)
        return holds("layers", data, rows=len(rows), filled=filled)


def layers(history: str) -> list[dict[str, Any]]:
    """Return the rows of an image's history, oldest first: instruction, and size as Docker prints it."""
    return [{"instruction": instruction(row), "size": _size(row)} for row in json_rows(history)][::-1]


def _size(row: dict[str, Any]) -> str:
    """Return a row's size: docker and nerdctl tell it in words, podman as a number of bytes."""
    size = row.get("Size", row.get("size", ""))
    return human_size(size) if isinstance(size, int) else str(size)


def instruction(row: dict[str, Any]) -> str:
    """Return a history row's instruction without the builders' wrapping, or its comment if it has none."""
    created_by = str(row.get("CreatedBy") or "").strip()
    text = re.sub(r"^/bin/sh -c #\(nop\)\s*|\s*# buildkit$|^RUN /bin/sh -c (?=#)", "", created_by)
    return " ".join((text or str(row.get("Comment") or row.get("comment") or "–")).split())


@dataclass(frozen=True)
class ContainerStarted:
    """The container runs, and is ours."""

    looks: ClassVar[tuple[str, ...]] = ()
    name: str

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on `inspect`."""
        details = inspected(seen.confirmed[0].stdout)
        if not details:
            return fails("container-absent", name=self.name)
        if (details.get("Config", {}).get("Labels") or {}).get(OWNED_BY) != OWNER:
            return refuses("container-foreign", name=self.name)
        identity = str(details.get("Id", ""))
        return holds("container", {"id": identity}, name=self.name, id=identity[:12])


@dataclass(frozen=True)
class ContainerAnswered:
    """The answer's host name is the container's."""

    looks: ClassVar[tuple[str, ...]] = ()

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the answer, and the ID from `inspect`."""
        answer = seen.results[-1].stdout.strip()  # the last try: the first may have come too early
        host = inspected(seen.confirmed[0].stdout).get("Config", {}).get("Hostname", "")
        if host and host in answer:
            return holds("container-answered", {"answer": answer}, host=host)
        return fails("container-other", {"answer": answer}, host=host or "?", answer=answer[:200])


@dataclass(frozen=True)
class Logged:
    """The log shows a start. Not every app writes one; ours does."""

    looks: ClassVar[tuple[str, ...]] = ()
    ours: bool = True

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on the log."""
        lines = [line for r in seen.results for line in (r.stdout + r.stderr).splitlines() if line.strip()]
        if lines:
            return holds("logged", lines=len(lines), first=lines[0][:100])
        return fails("log-empty") if self.ours else noted(holds("log-none"), Text("proof.log-where"))


@dataclass(frozen=True)
class Stopped:
    """The container ended by itself, before the engine would have killed it. Ours does; another may not."""

    looks: ClassVar[tuple[str, ...]] = ()
    grace: float  # seconds after which the engine kills
    ours: bool = True

    def __call__(self, seen: Observation) -> Proof:
        """Return the verdict on how long `stop` took."""
        seconds = sum(result.seconds for result in seen.results)
        ended = all(result.status == 0 for result in seen.results)
        values: dict[str, Any] = {"seconds": f"{seconds:.1f}", "grace": f"{self.grace:.0f}"}
        if ended and seconds >= self.grace and not self.ours:
            return noted(holds("killed", **values), Text("proof.killed-why"))
        return verdict(ended and seconds < self.grace, "stopped", "stopped-late", **values)
