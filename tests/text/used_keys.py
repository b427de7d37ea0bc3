"""Which messages the source says, read from its syntax trees, so that no list of keys is kept by hand.

A key is given to `say`, `Text`, `holds`, `fails`, `verdict` or an error; as a literal, or through a name, a
loop, a parameter of a helper, or a dataclass's field, which are followed back to their literals.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from kubetour import errors

PACKAGE = Path(errors.__file__).parent
TASKS = PACKAGE.parent / "tasks.py"
# Those that pass on a key they were given. `flags` makes keys of the names of tasks: see `task_keys`.
PASSING_ON = ("errors.py", "flags.py", "proofs/common.py", "text", "embedded")

# What takes a key: the positions of its keys, what stands before each key, the keywords that are no values.
Signature = tuple[tuple[int, ...], str, tuple[str, ...]]
SIGNATURES: dict[str, Signature] = {
    "kubetour.text.say": ((1,), "", ("language", "key")),
    "kubetour.text.Text": ((0,), "", ()),
    "kubetour.proofs.common.holds": ((0,), "proof.", ("data",)),
    "kubetour.proofs.common.fails": ((0,), "proof.", ("data",)),
    "kubetour.proofs.common.verdict": ((1, 2), "proof.", ()),
} | {
    f"kubetour.errors.{name}": ((0,), "error.", ("evidence",))
    for name, item in vars(errors).items()
    if isinstance(item, type) and issubclass(item, errors.KubetourError) and item is not errors.Interrupted
}


SCOPES = (
    ast.Module,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.GeneratorExp,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
)


@dataclass(frozen=True)
class Use:
    """A key, where it is used, and the names of the values given with it; None where they are not literal."""

    key: str
    where: str
    values: frozenset[str] | None


class Module:
    """A source file's tree, with each node's parent and what its imports mean."""

    def __init__(self, path: Path, source: str = "") -> None:
        self.path = path
        self.tree = ast.parse(source or path.read_text(encoding="utf-8"))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.imports: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                for name in node.names:
                    self.imports[name.asname or name.name] = f"{node.module}.{name.name}"
            elif isinstance(node, ast.Import):
                for name in node.names:
                    self.imports[name.asname or name.name] = name.name

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the scopes around a node, the innermost first and the module last."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, SCOPES):
                yield node

    def bound(self, name: ast.Name) -> list[ast.expr]:
        """Return the expressions that a name may stand for: assignments and loops of the nearest scope."""
        for scope in self.scopes(name):
            found = [value for node in _own(scope) for value in self._bindings(node, name.id)]
            found += self._arguments(scope, name.id)
            found = [value for value in found if name.id not in _names(value)]  # x = x or …
            if found:
                return found
        return []

    def _bindings(self, node: ast.AST, name: str) -> Iterator[ast.expr]:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _matched(target, node.value, name)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            yield from _matched(node.target, node.value, name)
        elif isinstance(node, ast.For | ast.comprehension) and name in _names(node.target):
            for row in self._rows(node.iter):
                yield from _matched(node.target, row, name)

    def _rows(self, iterated: ast.expr) -> list[ast.expr]:
        if isinstance(iterated, ast.Tuple | ast.List):
            return iterated.elts
        if isinstance(iterated, ast.Name):
            return [row for value in self.bound(iterated) for row in self._rows(value)]
        return []

    def _arguments(self, scope: ast.AST, name: str) -> list[ast.expr]:
        """Return what this module's calls of a function give for a parameter."""
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return []
        names = [item.arg for item in scope.args.posonlyargs + scope.args.args]
        if name not in names + [item.arg for item in scope.args.kwonlyargs]:
            return []
        place = names.index(name) - (names[0] == "self") if name in names else -1
        calls = (call for call in self.calls() if _last(call.func) == scope.name)
        return [value for call in calls for value in _given(call, place, name)]


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, without those of the scopes within."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, SCOPES):
            yield node
            yield from _own(node)


def _names(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _matched(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _matched(one, other, name)


def _given(call: ast.Call, place: int, name: str) -> list[ast.expr]:
    if 0 <= place < len(call.args):
        return [call.args[place]]
    return [item.value for item in call.keywords if item.arg == name]


def _last(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


class Source:
    """All modules of the package, and the uses in them."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.uses: list[Use] = []
        self.unknown: list[str] = []
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
                keys = [key for item in _given(call, place, "key") for key in self._literals(module, item)]
                if not keys:
                    self.unknown.append(f"{where}: {ast.unparse(call)}")
                direct = not any(isinstance(node, ast.Attribute) for node in ast.walk(call.args[place]))
                values = self._values(module, call, name, not_values) if direct else None
                self.uses += [Use(prefix + key, where, values) for key in keys]
                if prefix == "error.":
                    self.uses += [Use(f"error.{key}.fix", where, values) for key in keys]

    def _named(self, module: Module, func: ast.expr) -> set[str]:
        """Return the full names that a called expression may have."""
        if isinstance(func, ast.IfExp):
            return self._named(module, func.body) | self._named(module, func.orelse)
        if isinstance(func, ast.Attribute):
            return {f"{name}.{func.attr}" for name in self._named(module, func.value)}
        if isinstance(func, ast.Name):
            if any(func.id in _parameters(scope) for scope in module.scopes(func)):
                return set()  # a callback, whatever its name
            if func.id in module.imports:
                return {module.imports[func.id]}
            bound = [value for value in module.bound(func) if isinstance(value, ast.Name | ast.IfExp)]
            return {name for value in bound for name in self._named(module, value)}
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
            return [text for value in module.bound(item) for text in self._literals(module, value)]
        if isinstance(item, ast.Attribute):
            return [text for owner, value in self._field(item.attr) for text in self._literals(owner, value)]
        return []

    def _field(self, name: str) -> Iterator[tuple[Module, ast.expr]]:
        """Yield what instances of this package's dataclasses are given for a field of that name."""
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    fields = [_last(item.target) for item in node.body if isinstance(item, ast.AnnAssign)]
                    if name in fields:
                        for call in (call for call in module.calls() if _last(call.func) == node.name):
                            yield from ((module, v) for v in _given(call, fields.index(name), name))

    def _values(
        self, module: Module, call: ast.Call, name: str, not_values: tuple[str, ...]
    ) -> frozenset[str] | None:
        if name.endswith(".Text"):
            given = _given(call, 1, "values")
            return self._dict_keys(module, given[0]) if given else frozenset()
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
            bound = [self._dict_keys(module, value) for value in module.bound(item)]
            return bound[0] if len(bound) == 1 else None
        if not isinstance(item, ast.Dict):
            return None
        keys = [key.value for key in item.keys if isinstance(key, ast.Constant)]
        return frozenset(map(str, keys)) if len(keys) == len(item.keys) else None


def _parameters(scope: ast.AST) -> set[str]:
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    return {item.arg for item in scope.args.posonlyargs + scope.args.args + scope.args.kwonlyargs}


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
            if isinstance(call, ast.Call) and _last(call.func) == "verb":
                keys.add(f"task.{node.name.strip('_').replace('_', '-')}")
                own = (k.arg for k in call.keywords if k.arg and k.arg != "positional")
                keys |= {f"flag.{name.rstrip('_')}" for name in own}
    return keys
