"""A source file's syntax tree, and what a name in it stands for: assignments, loops, arguments, imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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


class Module:
    """A source file's tree, with each node's parent and what its imports mean.

    `others` are the modules that may call its functions. An expression is given together with the module
    it stands in.
    """

    def __init__(self, path: Path, source: str = "") -> None:
        self.path = path
        self.others: list[Module] = []
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

    def imported(self, func: ast.expr) -> str:
        """Return the full name of what is called, if it is imported."""
        if isinstance(func, ast.Attribute):
            return f"{self.imported(func.value)}.{func.attr}"
        return self.imports.get(func.id, "") if isinstance(func, ast.Name) else ""

    def type_of(self, item: ast.expr) -> str:
        """Return the class that a parameter is annotated with, or that `self` is of; "" if it is not told."""
        around: ast.AST = item
        while isinstance(item, ast.Name) and around in self.parents:
            around = self.parents[around]
            if isinstance(around, ast.ClassDef) and item.id == "self":
                return around.name
            if isinstance(around, ast.FunctionDef):
                for argument in around.args.args + around.args.kwonlyargs:
                    if argument.arg == item.id and argument.annotation:
                        return last(argument.annotation)
        return ""

    def bound(self, name: ast.Name) -> list[tuple[Module, ast.expr]]:
        """Return what a name may stand for: assignments, loops and arguments of the nearest scope."""
        for scope in self.scopes(name):
            found = [(self, value) for node in _own(scope) for value in self._bindings(node, name.id)]
            found = [(module, v) for module, v in found if name.id not in _names(v)]  # x = x or …
            found += self._arguments(scope, name.id)
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
            return [row for module, v in self.bound(iterated) if module is self for row in self._rows(v)]
        return []

    def _arguments(self, scope: ast.AST, name: str) -> list[tuple[Module, ast.expr]]:
        """Return what the calls of a function give for a parameter."""
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return []
        names = [item.arg for item in scope.args.posonlyargs + scope.args.args]
        if name not in names + [item.arg for item in scope.args.kwonlyargs]:
            return []
        place = names.index(name) - (names[0] == "self") if name in names else -1
        calls = [(self, call) for call in self.calls() if last(call.func) == scope.name]
        for other in self.others:
            target = f"kubetour.{self.path.stem}.{scope.name}"
            calls += [(other, call) for call in other.calls() if other.imported(call.func) == target]
        return [(module, value) for module, call in calls for value in given(call, place, name)]


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


def given(call: ast.Call, place: int, name: str) -> list[ast.expr]:
    if 0 <= place < len(call.args):
        return [call.args[place]]
    return [item.value for item in call.keywords if item.arg == name]


def last(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def parameters(scope: ast.AST) -> set[str]:
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    return {item.arg for item in scope.args.posonlyargs + scope.args.args + scope.args.kwonlyargs}
