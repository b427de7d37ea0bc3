"""Fabric's runner, mended where it is not enough: the same that `local` does to Invoke's.

Registered in the configuration (`runners.remote`), Fabric's extension point for this. A command runs in the
project's directory there, in a process group that ends with us: when its standard input closes, because we
close it or because the connection is gone, a watcher ends the group.
"""

from __future__ import annotations

import shlex
from functools import partial
from threading import Timer
from typing import Any

import paramiko
from fabric.runners import Remote
from invoke.runners import Runner

from kubetour.errors import HostError, UsageError
from kubetour.interrupts import heard
from kubetour.local import Capture
from kubetour.project import CHECKOUT_VARIABLE

PATIENCE = 5  # seconds a command has, after an interrupt, before it is killed
ANSWER = 10.0  # seconds for word of that, before the channel is given up
LONGEST = 131_071  # bytes: Linux' MAX_ARG_STRLEN without the closing zero; sshd gives the text to a shell

# sshd makes the shell the leader of a session, so $$ is its group. The watcher ignores the interrupt that it
# sends, as what a shell puts in the background does. It reads descriptor 3, which the command has not got.
# A bash would say that it was killed, hence the silence before that.
WRAPPING = """\
{cd}exec 3<&0 </dev/null
trap 'interrupted=1' INT TERM HUP
interrupted=
{{
while read -r _ <&3; do :; done
kill -s INT -- -$$
sleep {patience}
kill -s KILL -- -$$
}} >/dev/null 2>&1 &
watcher=$!
(
{text}
) 3<&-
status=$?
if [ -z "$interrupted" ]; then
exec >/dev/null 2>&1
kill -s KILL "$watcher"
fi
exit "$status"
"""


def wrapped(text: str, directory: str) -> str:
    """Return the one command line that runs a text in a directory there ("": where one logs in).

    UsageError if it is longer than a shell can be given.
    """
    where = shlex.quote(directory)
    cd = f"cd -- {where} || exit 125\nexport {CHECKOUT_VARIABLE}={where}\n" if directory else ""
    script = WRAPPING.format(cd=cd, patience=PATIENCE, text=text)
    line = f"exec /bin/sh -c {shlex.quote(script)}"
    if len(line.encode()) > LONGEST:
        raise UsageError("command-too-long", length=len(line.encode()), longest=LONGEST)
    return line


class GroupRemote(Capture, Remote):  # type: ignore[misc]  # Fabric has no types
    """Run a command there, in a directory, as a process group that an interrupt or our end ends."""

    def __init__(self, *args: Any, directory: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.directory = directory
        self.interrupted = self._is_over_time = False
        self.lost: HostError | None = None

    def start(self, command: str, shell: str, env: dict[str, Any], timeout: float | None = None) -> None:
        """Start the command. No terminal, no agent, and no environment: Fabric would not quote it."""
        line = wrapped(command, self.directory)
        try:
            self.channel = heard(self.context.transport.open_session)  # the host may be silent
            heard(partial(self.channel.exec_command, line))
        except (paramiko.SSHException, EOFError, OSError, AttributeError) as error:
            raise self._lost(str(error)) from error
        except KeyboardInterrupt:
            self.stop()
            raise
        self.follow(self.channel.status_event.wait)  # set when it has ended, and when the channel is closed

    def send_interrupt(self, interrupt: KeyboardInterrupt) -> None:
        """Close the command's standard input, which interrupts it; the second time, give the channel up."""
        if self.interrupted:
            self.channel.close()
            return
        self.interrupted = True
        self.channel.shutdown_write()
        self.killer = Timer(PATIENCE + ANSWER, self.channel.close)
        self.killer.daemon = True
        try:
            self.killer.start()
        except RuntimeError:  # there can be no thread for it
            self.channel.close()

    def kill(self) -> None:
        """Close the channel, which ends the command there: what Invoke does when a command's time is up."""
        self._is_over_time = True
        self.channel.close()

    @property
    def timed_out(self) -> bool:
        """Return whether its time was up. Invoke asks whether the timer has ended, which it may not yet."""
        return self._is_over_time

    def returncode(self) -> int:
        """Return the exit status; -1 if a signal ended the command, or the connection is gone."""
        status: int = self.channel.recv_exit_status()
        if status == -1 and not self.context.is_connected:
            self.lost = self._lost("")
        return status

    def stop(self) -> None:
        """Close the channel and cancel every timer."""
        Runner.stop(self)
        if hasattr(self, "killer"):
            self.killer.cancel()
        if hasattr(self, "channel"):
            self.channel.close()

    def _lost(self, reason: str) -> HostError:
        return HostError("host-lost", evidence=reason, host=str(self.context.address))
