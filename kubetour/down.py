"""What `down` removes: what the ledger or our label says is ours, as far as it is there. Nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kubetour import ownership, play, slate
from kubetour.causes import command_failed
from kubetour.chapters.image_experiments.making import DIRECTORY, leftovers
from kubetour.checks import Observation
from kubetour.errors import KubetourError, RefusedError
from kubetour.observe import Cluster
from kubetour.project import NODE_OWNED_BY, OWNER
from kubetour.runner import perform
from kubetour.script import shell
from kubetour.session import Session
from kubetour.steps import Run, Step
from kubetour.terminal import console as consoles
from kubetour.text import say, tell
from kubetour.tour import Outcome

if TYPE_CHECKING:
    from invoke.context import Context

LABEL_TIME = 5.0  # seconds to read the nodes' labels


def down(c: Context, flags: Mapping[str, Any], look: bool = False) -> None:
    """Remove everything, then forget this checkout's settings; removing nothing is a success.

    With `look`, what is left after that is an error, LeftoverError.
    """
    listened: slate.Sockets = set()
    choose = partial(_steps, c, listened)
    play.play(c, flags, choose, forget=True, after=partial(_after, c, listened if look else None))


def _steps(c: Context, listened: slate.Sockets, session: Session) -> tuple[Step, ...]:
    """Return the steps on whatever host the session is about, after a look at what they will take along."""
    if c.config.run.dry:
        return session.clean_up()
    if session.host.has_nothing(session.provider):
        session.state.strike(*(e for e in session.state.created() if e.startswith(session.provider.name)))
        return ()
    there = session.prepare(c)
    chosen = steps(there, session)
    if chosen:
        listened |= slate.note(there, session, chosen)
    return chosen


def steps(c: Context, session: Session) -> tuple[Step, ...]:
    """Return the steps that remove what is there and ours; RefusedError for a cluster that is not ours."""
    session = _with_volumes(c, session)
    made = session.state.created()
    chosen = list(ownership.clean_up(c, session, _images(c, session, made)))
    stop = next(step for step in session.plan() if step.id == "stop-container")
    if session.provider.owns_cluster:  # the app goes with it
        _, *rest = chosen
        chosen = [step for step in rest if step.id != "delete-cluster" or _is_ours(c, session, made, step)]
        chosen += _leftovers(c, session, made)
    if _is_running(c, session, made, stop):
        chosen.insert(0, stop)
    return (*_of_experiments(c, session, made, stop), *chosen)


def _with_volumes(c: Context, session: Session) -> Session:
    """Return the session with the volumes of the nodes' containers, which have to go with the cluster."""
    provider = session.provider
    names = {name for look in provider.volumes() for name in perform(c, look).stdout.split()}
    tools = replace(provider.tools, volumes=tuple(sorted(names)))
    return replace(session, provider=replace(provider, tools=tools))


def _after(
    c: Context, listened: slate.Sockets | None, session: Session, outcomes: list[Outcome], record: str
) -> None:
    """Forget the settings, and say what is left, or that nothing is."""
    session.state.remember({})
    out = consoles.make()
    left = session.state.created()
    if not outcomes:
        out.print(say(session.settings.language, "down.nothing"))
    if left:
        out.print(say(session.settings.language, "tour.left", what=", ".join(left)), soft_wrap=True)
    if listened is not None:
        clean = slate.check(session.host.context(c), session, listened)
        out.print(tell(session.settings.language, clean), soft_wrap=True)


def _images(c: Context, session: Session, made: tuple[str, ...]) -> tuple[str, ...]:
    """Return the images of the ledger that this engine still has, and strike the others."""
    prefix = f"{session.provider.engine_name}-image/"
    names = [entry.removeprefix(prefix) for entry in made if entry.startswith(prefix)]
    have = []
    for name in names:
        if perform(c, Run((*session.provider.engine, "image", "inspect", name))).status == 0:
            have.append(name)
        else:
            session.state.strike(prefix + name)
    return tuple(have)


def _is_running(c: Context, session: Session, made: tuple[str, ...], stop: Step) -> bool:
    """Return whether the container of the run chapter is still there, and strike it if not."""
    name = stop.actions[0].argv[-1]
    if not set(stop.removes).intersection(made):
        return False
    if perform(c, Run((*session.provider.engine, "inspect", name))).status == 0:
        return True
    session.state.strike(*stop.removes)
    return False


def _of_experiments(c: Context, session: Session, made: tuple[str, ...], stop: Step) -> tuple[Step, ...]:
    """Return the step for what interrupted experiments have left; strike the containers that are gone."""
    prefix = f"{session.provider.engine_name}-container/"
    containers = []
    for entry in made:
        if entry.startswith(prefix) and entry not in stop.removes:
            name = entry.removeprefix(prefix)
            if perform(c, Run((*session.provider.engine, "inspect", name))).status == 0:
                containers.append(name)
            else:
                session.state.strike(entry)
    directories = [entry.removeprefix(DIRECTORY) for entry in made if entry.startswith(DIRECTORY)]
    return leftovers(session.provider, tuple(containers), tuple(directories))


def _leftovers(c: Context, session: Session, made: tuple[str, ...]) -> tuple[Step, ...]:
    """Return the steps for what came along with our cluster, if no other cluster may be using it."""
    there = dict(entry for step in session.provider.up() for entry in step.brings)
    gone = [name for name, look in there.items() if name in made and perform(c, look).status != 0]
    session.state.strike(*gone)
    steps = [s for s in session.provider.leftovers() if set(s.removes) <= set(made).difference(gone)]
    listing = next(step.confirm[0] for step in session.provider.down())
    others = set(perform(c, listing).stdout.split()) - {session.settings.cluster_name} if steps else ()
    return () if others else tuple(steps)


def _is_ours(c: Context, session: Session, made: tuple[str, ...], step: Step) -> bool:
    """Return whether there is a cluster of that name to delete; RefusedError if someone else made it."""
    name = session.settings.cluster_name
    listing = step.confirm[0]
    listed = perform(c, listing)
    if listed.status != 0:  # not knowing what is there is no reason to forget it
        raise command_failed(shell(listing), session.provider.name, listed)
    entry = f"{session.provider.name}-cluster/{name}"
    if step.check(Observation(confirmed=(listed,))).holds:
        session.state.strike(entry)
        perform(c, Run(("rm", "-f", session.provider.kubeconfig)))  # deleted by hand, it leaves this
        return False
    if entry in made:
        return True
    export = next(s.unless for s in session.provider.up() if s.unless)
    provider = session.provider
    with suppress(KubetourError):  # a cluster that cannot be asked cannot show that it is ours
        if perform(c, export).status == 0:
            kubeconfig = session.host.kubeconfig(provider)
            with Cluster(kubeconfig, provider.context, provider.namespace) as cluster:
                seen = cluster.wait(("nodes",), lambda objects: bool(objects["nodes"]), LABEL_TIME)["nodes"]
            if seen and all(node["metadata"].get("labels", {}).get(NODE_OWNED_BY) == OWNER for node in seen):
                return True
    perform(c, Run(("rm", "-f", provider.kubeconfig)))  # what was just written has another's credentials
    raise RefusedError("cluster-not-ours", name=name, provider=session.provider.name)
