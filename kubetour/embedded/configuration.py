"""The Dockerfile instructions that change the image's config and none of its files.

Each handler changes the config in place and returns what the history shows of it, "" for the instruction's
own text. https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubetour.embedded import shellwords
from kubetour.embedded.dockerfile import Instruction
from kubetour.embedded.errors import EmbeddedError
from kubetour.embedded.signals import signal_number
from kubetour.embedded.units import parse_duration

Config = dict[str, Any]
Handler = Callable[[Instruction, Config, Mapping[str, str], str], str]
_NAME = re.compile(r"[^\s=]+")


def _pairs(instruction: Instruction, variables: Mapping[str, str], escape: str) -> dict[str, str]:
    """Return `a=1 b="2 3"`, or of the old form `a 1 2` the one pair."""
    words = shellwords.split_raw(instruction.text, escape)
    if "=" not in words[0]:
        name, _, value = instruction.text.partition(" ")
        if not value.strip():
            raise instruction.error(f"{name} has no value; write {name}=VALUE")
        return {name: shellwords.expand(value.strip(), variables, escape)}
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise instruction.error(f"{word!r} is not NAME=VALUE; quote values that hold spaces")
        key = shellwords.expand(name, variables, escape)
        pairs[key] = shellwords.expand(value, variables, escape)
    return pairs


def _env(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    pairs = _pairs(instruction, variables, escape)
    environment = dict(item.partition("=")[::2] for item in config.get("Env") or [])
    config["Env"] = [f"{name}={value}" for name, value in {**environment, **pairs}.items()]
    return "ENV " + " ".join(f"{name}={value}" for name, value in pairs.items())


def _label(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    pairs = _pairs(instruction, variables, escape)
    config["Labels"] = {**(config.get("Labels") or {}), **pairs}
    return "LABEL " + " ".join(f"{name}={value}" for name, value in pairs.items())


def _maintainer(instruction: Instruction, config: Config, _: Mapping[str, str], __: str) -> str:
    config["Labels"] = {**(config.get("Labels") or {}), "maintainer": instruction.text}
    return ""


def _user(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    config["User"] = shellwords.expand(instruction.text, variables, escape)
    return f"USER {config['User']}"


def _expose(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    ports: Config = {}
    for word in shellwords.split(instruction.text, variables, escape):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?", word.lower())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not match or not 1 <= first <= last <= 65535:
            raise instruction.error(
                f"{word!r} is no port; give a number from 1 to 65535, such as 8080 or 53/udp"
            )
        ports.update({f"{port}/{match[3] or 'tcp'}": {} for port in range(first, last + 1)})
    config["ExposedPorts"] = {**(config.get("ExposedPorts") or {}), **ports}
    return f"EXPOSE {' '.join(ports)}"


def _volume(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    words = instruction.exec_form or shellwords.split(instruction.text, variables, escape)
    config["Volumes"] = {**(config.get("Volumes") or {}), **{word: {} for word in words}}
    return ""


def _stop_signal(instruction: Instruction, config: Config, variables: Mapping[str, str], escape: str) -> str:
    text = shellwords.expand(instruction.text, variables, escape)
    if signal_number(text) is None:
        raise instruction.error(f"{text!r} is no signal; give a name or number, such as SIGTERM or 15")
    config["StopSignal"] = text
    return ""


def _shell(instruction: Instruction, config: Config, _: Mapping[str, str], __: str) -> str:
    words = instruction.exec_form
    if not words:
        raise instruction.error('takes a JSON array, such as ["/bin/sh", "-c"]')
    config["Shell"] = words
    return ""


def _command(config: Config, instruction: Instruction, text: str) -> list[str]:
    words = instruction.exec_form
    return [*(config.get("Shell") or ["/bin/sh", "-c"]), text] if words is None else words


def _entrypoint(instruction: Instruction, config: Config, _: Mapping[str, str], __: str) -> str:
    config["Entrypoint"] = _command(config, instruction, instruction.text)
    return ""


def _cmd(instruction: Instruction, config: Config, _: Mapping[str, str], __: str) -> str:
    config["Cmd"] = _command(config, instruction, instruction.text)
    return ""


_DURATIONS = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def _healthcheck(instruction: Instruction, config: Config, _: Mapping[str, str], __: str) -> str:
    kind, _space, text = instruction.text.partition(" ")
    if kind.upper() == "NONE":
        config["Healthcheck"] = {"Test": ["NONE"]}
        return ""
    if kind.upper() != "CMD" or not text.strip():
        raise instruction.error(
            "has the form HEALTHCHECK [--interval=30s …] CMD COMMAND, or HEALTHCHECK NONE"
        )
    inner = Instruction("CMD", {}, text.strip(), instruction.file, instruction.line)
    words = inner.exec_form
    check: Config = {"Test": ["CMD-SHELL", inner.text] if words is None else ["CMD", *words]}
    for name, value in instruction.flags.items():
        try:
            if name == "retries":
                check["Retries"] = int(value)
            else:
                check[_DURATIONS[name]] = int(parse_duration(value) * 1e9)
        except (KeyError, ValueError, EmbeddedError) as error:
            raise instruction.error(f"--{name}={value}: {error}") from error
    config["Healthcheck"] = check
    return ""


def _run(instruction: Instruction, _: Config, __: Mapping[str, str], ___: str) -> str:
    raise instruction.error(
        "cannot be done by the embedded cluster: it isolates nothing, so the command would run on this "
        "machine itself. Do it beforehand and COPY the result, or build with a container engine (kind)"
    )


def _on_build(instruction: Instruction, _: Config, __: Mapping[str, str], ___: str) -> str:
    raise instruction.error("is not supported; write the instruction into the Dockerfile that needs it")


HANDLERS: dict[str, Handler] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _on_build,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
}
