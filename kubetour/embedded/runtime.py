"""The container runtime: containers that are plain processes of this user. The CRI's verbs, nothing isolated.

One Runtime manages the containers in one directory, in one event loop. When it goes, its containers go; where
it was killed, the next one over the same directory ends what is left.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from kubetour.embedded import container as containers
from kubetour.embedded.clock import Clock
from kubetour.embedded.container import EXITED, RUNNING, START_ERROR, Container, ContainerSpec
from kubetour.embedded.container_io import ContainerIO
from kubetour.embedded.containerlog import LogOptions, rfc3339_nano, stream
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import Image, ImageStore
from kubetour.embedded.process import (
    child_setup,
    exit_code,
    identify,
    kill_marked,
    marked,
    signal_group,
    spawn,
)
from kubetour.embedded.terminal import Terminal

_LOOKS = 5


class StartError(EmbeddedError):
    """The container's program could not be started."""


class Runtime:
    """Makes, starts, stops and removes containers; `on_exit` is called with each one that ended."""

    def __init__(
        self, directory: Path, images: ImageStore, clock: Clock, on_exit: Callable[[Container], None]
    ) -> None:
        self.directory, self.images = directory, images
        self._clock, self._on_exit = clock, on_exit
        self._running: dict[str, ContainerIO] = {}
        self.containers: dict[str, Container] = {}
        self._ended: list[str] = []  # the ids of containers that have ended, for the next look
        self._lock = threading.Lock()

    def _now(self) -> str:
        return rfc3339_nano(int(self._clock.now().timestamp() * 1_000_000) * 1000)

    def recover(self) -> None:
        """Take over the containers on disk: what still runs of them is killed, and all that ran has ended."""
        lost = []
        for path in sorted(self.directory.glob("*")):
            try:
                found = containers.load(path)
            except EmbeddedError:  # damaged, or not finished
                shutil.rmtree(path, ignore_errors=True)
                continue
            if found.state != EXITED:
                lost.append(found)
            self.containers[found.id] = found
        containers.end_leftovers(lost)
        for found in lost:
            found.lost(self._now())
            self._save(found)

    def create(self, spec: ContainerSpec, image: Image, identity: str = "") -> Container:
        """Return a new container; it has its files, but does not run. What cannot be made leaves nothing."""
        identity = identity or containers.new_id()
        directory = self.directory / identity
        try:
            made = containers.prepare(spec, image, self.images, directory, identity)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        self.containers[identity] = made
        return made

    def start(self, container: Container) -> None:
        """Start a container that was created; StartError (and it has ended) if its program does not start."""
        terminal = Terminal() if container.tty else None
        try:
            process = spawn(
                containers.program(container),
                directory=Path(container.directory),
                environment=container.environment,
                stdin=container.stdin,
                terminal=terminal,
            )
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise self._not_started(container, terminal, start_message(container, error)) from error
        finally:
            if terminal:
                terminal.started()
        identity = identify(process.pid)
        container.state, container.started_at = RUNNING, self._now()
        container.pid = process.pid
        container.process_started = identity.started if identity else ""
        log, once = Path(container.log), container.stdin_once
        try:
            self._save(container)
            self._running[container.id] = ContainerIO(process, terminal, log, stdin_once=once)
        except OSError as error:  # no room, or too many open files: nobody would look after that process
            _discard(process)
            why = f"failed to create containerd task: {error}"
            raise self._not_started(container, terminal, why) from error
        _when_ended(process, lambda: self._reap(container))

    async def stop(self, container: Container, grace: float) -> None:
        """Ask a container to end; kill it after `grace` seconds. Return when it has ended."""
        running = self._running.get(container.id)
        if running is None:
            return
        if grace > 0:
            signal_group(container.pid, container.stop_signal_number)
            with suppress(asyncio.TimeoutError):
                await self._within(running.exited.wait(), grace)
        if not running.exited.is_set():
            signal_group(container.pid, signal.SIGKILL)
            await running.exited.wait()

    async def wait(self, container: Container) -> None:
        """Return when the container has ended."""
        running = self._running.get(container.id)
        if running is not None:
            await running.exited.wait()

    def remove(self, container: Container) -> None:
        """Forget a container that has ended, and its files; its log stays if it is kept elsewhere."""
        self.containers.pop(container.id, None)
        shutil.rmtree(self.directory / container.id, ignore_errors=True)

    async def shut_down(self, grace: float) -> None:
        """End all containers, at the same time."""
        running = [self.containers[identity] for identity in self._running]
        await asyncio.gather(*(self.stop(container, grace) for container in running))

    def io(self, container: Container) -> ContainerIO | None:
        """Return the container's streams, or None if it does not run."""
        return self._running.get(container.id)

    def logs(self, container: Container, options: LogOptions) -> AsyncIterator[bytes]:
        """Return the container's log; to follow it ends with the container."""
        running = self._running.get(container.id)
        return stream(Path(container.log), options, running.follower() if running else _nothing_more)

    async def run(self, container: Container, argv: list[str]) -> tuple[int, bytes, bytes]:
        """Run a program beside the container, with its directory and environment: exec probes and hooks do.

        Return its exit code and both its outputs. With the container it ends, too.
        """
        process = await asyncio.create_subprocess_exec(
            *[containers.localised(word, self.directory / container.id / "rootfs") for word in argv],
            cwd=container.directory,
            env=container.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=child_setup(os.getpid()),
        )
        ended = asyncio.ensure_future(process.communicate())
        gone = asyncio.ensure_future(self.wait(container))
        try:
            await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                signal_group(process.pid, signal.SIGKILL)
            out, err = await ended
        finally:
            gone.cancel()
            if process.returncode is None:
                signal_group(process.pid, signal.SIGKILL)
                await process.wait()
            await asyncio.gather(ended, gone, return_exceptions=True)
        return exit_code(process.returncode or 0), out, err

    # --- helpers

    async def _within(self, awaitable: Awaitable[object], seconds: float) -> None:
        waiting = asyncio.ensure_future(awaitable)
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({waiting, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            timer.cancel()

    def _not_started(self, container: Container, terminal: Terminal | None, message: str) -> StartError:
        """Note that a container's program was not started, and return that."""
        container.ended(START_ERROR, self._now(), "StartError", message)
        with suppress(OSError):
            self._save(container)
        if terminal:
            terminal.close()
        return StartError(message)

    def _save(self, container: Container) -> None:
        directory = self.directory / container.id
        if directory.is_dir():
            containers.save(container, directory)

    def _end_escaped(self, container: Container) -> None:
        """Kill what a container has put into sessions of its own; nobody waits for that look."""
        with self._lock:
            self._ended.append(container.id)
            if len(self._ended) > 1:
                return  # a look that has not begun takes this one along
        asyncio.get_running_loop().run_in_executor(None, self._look)

    def _look(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, []
        for _ in range(_LOOKS):  # one may have made another meanwhile
            found = marked(containers.MARK)
            left = [pid for identity in ended for pid in found.get(identity, ())]
            if not left:
                return
            kill_marked(None, left)

    def _reap(self, container: Container) -> None:
        running = self._running.pop(container.id)
        # With process 1 of a container everything in it ends. As long as nobody has waited for that one, the
        # number of its group is nobody else's.
        signal_group(container.pid, signal.SIGKILL)
        self._end_escaped(container)
        code = exit_code(running.process.wait())
        running.finish()
        container.ended(code, self._now())
        with suppress(OSError):  # on a full disk; whoever finds that it ran sees that it does no more
            self._save(container)
        running.exited.set()
        self._on_exit(container)


async def _nothing_more() -> bool:
    return False


def _discard(process: subprocess.Popen[bytes]) -> None:
    """End a process that was just started, and close its pipes."""
    signal_group(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _when_ended(process: subprocess.Popen[bytes], call: Callable[[], None]) -> None:
    """Call back in the event loop when a child has ended."""
    loop = asyncio.get_running_loop()
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            descriptor = os.pidfd_open(process.pid)

            def ready() -> None:
                loop.remove_reader(descriptor)
                os.close(descriptor)
                call()

            loop.add_reader(descriptor, ready)
            return

    def wait() -> None:
        process.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody is interested any more
            loop.call_soon_threadsafe(call)

    threading.Thread(target=wait, daemon=True).start()


def start_message(container: Container, error: Exception) -> str:
    """Return why a program did not start, as runc words it."""
    first = container.argv[0]
    if isinstance(error, FileNotFoundError):
        why = f'exec: "{first}": ' + (
            "stat: no such file or directory" if "/" in first else "executable file not found in $PATH"
        )
    elif isinstance(error, PermissionError):
        why = f'exec: "{first}": permission denied'
    else:
        why = f'exec: "{first}": {error}'
    return f"failed to create containerd task: unable to start container process: {why}"
