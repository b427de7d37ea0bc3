"""Which commands and flags there are, and how they are read: as cobra and pflag do."""

from __future__ import annotations

from dataclasses import dataclass


class NerdctlError(Exception):
    """What nerdctl says before it ends with status 1."""


@dataclass(frozen=True)
class Command:
    """A command's flags by name, those with a value ending in `=`, and their letters."""

    flags: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()  # letter and flag: "f=format"
    interspersed: bool = True  # flags may stand behind arguments


@dataclass(frozen=True)
class Parsed:
    """The flags as typed, and the arguments."""

    flags: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]

    def value(self, name: str) -> str:
        """Return a flag's value, or ""."""
        return next((value for flag, value in self.flags if flag == name), "")

    def docker(self, *without: str) -> list[str]:
        """Return the flags and arguments as Docker takes them."""
        flags = [(name, value) for name, value in self.flags if name not in without]
        return [f"--{name}={value}" for name, value in flags] + list(self.arguments)


_RUN = Command(
    (
        *(
            "detach",
            "rm",
            "init",
            "privileged",
            "name=",
            "label=",
            "publish=",
            "hostname=",
            "network=",
            "net=",
        ),
        *(
            "stop-signal=",
            "uts=",
            "volume=",
            "volumes-from=",
            "pid=",
            "restart=",
            "entrypoint=",
            "tmpfs=",
            "env=",
            "platform=",
            "pull=",
        ),
    ),
    ("d=detach", "p=publish", "l=label", "v=volume", "e=env", "h=hostname"),
    interspersed=False,
)
COMMANDS: dict[str, Command] = {
    "version": Command(("format=",), ("f=format",)),
    "info": Command(("format=", "mode="), ("f=format",)),
    "build": Command(
        (
            *(
                "tag=",
                "file=",
                "target=",
                "build-arg=",
                "no-cache",
                "output=",
                "progress=",
                "provenance=",
                "pull",
            ),
            *("secret=", "ssh=", "quiet", "sbom=", "attest=", "cache-from=", "cache-to=", "rm", "network="),
            *("platform=", "iidfile=", "label=", "buildkit-host=", "add-host=", "build-context=", "allow="),
        ),
        ("t=tag", "f=file", "o=output", "q=quiet"),
    ),
    "images": Command(("format=", "filter=", "quiet", "no-trunc", "all"), ("f=filter", "q=quiet", "a=all")),
    "history": Command(("format=", "quiet", "human", "no-trunc"), ("f=format", "q=quiet", "H=human")),
    "image inspect": Command(("format=", "mode=", "platform="), ("f=format",)),
    "image rm": Command(("force", "async"), ("f=force",)),
    "image save": Command(("output=", "quiet", "platform=", "all-platforms"), ("o=output", "q=quiet")),
    "import": Command(("message=", "platform="), ("m=message",)),
    "inspect": Command(("format=", "type=", "mode=", "size"), ("f=format", "s=size")),
    "run": _RUN,
    "create": Command(
        tuple(flag for flag in _RUN.flags if flag != "detach"), _RUN.letters, interspersed=False
    ),
    "start": Command(("attach",), ("a=attach",)),
    "exec": Command(
        ("interactive", "tty", "detach", "privileged", "env=", "user=", "workdir="),
        ("i=interactive", "t=tty", "d=detach", "e=env", "u=user", "w=workdir"),
        interspersed=False,
    ),
    "logs": Command(
        ("follow", "timestamps", "tail=", "since=", "until="), ("f=follow", "t=timestamps", "n=tail")
    ),
    "stop": Command(("time=", "signal="), ("t=time", "s=signal")),
    "top": Command(),
    "rm": Command(("force", "volumes"), ("f=force", "v=volumes")),
    "ps": Command(
        ("all", "format=", "filter=", "last=", "latest", "no-trunc", "quiet", "size"),
        ("a=all", "f=filter", "n=last", "l=latest", "q=quiet", "s=size"),
    ),
    "tag": Command(),
    "push": Command(("platform=", "all-platforms", "all-tags", "quiet"), ("a=all-tags", "q=quiet")),
    "network ls": Command(("quiet", "filter=", "format="), ("q=quiet", "f=filter")),
    "network inspect": Command(("format=", "mode="), ("f=format",)),
    "volume ls": Command(("quiet", "filter=", "format=", "size"), ("q=quiet", "f=filter", "s=size")),
    "network rm": Command(),
    "network create": Command(
        ("driver=", "opt=", "subnet=", "gateway=", "label=", "ipv6", "internal"), ("d=driver", "o=opt")
    ),
}


def command(argv: list[str]) -> tuple[str, list[str]]:
    """Return the command's name and what follows it; NerdctlError for one that is not there."""
    for length in (2, 1):
        name = " ".join(argv[:length])
        if name in COMMANDS:
            return name, argv[length:]
    raise NerdctlError(f'unknown subcommand "{argv[0] if argv else ""}" for "nerdctl"')


def parse(known: Command, words: list[str]) -> Parsed:
    """Return what was typed; NerdctlError in pflag's words."""
    takes = {flag.removesuffix("="): flag.endswith("=") for flag in known.flags}
    letters = dict(pair.split("=") for pair in known.letters)
    flags: list[tuple[str, str]] = []
    arguments: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--" or (arguments and not known.interspersed):
            arguments += rest if word == "--" else [word, *rest]
            break
        if word == "-" or not word.startswith("-"):
            arguments.append(word)
            continue
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in takes:
                raise NerdctlError(f"unknown flag: --{name}")
        else:
            if word[1] not in letters:
                raise NerdctlError(f"unknown shorthand flag: {word[1]!r} in {word}")
            name, value = letters[word[1]], word[2:].removeprefix("=")
            equals = value
            if value and not takes[name]:
                rest.insert(0, f"-{value}")
                value = equals = ""
        if not equals:
            if takes[name] and not rest:
                raise NerdctlError(f"flag needs an argument: {word}")
            value = rest.pop(0) if takes[name] else "true"
        flags.append((name, value))
    return Parsed(tuple(flags), tuple(arguments))


def usage(name: str) -> str:
    """Return a command's help: its flags, which is what is looked for in it."""
    rows = (f"      --{flag.replace('=', ' string')}" for flag in COMMANDS[name].flags)
    return f"Usage:\n  nerdctl {name} [flags]\n\nFlags:\n" + "".join(f"{row}\n" for row in rows)
