"""The claims of the chapter, each an experiment: what one reads elsewhere, and sees here.

The steps of the plan that carry a claim's id try it. Its statement is the text `claim.ID`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kubetour.errors import UsageError
from kubetour.steps import Step
from kubetour.text import Text


@dataclass(frozen=True)
class Claim:
    """A claim by its id."""

    id: str
    contained: bool = False  # whether it is about containers that isolate, which the embedded cluster has not
    moves: bool = False  # Pods come and go while it is tried: worth looking on

    @property
    def statement(self) -> Text:
        """Return what is claimed, in one sentence."""
        return Text(f"claim.{self.id}")


CLAIMS = {
    claim.id: claim
    for claim in (
        Claim("build-context"),
        Claim("layers"),
        Claim("not-a-vm"),
        Claim("comes-back", moves=True),
        Claim("stable-address", moves=True),
        Claim("spread"),
        Claim("scaling", moves=True),
        Claim("nothing-lost", moves=True),
        Claim("self-healing", moves=True),
        Claim("bad-release", moves=True),
        Claim("node-failure", moves=True),
        Claim("ready-only", moves=True),
        Claim("selectors"),
        Claim("latest"),
        Claim("process-one", contained=True),
    )
}


def moves(step: Step) -> bool:
    """Return whether Pods come and go while a step runs."""
    return step.id == "scale" or (step.claim in CLAIMS and CLAIMS[step.claim].moves)


def experiments(steps: Sequence[Step], claims: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that try these claims, and all that has to be done before, in the plan's order.

    UsageError for an unknown claim, and for one that cannot be tried on this provider: no step has it.
    """
    claims = tuple(claims)
    tried = {step.claim for step in steps}
    for claim in claims:
        if claim not in CLAIMS:
            raise UsageError("claim-unknown", claim=claim, known=", ".join(CLAIMS))
        if claim not in tried:
            known = CLAIMS[claim]
            raise UsageError("claim-not-on-embedded" if known.contained else "claim-not-here", claim=claim)
    by_id = {step.id: step for step in steps}
    wanted = [step.id for step in steps if step.claim in claims]
    for name in wanted:  # grows while it is read: what is needed needs more
        wanted += [need for need in by_id[name].needs if need not in wanted]
    return tuple(step for step in steps if step.id in wanted)
