"""What an experiment makes for itself, and removes again: images, containers, a directory of its own."""

from __future__ import annotations

from dataclasses import dataclass

from kubetour.checks import Check
from kubetour.project import OWNED_BY, OWNER, STATE
from kubetour.proofs.cluster import Ended
from kubetour.providers import Provider
from kubetour.reference import in_registry
from kubetour.steps import Run, Stage, Step

DIRECTORY = "directory/"  # how the ledger names a directory below STATE


def name(provider: Provider, what: str) -> str:
    """Return a name for what an experiment makes: nobody else's, and one of its own for each --name."""
    return f"{OWNER}-{provider.settings.name}-{what}"


def image(provider: Provider, what: str, tag: str) -> str:
    """Return an image's name, as the engine lists it."""
    return in_registry(f"{name(provider, what)}:{tag}", provider.tools.dialect.local)


@dataclass(frozen=True)
class Made:
    """All that an experiment makes. Whatever becomes of the experiment, the ledger has it."""

    provider: Provider
    images: tuple[str, ...] = ()
    container: str = ""
    directory: str = ""

    @property
    def entries(self) -> tuple[str, ...]:
        """Return the ledger's entries."""
        engine = self.provider.engine_name
        return (
            *(f"{engine}-image/{image}" for image in self.images),
            *((f"{engine}-container/{self.container}",) if self.container else ()),
            *((f"{DIRECTORY}{self.directory}",) if self.directory else ()),
        )

    @property
    def removal(self) -> tuple[Run, ...]:
        """Return the commands that remove all of it."""
        engine = self.provider.engine
        return (
            *((Run((*engine, "rm", "-f", self.container)),) if self.container else ()),
            *((Run((*engine, "image", "rm", *self.images)),) if self.images else ()),
            *((Run(("rm", "-rf", self.directory)),) if self.directory else ()),
        )

    @property
    def exists(self) -> Run:
        """Return the command that succeeds if some of it is there before: then it may be someone else's."""
        engine = self.provider.engine
        if self.container:
            return Run((*engine, "inspect", self.container))
        return Run((*engine, "image", "inspect", self.images[0]))

    def run(self, image: str, *options: str, arguments: tuple[str, ...] = ()) -> Run:
        """Return the command that starts the container, with our mark."""
        mark = ("--label", f"{OWNED_BY}={OWNER}")
        start = ("run", "-d", "--name", self.container, *mark)
        return Run((*self.provider.engine, *start, *options, image, *arguments))


def leftovers(
    provider: Provider, containers: tuple[str, ...], directories: tuple[str, ...]
) -> tuple[Step, ...]:
    """Return the step that removes what an experiment has left that was interrupted, if there is anything."""
    if not containers and not directories:
        return ()
    engine = provider.engine
    listing = Run((*engine, "ps", "-a", "--format", "{{.Names}}"))
    entries = (
        *(f"{provider.engine_name}-container/{each}" for each in containers),
        *(f"{DIRECTORY}{each}" for each in directories),
    )
    step = Step(
        "delete-experiments",
        Stage.DOWN,
        (
            *((Run((*engine, "rm", "-f", *containers)),) if containers else ()),
            *((Run(("rm", "-rf", *directories)),) if directories else ()),
        ),
        Ended(containers or directories),
        confirm=(listing,) if containers else (),
        removes=entries,
    )
    return (step,)


def directory(what: str) -> str:
    """Return the directory of an experiment."""
    return f"{STATE}/{what}"


def experiment(
    id: str,
    stage: Stage,
    claim: str,
    made: Made,
    actions: tuple[Run, ...],
    check: Check,
    needs: tuple[str, ...],
) -> Step:
    """Return the step of an experiment that removes what it has made, also where it fails."""
    return Step(
        id,
        stage,
        (*actions, *made.removal),
        check,
        needs=needs,
        exists=made.exists,
        rescue=made.removal,
        claim=claim,
        creates=made.entries,
        removes=made.entries,
    )
