"""Rule 1: no shell but the one that the runner is given, and no text in a command that is not quoted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "kubetour").rglob("*.py"), ROOT / "tasks.py", ROOT / "fabfile.py"])
# Each starts programs by words alone, or gives the one text that script.shell has quoted.
STARTERS = {
    "tasks.py": {"os.execv"},
    "kubetour/ask.py": {"subprocess.Popen"},
    "kubetour/forwarded.py": {"asyncio.create_subprocess_exec"},
    "kubetour/local.py": {"Popen"},
    "kubetour/steady.py": {"asyncio.create_subprocess_exec"},
    "kubetour/remote/connection.py": {"subprocess.Popen"},
    "kubetour/embedded/base.py": {"subprocess.run"},
    "kubetour/embedded/cli_cluster.py": {"os.execvpe"},
    "kubetour/embedded/kubelet_exec.py": {"asyncio.create_subprocess_exec"},
    "kubetour/embedded/process.py": {"subprocess.Popen", "subprocess.run"},
    "kubetour/embedded/proxy_forwarder.py": {"subprocess.Popen"},
    "kubetour/embedded/runtime.py": {"asyncio.create_subprocess_exec"},
}
FORBIDDEN = {
    "os.system",
    "os.popen",
    "asyncio.create_subprocess_shell",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "eval",
    "exec",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of a file and the name of what is called, as it is written there."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_starter(called: str) -> bool:
    head, _, last = called.rpartition(".")
    return (
        last in ("Popen", "create_subprocess_exec", "posix_spawn", "posix_spawnp", "startfile")
        or (head == "subprocess" and last in ("run", "call", "check_call", "check_output"))
        or (head == "os" and last.startswith(("exec", "spawn")))
    )


def test_only_these_modules_start_programs() -> None:
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for called, _ in calls(path):
            if is_starter(called):
                found.setdefault(name(path), set()).add(called)
    assert found == STARTERS


def test_nothing_hands_a_text_to_a_shell() -> None:
    for path, called, node in ((source, *call) for source in SOURCES for call in calls(source)):
        where = f"{name(path)}:{node.lineno}"
        assert called not in FORBIDDEN, where
        keywords = {keyword.arg for keyword in node.keywords}
        assert "shell" not in keywords or not is_starter(called), where
        if is_starter(called) and node.args:
            given = node.args[0]
            assert not isinstance(given, (ast.JoinedStr, ast.BinOp)), where
            assert not (isinstance(given, ast.Constant) and isinstance(given.value, str)), where


def test_a_context_runs_texts_in_one_place_only_and_never_with_root_rights() -> None:
    running = {}
    for path in SOURCES:
        for called, node in calls(path):
            receiver, _, method = called.rpartition(".")
            if receiver.split(".")[-1] in ("c", "context", "connection", "conn", "host") and method in (
                "run",
                "local",
                "prefix",
                "cd",
                "sudo",
            ):
                running[name(path), method] = ast.unparse(node.args[0])
    # `cd` with the checkout's own directory is quoted by Invoke; lint is for developers.
    assert running == {
        ("kubetour/runner.py", "run"): "shell(run)",
        ("kubetour/developing.py", "cd"): "str(ROOT)",
    }


def words(path: Path) -> Iterator[ast.Constant]:
    """Yield the texts of a file that are no docstrings."""
    prose = {id(node.value) for node in ast.walk(tree(path)) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


def test_no_command_asks_for_root_rights_or_pipes_a_download_into_a_shell() -> None:
    for path, node in ((source, node) for source in SOURCES for node in words(source)):
        where = f"{name(path)}:{node.lineno}"
        if name(path).startswith("kubetour/text/"):
            continue  # what a person is told to type, and why
        if name(path) != "kubetour/providers/minikube.py":  # on its nodes, which let everybody
            assert node.value not in ("sudo", "doas", "su", "pkexec"), where
        assert isinstance(node.value, str)
        for forbidden in ("minikube tunnel", "| sh", "| bash"):
            assert forbidden not in node.value, where


# An f-string is made of constants of this project, and of what a rule has let through.
INTERPOLATED = {
    "kubetour/providers/kind.py": {"POD_NAME", "find", "pod"},  # `pod` is a name by rules.label
    "kubetour/remote/host.py": {"STATE", "MANIFEST"},
}


def test_every_shell_that_is_spelled_out_gets_a_constant_text_and_words() -> None:
    """`sh -c` in the plan: what varies comes as an argument, never within the text."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            items = node.elts if isinstance(node, (ast.Tuple, ast.List)) else getattr(node, "args", None)
            if not isinstance(items, list):
                continue
            for at in range(len(items) - 2):
                if ast.unparse(items[at]) in ("'sh'", "'/bin/sh'") and ast.unparse(items[at + 1]) == "'-c'":
                    text = items[at + 2]
                    inner = {
                        ast.unparse(part.value)
                        for part in ast.walk(text)
                        if isinstance(part, ast.FormattedValue)
                    }
                    if inner or not isinstance(text, (ast.Constant, ast.Name)):
                        found.setdefault(name(path), set()).update(inner)
    assert found == {path: allowed - {"POD_NAME", "pod"} for path, allowed in INTERPOLATED.items()}
