"""Which messages the source says, read from its syntax trees, so that no list of keys is kept by hand.

A key is given to `say`, `Text`, `holds`, `fails`, `verdict` or an error; as a literal, or through a name, a
loop, a parameter of a helper, or a dataclass's field, which are followed back to their literals.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from syntax_trees import Module, given, last, parameters

from kubetour import errors

PACKAGE = Path(errors.__file__).parent
TASKS = PACKAGE.parent / "tasks.py"
# Those that pass on a key they were given, or have all there are: see test_codes.py. `flags` makes keys of
# the names of tasks: see `task_keys`.
PASSING_ON = ("codes.py", "errors.py", "flags.py", "proofs/common.py", "text", "embedded")

# What takes a key: the positions of its keys, what stands before each key, the keywords that are no values.
Signature = tuple[tuple[int, ...], str, tuple[str, ...]]
SIGNATURES: dict[str, Signature] = {
    "kubetour.text.say": ((1,), "", ("language", "key")),
    "kubetour.text.Text": ((0,), "", ()),
    "kubetour.proofs.common.holds": ((0,), "proof.", ("data",)),
    "kubetour.proofs.common.fails": ((0,), "proof.", ("data",)),
    "kubetour.proofs.common.refutes": ((0,), "proof.", ("data",)),
    "kubetour.proofs.common.refuses": ((0,), "proof.", ()),
    "kubetour.proofs.common.verdict": ((1, 2), "proof.", ()),
} | {
    f"kubetour.errors.{name}": ((0,), "error.", ("evidence",))
    for name, item in vars(errors).items()
    if isinstance(item, type) and issubclass(item, errors.KubetourError)
}


@dataclass(frozen=True)
class Use:
    """A key, where it is used, and the names of the values given with it; None where they are not literal.

    `taker` is the full name of what takes the key.
    """

    key: str
    where: str
    values: frozenset[str] | None
    taker: str = field(default="", compare=False)


class Source:
    """All modules of the package, and the uses in them."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.uses: list[Use] = []
        self.unknown: list[str] = []
        for module in modules:
            module.others = [other for other in modules if other is not module]
        for module in modules:
            for call in module.calls():
                self._read(module, call)

    def _read(self, module: Module, call: ast.Call) -> None:
        for name in sorted(self._named(module, call.func)):
            if name not in SIGNATURES:
                continue
            places, prefix, not_values = SIGNATURES[name]
            where = f"{module.path.name}:{call.lineno}"
            for place in places:
                items = given(call, place, "key")
                keys = [key for item in items for key in self._literals(module, item)]
                if not keys:
                    self.unknown.append(f"{where}: {ast.unparse(call)}")
                # A field's key may depend on a condition, and so do the values then.
                direct = not any(isinstance(node, ast.Attribute) for item in items for node in ast.walk(item))
                values = self._values(module, call, name, not_values) if direct else None
                self.uses += [Use(prefix + key, where, values, name) for key in keys]
                if prefix == "error.":
                    self.uses += [Use(f"error.{key}.fix", where, values, name) for key in keys]

    def _named(self, module: Module, func: ast.expr) -> set[str]:
        """Return the full names that a called expression may have."""
        if isinstance(func, ast.IfExp):
            return self._named(module, func.body) | self._named(module, func.orelse)
        if isinstance(func, ast.Attribute):
            return {f"{name}.{func.attr}" for name in self._named(module, func.value)}
        if isinstance(func, ast.Name):
            if any(func.id in parameters(scope) for scope in module.scopes(func)):
                return set()  # a callback, whatever its name
            if func.id in module.imports:
                return {module.imports[func.id]}
            bound = [(m, value) for m, value in module.bound(func) if isinstance(value, ast.Name | ast.IfExp)]
            return {name for m, value in bound for name in self._named(m, value)}
        return set()

    def _literals(self, module: Module, item: ast.expr) -> list[str]:
        """Return the texts that an expression may be, as far as they stand in the source."""
        if isinstance(item, ast.Constant):
            return [item.value] if isinstance(item.value, str) else []
        if isinstance(item, ast.IfExp):
            return self._literals(module, item.body) + self._literals(module, item.orelse)
        if isinstance(item, ast.JoinedStr):
            return ["".join(parts) for parts in product(*(self._literals(module, v) for v in item.values))]
        if isinstance(item, ast.FormattedValue):
            return self._literals(module, item.value)
        if isinstance(item, ast.Name):
            return [text for m, value in module.bound(item) for text in self._literals(m, value)]
        if isinstance(item, ast.Attribute):
            found = self._field(item.attr, module.type_of(item.value))
            return [text for m, value in found for text in self._literals(m, value)]
        return []

    def _field(self, name: str, owner: str) -> Iterator[tuple[Module, ast.expr]]:
        """Yield what instances of a dataclass (of any, if it is "") are given for a field of that name."""
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef) and owner in ("", node.name):
                    fields = [last(item.target) for item in node.body if isinstance(item, ast.AnnAssign)]
                    if name in fields:
                        for call in (call for call in module.calls() if last(call.func) == node.name):
                            yield from ((module, v) for v in given(call, fields.index(name), name))

    def _values(
        self, module: Module, call: ast.Call, name: str, not_values: tuple[str, ...]
    ) -> frozenset[str] | None:
        if name.endswith(".Text"):
            found = given(call, 1, "values")
            return self._dict_keys(module, found[0]) if found else frozenset()
        names: set[str] = set()
        for keyword in call.keywords:
            if keyword.arg:
                names.add(keyword.arg)
                continue
            spread = self._dict_keys(module, keyword.value)
            if spread is None:
                return None
            names |= spread
        return frozenset(names.difference(not_values))

    def _dict_keys(self, module: Module, item: ast.expr) -> frozenset[str] | None:
        if isinstance(item, ast.Name):
            bound = [self._dict_keys(m, value) for m, value in module.bound(item)]
            return bound[0] if len(bound) == 1 else None
        if not isinstance(item, ast.Dict):
            return None
        keys = [key.value for key in item.keys if isinstance(key, ast.Constant)]
        return frozenset(map(str, keys)) if len(keys) == len(item.keys) else None


def read_package() -> Source:
    """Return every use in the package, but for the modules that only pass keys on."""
    paths = sorted(PACKAGE.rglob("*.py"))
    passing = [PACKAGE / name for name in PASSING_ON]
    return Source([Module(p) for p in paths if not any(p == q or q in p.parents for q in passing)])


def task_keys(source: str = "") -> set[str]:
    """Return the keys of the tasks' help, and of the flags that are no settings, from tasks.py."""
    keys = set()
    for node in ast.walk(Module(TASKS, source).tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and last(call.func) == "verb":
                keys.add(f"task.{node.name.strip('_').replace('_', '-')}")
                own = (k.arg for k in call.keywords if k.arg and k.arg != "operands")
                keys |= {f"flag.{name.rstrip('_')}" for name in own}
    return keys
