"""Lifecycle hooks: what is done in or to a container after its start, and before its end.

k8s.io/kubernetes/pkg/kubelet/lifecycle/handlers.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kubetour.embedded.api import Object
from kubetour.embedded.clock import Clock
from kubetour.embedded.probes import HTTPGetError, Resolve, http_get

# Runs a program in the container, however long that takes: its exit code, and both its outputs.
Run = Callable[[list[str]], Awaitable[tuple[int, bytes, bytes]]]


class HookError(Exception):
    """A hook failed; the text is kubelet's."""


async def run_hook(hook: Object, container: str, pod: str, resolve: Resolve, run: Run, clock: Clock) -> None:
    """Run a hook to its end; HookError if it fails. `pod` is kubelet's name for it, with namespace and uid.

    As Kubernetes, tcpSocket is accepted by the API and cannot be run, and httpGet succeeds with any answer.
    """
    whose = f'for Container "{container}" in Pod "{pod}" failed - error:'
    if "exec" in hook:
        await _exec(list(hook["exec"].get("command") or []), whose, run)
    elif "httpGet" in hook:
        try:
            await http_get(hook["httpGet"], resolve, "kube-lifecycle")
        except HTTPGetError as error:
            path = hook["httpGet"].get("path", "")
            raise HookError(f"HTTP lifecycle hook ({path}) {whose} {error}") from error
    elif "sleep" in hook:
        await clock.sleep(float(hook["sleep"].get("seconds") or 0))
    else:
        raise HookError(f"Cannot run handler: invalid handler: {', '.join(hook)}")


async def _exec(command: list[str], whose: str, run: Run) -> None:
    name = f"Exec lifecycle hook ([{' '.join(command)}])"
    try:
        code, out, err = await run(command)
    except OSError as error:
        raise HookError(f'{name} {whose} {error}, message: ""') from error
    if code:
        out_text, err_text = (text.decode(errors="replace") for text in (out, err))
        why = f"command '{' '.join(command)}' exited with {code}: {err_text}"
        raise HookError(f'{name} {whose} {why}, message: "{_quoted(out_text + err_text)}"')


def _quoted(text: str) -> str:
    """Return a text as Go's %q has it, without the quotation marks."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "".join(escapes.get(char, char) for char in text)
