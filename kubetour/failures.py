"""What is told of a step that failed: its error, and what the cluster says about what stands in the way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from kubetour import causes, diagnosis, evidence
from kubetour.checks import Object, Proof, Result
from kubetour.errors import DeadlineError, KubetourError, ProofError, RefusedError
from kubetour.observe import Cluster
from kubetour.steps import Run, Step

DIAGNOSIS = ("pods", "events", "nodes", "services", "deployments", "replicasets")
DIAGNOSIS_TIME = 2.0  # seconds
MOST_LOGS, LOG_LINES = 2, 5  # of Pods that crash: the others' say the same, and the last lines say why


def not_proved(
    step: Step, proof: Proof, results: Sequence[tuple[Run, Result]], timeout: float
) -> KubetourError:
    """Return the error of a step whose check does not hold; `timeout` are the seconds it had."""
    if proof.final:
        return RefusedError("not-ours", proof=proof.text)
    if proof.refuted:
        return ProofError("refuted", proof=proof.text)
    waited = step.check.looks or step.again
    family = DeadlineError if waited else ProofError
    last = results[-max(len(step.ladder), 1) :]  # of a ladder, each rung's word
    said = "\n".join(dict.fromkeys(filter(None, (result.stderr.strip() for _, result in last))))
    key = "not-in-time" if waited else "not-proved"
    return family(key, evidence=said, proof=proof.text, seconds=int(timeout))


def diagnose(error: KubetourError, cluster: Cluster) -> None:
    """Add to an error the known causes, ranked, and the evidence: conditions, states, events, log lines."""
    objects: dict[str, tuple[Object, ...]] = {}
    for name in DIAGNOSIS:
        try:
            objects |= cluster.wait((name,), lambda seen: True, DIAGNOSIS_TIME)
        except KubetourError as caught:
            if not causes.forbidden(caught):  # what this user may not see is left out
                return  # the error itself already says what does not work
    logs: dict[str, str] = {}
    for pod in diagnosis.crashed(objects)[:MOST_LOGS]:
        with suppress(Exception):  # evidence that cannot be had is no error of its own
            logs[pod] = cluster.log(pod, LOG_LINES)
    error.causes = diagnosis.diagnose(objects, logs)
    told = (*evidence.states(objects), *evidence.warnings(objects), *evidence.last_lines(logs))
    error.evidence = "\n".join(filter(None, (error.evidence, *told)))
