"""The codes of all errors and of the known causes of failed rollouts: one table, and the lowest layer.

A code is for good: it never changes its key and is never used again. What is no longer raised moves to
RETIRED. The first digit is the family:

    KT1xx  settings and usage       exit status 2
    KT2xx  programs, downloads      3, 11
    KT3xx  engine and images        4
    KT4xx  cluster                  5; from KT450 on causes, which have none of their own
    KT5xx  deadlines and proofs     6, 7
    KT6xx  the host of --host       2, 3, 5, 9
    KT7xx  files, state, machine    1, 8, 9, 10, 130

A new code is the next free one of its family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from string import Formatter

from kubetour.text import catalog, say

CAUSE = "cause."
LONGEST = 100  # characters of a word that is compared with others


@dataclass(frozen=True)
class Code:
    """A code, its key (of an error, or `cause.…`), the exit statuses it ends a run with, when it strikes.

    `page` names the text that tells it at more length, where there is one.
    """

    code: str
    key: str
    statuses: tuple[int, ...]
    when: str
    page: str = ""

    @property
    def family(self) -> str:
        """Return which of FAMILIES it is of."""
        return "45" if self.key.startswith(CAUSE) else self.code[2]

    @property
    def text(self) -> str:
        """Return the key of its text."""
        return self.key if self.key.startswith(CAUSE) else f"error.{self.key}"

    def cause(self, language: str) -> str:
        """Return what has happened, with NAMES for the values that are known only then."""
        return _unfilled(catalog(language)[self.text])

    def fix(self, language: str) -> str:
        """Return what to type next, likewise; "" for a cause, whose text says it."""
        return _unfilled(catalog(language).get(f"{self.text}.fix", ""))

    def strikes(self, language: str) -> str:
        """Return when it may happen."""
        return say(language, f"when.{self.when}")

    def pages(self, language: str) -> tuple[str, ...]:
        """Return what it means, how to see it and how to mend it; nothing where the short text is all."""
        return tuple(say(language, f"page.{self.page}.{part}") for part in PARTS) if self.page else ()


FAMILIES = ("1", "2", "3", "4", "45", "5", "6", "7")
PARTS = ("means", "see", "mend")
_USAGE, _TOOL, _ENGINE, _CLUSTER, _LATE, _PROOF = (2,), (3,), (4,), (5,), (6,), (7,)
_LOCKED, _REFUSED, _SHORT, _FALSE, _OTHER = (8,), (9,), (10,), (11,), (1,)

TABLE: tuple[Code, ...] = (
    Code("KT101", "setting-invalid", _USAGE, "settings"),
    Code("KT102", "setting-unknown", _USAGE, "settings"),
    Code("KT103", "config-section", _USAGE, "settings"),
    Code("KT104", "flags-exclude", _USAGE, "settings"),
    Code("KT105", "pause-no-terminal", _USAGE, "settings"),
    Code("KT106", "predict-no-terminal", _USAGE, "settings"),
    Code("KT107", "step-unknown", _USAGE, "plan"),
    Code("KT108", "steps-empty", _USAGE, "plan"),
    Code("KT109", "claim-unknown", _USAGE, "plan"),
    Code("KT110", "claim-not-here", _USAGE, "plan"),
    Code("KT111", "config-invalid", _USAGE, "files"),
    Code("KT112", "template-missing", _USAGE, "files"),
    Code("KT113", "template-broken", _USAGE, "files"),
    Code("KT114", "template-not-yaml", _USAGE, "files"),
    Code("KT115", "dockerfile-missing", _USAGE, "files"),
    Code("KT116", "context-unreadable", _USAGE, "files"),
    Code("KT117", "context-too-large", _USAGE, "files"),
    Code("KT118", "pull-secret-unreadable", _USAGE, "files"),
    Code("KT119", "pull-secret-helper", _USAGE, "files"),
    Code("KT120", "pull-secret-other", _USAGE, "files"),
    Code("KT121", "push-embedded", _USAGE, "plan"),
    Code("KT122", "command-too-long", _USAGE, "command"),
    Code("KT123", "lessons-none", _USAGE, "lessons"),
    Code("KT124", "lessons-unreadable", _USAGE, "lessons"),
    Code("KT125", "lessons-form", _USAGE, "lessons"),
    Code("KT126", "lessons-step", _USAGE, "lessons"),
    Code("KT127", "lessons-drop", _USAGE, "lessons"),
    Code("KT128", "report-none", _USAGE, "report"),
    Code("KT129", "report-absent", _USAGE, "report"),
    Code("KT130", "report-too-few", _USAGE, "report"),
    Code("KT131", "report-runs", _USAGE, "report"),
    Code("KT132", "report-unreadable", _USAGE, "report"),
    Code("KT133", "report-not-one", _USAGE, "report"),
    Code("KT134", "report-version", _USAGE, "report"),
    Code("KT135", "report-template", _USAGE, "report"),
    Code("KT136", "class-output", _USAGE, "class"),
    Code("KT138", "pack-none", _USAGE, "pack"),
    Code("KT139", "pack-there", _USAGE, "pack"),
    Code("KT140", "pack-newer", _USAGE, "pack"),
    Code("KT141", "pack-locks", _USAGE, "pack"),
    Code("KT142", "pack-python", _USAGE, "pack"),
    Code("KT143", "pack-system", _USAGE, "pack"),
    Code("KT144", "code-unknown", _USAGE, "explain"),
    Code("KT145", "claim-not-on-embedded", _USAGE, "plan"),
    Code("KT146", "config-unusable", _USAGE, "settings"),
    Code("KT201", "kubectl-missing", _TOOL, "tools"),
    Code("KT202", "kind-missing", _TOOL, "tools"),
    Code("KT203", "minikube-missing", _TOOL, "tools"),
    Code("KT204", "engine-absent", _TOOL, "engine"),
    Code("KT205", "tool-offline", _TOOL, "tools"),
    Code("KT206", "download-failed", _TOOL, "download"),
    Code("KT207", "cache-unwritable", _TOOL, "download"),
    Code("KT208", "pack-wheels", _TOOL, "pack"),
    Code("KT209", "download-tampered", _FALSE, "download"),
    Code("KT210", "checksum-unreadable", _FALSE, "download"),
    Code("KT211", "pack-broken", _FALSE, "pack"),
    Code("KT212", "pack-manifest", _FALSE, "pack"),
    Code("KT213", "pack-member", _FALSE, "pack"),
    Code("KT214", "pack-missing", _FALSE, "pack"),
    Code("KT215", "pack-tampered", _FALSE, "pack"),
    Code("KT301", "command-failed", (4, 5), "command"),
    Code("KT302", "engine-daemon", _ENGINE, "engine"),
    Code("KT303", "engine-permission", _ENGINE, "engine"),
    Code("KT304", "engine-hangs", _ENGINE, "engine"),
    Code("KT305", "builder-absent", _ENGINE, "build"),
    Code("KT306", "embedded-run", _ENGINE, "build"),
    Code("KT307", "short-name", _ENGINE, "build"),
    Code("KT308", "pull-failed", _ENGINE, "build"),
    Code("KT309", "pull-limit", _ENGINE, "build"),
    Code("KT310", "registry-auth", _ENGINE, "push"),
    Code("KT311", "registry-ca", _ENGINE, "push"),
    Code("KT312", "registry-http", _ENGINE, "push"),
    Code("KT313", "digest-missing", _ENGINE, "load"),
    Code("KT314", "image-not-there", _ENGINE, "load"),
    Code("KT315", "kind-rootless", _ENGINE, "create"),
    Code("KT316", "cgroup-v1", _ENGINE, "create"),
    Code("KT317", "minikube-driver", _ENGINE, "create"),
    Code("KT318", "minikube-engine", _ENGINE, "create"),
    Code("KT319", "pack-not-loaded", _ENGINE, "pack"),
    Code("KT320", "program-absent", _ENGINE, "command"),
    Code("KT321", "container-gone", _ENGINE, "command"),
    Code("KT401", "cluster-down", _CLUSTER, "command"),
    Code("KT402", "cluster-unreachable", _CLUSTER, "read"),
    Code("KT403", "cluster-refused", _CLUSTER, "read", "forbidden"),
    Code("KT404", "forbidden", _CLUSTER, "command", "forbidden"),
    Code("KT405", "context-unknown", _CLUSTER, "command"),
    Code("KT406", "object-missing", _CLUSTER, "command"),
    Code("KT407", "unauthorized", _CLUSTER, "command"),
    Code("KT408", "cluster-untrusted", _CLUSTER, "command"),
    Code("KT409", "over-quota", _CLUSTER, "command", "quota"),
    Code("KT410", "cluster-unsteady", _CLUSTER, "command"),
    Code("KT450", "cause.image", (), "rollout", "image"),
    Code("KT451", "cause.image-never", (), "rollout", "image-never"),
    Code("KT452", "cause.crash", (), "rollout", "crash"),
    Code("KT453", "cause.memory", (), "rollout", "crash"),
    Code("KT454", "cause.address", (), "rollout", "port"),
    Code("KT455", "cause.denied", (), "rollout", "crash"),
    Code("KT456", "cause.config", (), "rollout"),
    Code("KT457", "cause.unscheduled", (), "rollout", "unscheduled"),
    Code("KT458", "cause.node", (), "rollout"),
    Code("KT459", "cause.probe", (), "rollout", "probe"),
    Code("KT460", "cause.quota", (), "rollout", "quota"),
    Code("KT461", "cause.refused", (), "rollout", "forbidden"),
    Code("KT462", "cause.space", (), "rollout", "space"),
    Code("KT463", "cause.selector", (), "endpoints", "endpoints"),
    Code("KT464", "cause.target-port", (), "endpoints", "endpoints"),
    Code("KT465", "cause.no-endpoints", (), "endpoints", "endpoints"),
    Code("KT501", "not-in-time", _LATE, "proof"),
    Code("KT502", "rollout-late", _LATE, "rollout"),
    Code("KT503", "not-proved", _PROOF, "proof"),
    Code("KT504", "refuted", _PROOF, "proof"),
    Code("KT505", "command-late", _LATE, "command"),
    Code("KT601", "host-unreachable", _CLUSTER, "host"),
    Code("KT602", "host-auth", _CLUSTER, "host"),
    Code("KT603", "host-lost", _CLUSTER, "host"),
    Code("KT604", "host-transfer", _CLUSTER, "host"),
    Code("KT605", "host-kubeconfig", _CLUSTER, "host"),
    Code("KT606", "host-unknown", _REFUSED, "host"),
    Code("KT607", "host-changed", _REFUSED, "host"),
    Code("KT608", "host-directory", _REFUSED, "host"),
    Code("KT609", "host-no-forwarding", _REFUSED, "host"),
    Code("KT610", "host-config", _USAGE, "host"),
    Code("KT611", "host-environment", _TOOL, "host"),
    Code("KT612", "host-tool", _TOOL, "host"),
    Code("KT701", "locked", _LOCKED, "start"),
    Code("KT702", "not-ours", _REFUSED, "proof"),
    Code("KT703", "cluster-exists", _REFUSED, "create"),
    Code("KT704", "cluster-not-ours", _REFUSED, "down"),
    Code("KT705", "context-unnamed", _REFUSED, "plan"),
    Code("KT706", "minikube-other-driver", _REFUSED, "create"),
    Code("KT707", "name-taken", _REFUSED, "command"),
    Code("KT708", "disk-full", _SHORT, "any", "space"),
    Code("KT709", "file-unwritable", _SHORT, "any"),
    Code("KT710", "port-busy", _SHORT, "command", "port"),
    Code("KT711", "ports-busy", _SHORT, "plan", "port"),
    Code("KT712", "inotify", _SHORT, "create"),
    Code("KT713", "minikube-small", _SHORT, "create"),
    Code("KT714", "class-none", _OTHER, "class"),
    Code("KT715", "interrupted", (130, 129, 143), "any"),
    Code("KT716", "made-by-others", _REFUSED, "command"),
    Code("KT717", "not-made-here", _REFUSED, "command"),
    Code("KT718", "left-behind", _OTHER, "down"),
    Code("KT719", "machine-short", _SHORT, "any"),
    Code("KT720", "namespace-shared", _REFUSED, "down"),
)
RETIRED: Mapping[str, str] = {"KT137": "class-template"}  # raised once, and in old reports

_BY_KEY = {item.key: item for item in TABLE}
_BY_CODE = {item.code: item for item in TABLE}


def code_of(key: str) -> str:
    """Return the code of a key, "" if it has none."""
    return _BY_KEY[key].code if key in _BY_KEY else ""


def family(name: str, language: str) -> str:
    """Return what one of FAMILIES is about."""
    return say(language, f"family.{name}")


def coded(key: str, told: str) -> str:
    """Return a text with the code of its key before it."""
    return f"{code_of(key)} {told}".lstrip()


def find(word: str) -> Code | None:
    """Return what a person means by a code or a key, in whatever case; None if there is no such."""
    return _BY_CODE.get(word.upper()) or _BY_KEY.get(word.lower()) or _BY_KEY.get(CAUSE + word.lower())


def near(word: str) -> list[str]:
    """Return the five codes, or keys, that are most like a word, the likest first."""
    word, known = (word.upper(), _BY_CODE) if word.upper().startswith("KT") else (word.lower(), _BY_KEY)
    return get_close_matches(word[:LONGEST], known, n=5, cutoff=0)


def _unfilled(text: str) -> str:
    parts = Formatter().parse(text)
    return "".join(literal + (name or "").upper() for literal, name, *_ in parts)
