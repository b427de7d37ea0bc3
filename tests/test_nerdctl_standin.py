"""The stand-in for nerdctl: it refuses what nerdctl refuses, and says it so.

What needs an engine is in tests/docker.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

STANDINS = Path(__file__).resolve().parent / "standins"
sys.path.insert(0, str(STANDINS))

from nerdctl_standin import commands, failures, flags  # noqa: E402


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("bogus", r"unknown subcommand \"bogus\" for \"nerdctl\""),
        ("run -d --rm web:1", "flags -d and --rm cannot be specified together"),
        ("run --gpu all web:1", "unknown flag: --gpu"),
        ("stop -x web", "unknown shorthand flag: 'x' in -x"),
        ("rm --time 5 web", "unknown flag: --time"),
        ("image save -o", "flag needs an argument: -o"),
        ("image save --format oci-archive web:1", "unknown flag: --format"),
        ("push --digestfile digest web:1", "unknown flag: --digestfile"),
        (
            "version --format {{.Server.Os}}",
            r"template: :1: executing \"\" at <{{.Server.Os}}>: can't evaluate field",
        ),
        ("history --format yaml web:1", r"unsupported format: \"yaml\""),
    ],
)
def test_wrong_use_is_fatal_in_nerdctls_form(
    command: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NERDCTL_STANDIN_FAIL", raising=False)
    assert commands.main(shlex.split(command)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f' level=fatal msg="{message}"\n')


@pytest.mark.parametrize(
    ("words", "read", "arguments"),
    [
        ("-d -p 127.0.0.1:1:2 web:1 -d", {"detach": "true", "publish": "127.0.0.1:1:2"}, ("web:1", "-d")),
        ("--label=a=b --name web web:1 sh -c x", {"label": "a=b", "name": "web"}, ("web:1", "sh", "-c", "x")),
        ("-e A=1 -- -web", {"env": "A=1"}, ("-web",)),
    ],
)
def test_flags_are_read_up_to_the_image(words: str, read: dict[str, str], arguments: tuple[str, ...]) -> None:
    parsed = flags.parse(flags.COMMANDS["run"], shlex.split(words))
    assert dict(parsed.flags) == read
    assert parsed.arguments == arguments


@pytest.mark.parametrize("command", ["build", "image save", "push"])
def test_its_help_names_its_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main([*command.split(), "--help"]) == 0
    assert f"nerdctl {command} [flags]" in (shown := capsys.readouterr().out)
    assert "--platform string\n" in shown


@pytest.mark.parametrize(
    ("wanted", "command", "part"),
    [
        ("", "build", ""),
        ("daemon", "ps", "cannot access containerd socket"),
        ("buildkit", "build", "`buildctl` needs to be installed"),
        ("buildkit", "ps", ""),
        ("space", "image save", "no space left on device"),
        ("space", "run", ""),
    ],
)
def test_it_fails_as_it_is_told(
    wanted: str, command: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NERDCTL_STANDIN_FAIL", wanted)
    said = failures.asked(command)
    assert part in said
    assert bool(said) == bool(part)


def test_a_misspelt_failure_is_no_silent_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERDCTL_STANDIN_FAIL", "deamon")
    with pytest.raises(ValueError, match="unknown deamon"):
        failures.asked("build")


def test_on_path_it_is_called_nerdctl_and_says_that_it_is_none() -> None:
    program = STANDINS / "nerdctl"
    done = subprocess.run(
        [program, "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"NERDCTL_STANDIN_PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout == "nerdctl version 2.1.4\n"
    assert "stand-in" in program.read_text(encoding="utf-8")[:200]
