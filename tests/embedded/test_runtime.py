from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from kubetour.embedded import container as containers
from kubetour.embedded.clock import SystemClock
from kubetour.embedded.container import Container, ContainerSpec
from kubetour.embedded.containerlog import LogOptions, LogWriter
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.imagestore import ImageStore
from kubetour.embedded.process import identify
from kubetour.embedded.runtime import Runtime, StartError
from tests.embedded.making import build, shell_image

Test = Callable[..., Awaitable[None]]


def eventually(test: Test) -> Callable[..., None]:
    """Run an asynchronous test, ten seconds at most."""

    @wraps(test)
    def run(tmp_path: Path, **given: Any) -> None:
        asyncio.run(asyncio.wait_for(test(tmp_path, **given), 20))

    return run


@asynccontextmanager
async def runtime(root: Path) -> AsyncIterator[Runtime]:
    ended: list[Container] = []
    made = Runtime(root / "containers", ImageStore(root / "images"), SystemClock(), ended.append)
    try:
        yield made
    finally:
        await made.shut_down(0)


def spec(**more: object) -> ContainerSpec:
    given = {
        "name": "c",
        "image": "app:1",
        "hostname": "h",
        "host": "127.0.0.1",
        "port": 0,
        "environment": {},
    }
    return ContainerSpec(**{**given, **more})  # type: ignore[arg-type]


async def log(runtime: Runtime, container: Container, **options: Any) -> str:
    return b"".join([chunk async for chunk in runtime.logs(container, LogOptions(**options))]).decode()


async def ran(root: Path, script: str, more: str = "", **about: object) -> tuple[Container, str]:
    """Run a script to its end; return the container and what it printed."""
    image = shell_image(root, script, more=more)
    async with runtime(root) as made:
        container = made.create(spec(**about), image)
        made.start(container)
        printed = await log(made, container, follow=True)
        await made.wait(container)
        return container, printed


@eventually
async def test_a_container_has_its_files_directory_and_environment(tmp_path: Path) -> None:
    container, printed = await ran(
        tmp_path,
        'echo "$HOSTNAME $HOST:$PORT $IMAGE $OWN"; ls; pwd; echo oops >&2',
        more="ENV IMAGE=1 OWN=2",
        port=8080,
        environment={"OWN": "3"},
    )
    first, *rest = printed.splitlines()
    assert first == "h 127.0.0.1:8080 1 3"
    assert rest[:2] == ["run.sh", f"{tmp_path}/containers/{container.id}/rootfs/app"]
    assert rest[2:] == ["oops"]
    assert (container.state, container.exit_code, container.reason) == ("exited", 0, "Completed")
    assert container.started_at <= container.finished_at


@eventually
async def test_an_exit_code_is_kept(tmp_path: Path) -> None:
    container, _ = await ran(tmp_path, "exit 7")
    assert (container.exit_code, container.reason) == (7, "Error")
    kept = containers.load(tmp_path / "containers" / container.id)
    assert kept == container


@eventually
async def test_arguments_that_are_paths_of_the_image_lead_there(tmp_path: Path) -> None:
    image, _ = build(
        tmp_path,
        'FROM scratch\nCOPY run.sh /srv/run.sh\nENTRYPOINT ["/usr/local/nowhere/sh", "/srv/run.sh", "/etc"]',
        {"run.sh": "echo $1"},
    )
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        assert await log(made, container, follow=True) == "/etc\n"


@eventually
async def test_one_container_does_not_see_what_another_writes(tmp_path: Path) -> None:
    script = "ls; echo x > written"
    _, first = await ran(tmp_path, script)
    _, second = await ran(tmp_path, script)
    assert first == second == "run.sh\n"


@eventually
async def test_stop_asks_first(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        chunks = made.logs(container, LogOptions(follow=True))
        assert await anext_(chunks) == b"up\n"
        await made.stop(container, grace=10)
        assert container.exit_code == 5
        assert (await log(made, container)).endswith("bye\n")


async def anext_(chunks: AsyncIterator[bytes]) -> bytes:
    async for chunk in chunks:
        if chunk:
            return chunk
    raise AssertionError("the log has ended")


@eventually
async def test_stop_kills_what_does_not_listen_with_all_that_it_started(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "trap '' TERM; sleep 60 & echo $!; wait; sleep 60")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        child = int(await anext_(made.logs(container, LogOptions(follow=True))))
        await made.stop(container, grace=0.1)
        assert container.exit_code == 137
        while identify(child):
            await asyncio.sleep(0.005)


@eventually
async def test_the_images_stop_signal_is_used(tmp_path: Path) -> None:
    script = "trap 'exit 6' INT; echo up; while :; do sleep 0.01; done"
    image = shell_image(tmp_path, script, more="STOPSIGNAL SIGINT")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        await anext_(made.logs(container, LogOptions(follow=True)))
        await made.stop(container, grace=10)
        assert container.exit_code == 6


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["no-such-program"], 'exec: "no-such-program": executable file not found in $PATH'),
        (["/no/such/program"], 'exec: "/no/such/program": stat: no such file or directory'),
        (["./run.sh"], 'exec: "./run.sh": permission denied'),
    ],
)
def test_a_program_that_cannot_be_started_is_told_in_runcs_words(
    tmp_path: Path, command: list[str], why: str
) -> None:
    async def test() -> None:
        image = shell_image(tmp_path, "true")
        async with runtime(tmp_path) as made:
            container = made.create(spec(command=command), image)
            with pytest.raises(StartError) as caught:
                made.start(container)
            assert str(caught.value).endswith(why)
            assert (container.exit_code, container.reason) == (128, "StartError")

    asyncio.run(test())


def test_an_image_without_a_program_is_told(tmp_path: Path) -> None:
    image, _ = build(tmp_path, "FROM scratch\nENV a=1")
    made = Runtime(tmp_path / "c", ImageStore(tmp_path / "images"), SystemClock(), lambda _: None)
    with pytest.raises(EmbeddedError, match="names no program to start; add an ENTRYPOINT or CMD"):
        made.create(spec(), image)


@eventually
async def test_a_program_beside_the_container_shares_its_place(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "echo up > file; sleep 60 & wait", more="ENV A=1")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        while not os.path.exists(f"{container.directory}/file"):
            await asyncio.sleep(0.005)
        assert await made.run(container, ["sh", "-c", "cat file; echo $A >&2"]) == (0, b"up\n", b"1\n")
        assert (await made.run(container, ["sh", "-c", "exit 4"]))[0] == 4


@eventually
async def test_a_program_beside_the_container_ends_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "sleep 60 & wait")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(made.run(container, ["sh", "-c", "echo $$ > pid; exec sleep 60"]), 0.2)
        with pytest.raises(ProcessLookupError):
            os.kill(int(Path(container.directory, "pid").read_text()), 0)


@eventually
async def test_a_program_beside_the_container_ends_with_it(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "sleep 60 & wait")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        ran = asyncio.ensure_future(made.run(container, ["sleep", "60"]))
        await asyncio.sleep(0)
        await made.stop(container, 0)
        assert (await ran)[0] == 137


@eventually
async def test_a_new_runtime_ends_what_ran_beside_a_container_and_what_was_not_noted(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "sleep 60 & wait")
    async with runtime(tmp_path) as lost:
        container = lost.create(spec(), image)  # its start was not noted any more
        beside = await asyncio.create_subprocess_exec(
            "sleep", "60", env={**os.environ, containers.MARK: container.id}, start_new_session=True
        )
        found = Runtime(lost.directory, lost.images, SystemClock(), lambda _: None)
        found.recover()
        assert await beside.wait() == -9
        assert found.containers[container.id].reason == "Unknown"


@eventually
async def test_a_new_runtime_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "sleep 60 & wait")
    async with runtime(tmp_path) as lost:
        container = lost.create(spec(), image)
        lost.start(container)
        broken = tmp_path / "containers" / "broken"
        broken.mkdir()
        (broken / "state.json").write_text("{", encoding="utf-8")
        async with runtime(tmp_path) as found:
            found.recover()
            (recovered,) = found.containers.values()
            assert (recovered.state, recovered.exit_code, recovered.reason) == ("exited", 255, "Unknown")
            assert not broken.exists()
        await lost.wait(container)
        assert container.exit_code == 137


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only: it reads /proc")
def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    asyncio.run(ran(tmp_path, "true"))
    before = count()
    asyncio.run(ran(tmp_path, "true"))
    assert count() == before


@pytest.mark.parametrize(
    ("where", "below"),
    [
        pytest.param("/work/dir", "work/dir", id="a directory of its own"),
        pytest.param("../../../work", "work", id="above its root, which is its root"),
        pytest.param("/a/../../../b/..", "", id="back to its root"),
    ],
)
@eventually
async def test_a_working_directory_is_a_containers_own(tmp_path: Path, where: str, below: str) -> None:
    image = shell_image(tmp_path, "true")
    async with runtime(tmp_path) as made:
        container = made.create(spec(working_directory=where), image)
    own = tmp_path / "containers" / container.id
    assert Path(container.directory) == own / "rootfs" / below
    assert Path(container.directory).is_dir()
    assert sorted(path.name for path in own.iterdir()) == ["rootfs", "state.json"]


@eventually
async def test_nothing_is_mounted_outside_of_a_containers_own_directory(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "true")
    outside = tmp_path / "outside" / "directory"
    outside.mkdir(parents=True)
    async with runtime(tmp_path) as made:
        (made.images.snapshot(image) / "away").symlink_to(outside.parent)  # as an image may have it
        for path in ("/away/directory", "/", "/.."):
            with pytest.raises(EmbeddedError, match=f"nothing can be mounted at {path}"):
                made.create(spec(mounts={path: str(tmp_path)}), image)
        assert not outside.is_symlink()
        inside = made.create(spec(mounts={"../app/run.sh": str(outside), "/a/b": str(outside)}), image)
    assert Path(inside.directory, "run.sh").resolve() == outside
    assert Path(inside.directory, "../a/b").resolve() == outside


@eventually
async def test_what_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "true")
    async with runtime(tmp_path) as made:
        with pytest.raises(EmbeddedError, match="nothing can be mounted"):
            made.create(spec(mounts={"/": str(tmp_path)}), image)
        assert os.listdir(made.directory) == []


@eventually
async def test_what_a_killed_manager_had_not_finished_is_removed(tmp_path: Path) -> None:
    image = shell_image(tmp_path, "true")
    async with runtime(tmp_path) as made:
        kept = made.create(spec(), image)
        half = made.directory / "half" / "rootfs"
        half.mkdir(parents=True)
    async with runtime(tmp_path) as found:
        found.recover()
        assert os.listdir(found.directory) == [kept.id]


@eventually
async def test_a_container_whose_log_cannot_be_opened_has_not_started(tmp_path: Path) -> None:
    """As with too many open files: its process is there, but nobody would read what it prints."""
    image = shell_image(tmp_path, "sleep 60")
    async with runtime(tmp_path) as made:
        container = made.create(spec(log=str(tmp_path / "nowhere" / "0.log")), image)
        with pytest.raises(StartError, match="No such file"):
            made.start(container)
        assert (container.state, container.exit_code) == (containers.EXITED, containers.START_ERROR)
        assert not containers.still_runs(container)


@eventually
async def test_a_container_whose_output_cannot_be_kept_ends_all_the_same(
    tmp_path: Path,
) -> None:
    """As on a full disk."""
    image = shell_image(tmp_path, "echo hello; printf rest")
    async with runtime(tmp_path) as made:
        container = made.create(spec(), image)
        made.start(container)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LogWriter, "_write", full)
            patch.setattr(containers, "save", full)
            await made.wait(container)
        assert (container.state, container.exit_code) == (containers.EXITED, 0)


def full(*unused: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")
