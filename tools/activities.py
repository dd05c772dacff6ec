"""The names of all audit events that the code can write, read from its syntax: for docs/reference/audit-activities.md.

An act names its event as a literal, a constant, a choice between two, or a text with a few words filled in; this
follows each of them to the literals. A name that cannot be followed is an error, so that none stays undocumented.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

SERVICES = Path(__file__).parent.parent / "src/openpim/services"

# Who writes an event: the place of the activity among the positional arguments (None: only `activity=`).
WRITERS = {
    "tell": 4, "perform": 2, "_perform": 2, "record": 3, "end": None, "_note": 5, "_alarm": 3, "_witnessed": 3,
    "Happened": 0, "_happened": 2, "_edges": 1,
}  # fmt: skip

# Combinations that the reader thinks of and the code never makes: "renew" is only said of what is requested.
IMPOSSIBLE = frozenset(f"Add {who} to role in PIM completed (renew)" for who in ("member", "eligible member"))


@dataclass(frozen=True, slots=True, order=True)
class Activity:
    """category "": that of the provider (RoleManagement for directory roles)."""

    name: str
    category: str
    file: str


@dataclass
class _Module:
    path: Path
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)  # name -> "module" or "module:name"

    @property
    def signing_in(self) -> bool:
        return "signin" in self.path.parts or self.path.name == "credentials.py"


def _load(path: Path) -> _Module:
    module = _Module(path, ast.parse(path.read_text(encoding="utf-8"), str(path)))
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            module.constants[node.targets[0].id] = node.value
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            for name, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                if isinstance(name, ast.Name):
                    module.constants[name.id] = value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            module.constants[node.target.id] = node.value
        elif isinstance(node, ast.FunctionDef):
            module.functions[node.name] = node
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.imports[alias.asname or alias.name] = f"{node.module}:{alias.name}"
    return module


class _Reader:
    def __init__(self) -> None:
        self.modules = {self._dotted(path): _load(path) for path in sorted(SERVICES.rglob("*.py"))}
        # What a check must know by name is said there.
        self.modules["openpim.proof.history"] = _load(SERVICES.parent / "proof/history.py")

    @staticmethod
    def _dotted(path: Path) -> str:
        return "openpim.services." + ".".join(path.relative_to(SERVICES).with_suffix("").parts)

    def texts(self, expr: ast.expr, module: _Module, scope: ast.FunctionDef | None) -> set[str]:
        """Every text the expression can be; empty for a parameter, whose callers name it."""
        match expr:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp():
                return self.texts(expr.body, module, scope) | self.texts(expr.orelse, module, scope)
            case ast.JoinedStr():
                return self._filled(expr, module, scope)
            case ast.Name():
                return self._named(expr.id, module, scope)
            case ast.Attribute(value=ast.Name(id=owner)) if owner in module.imports:
                other = self.modules[module.imports[owner].replace(":", ".")]
                return self.texts(other.constants[expr.attr], other, None)
            case ast.Subscript(value=ast.Name(id=name)):
                table = module.constants[name]
                assert isinstance(table, ast.Dict)  # noqa: S101 - a tool, not the product
                return {text for value in table.values for text in self.texts(value, module, None)}
            case ast.Call(func=ast.Name(id=name)) if name in module.functions:
                function = module.functions[name]
                values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
                return {text for value in values if value for text in self.texts(value, module, function)}
        where = f"{module.path}:{expr.lineno}"
        raise LookupError(f"{where}: cannot tell which audit activity this is; teach tools/activities.py")

    def _filled(self, expr: ast.JoinedStr, module: _Module, scope: ast.FunctionDef | None) -> set[str]:
        parts = [
            self.texts(part.value if isinstance(part, ast.FormattedValue) else part, module, scope) or {"…"}
            for part in expr.values
        ]
        return {"".join(words) for words in product(*parts)}

    def _named(self, name: str, module: _Module, scope: ast.FunctionDef | None) -> set[str]:
        if scope is not None:
            found = {
                text
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign | ast.NamedExpr)
                and any(isinstance(one, ast.Name) and one.id == name for one in _targets(node))
                for text in self.texts(node.value, module, scope)
            }
            arguments = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
            if found:
                return found
            if any(argument.arg == name for argument in arguments):
                return self._passed(name, module, scope)
        if name in module.constants:
            return self.texts(module.constants[name], module, None)
        other, _, original = module.imports.get(name, "").partition(":")
        if other in self.modules:
            return self._named(original, self.modules[other], None)
        raise LookupError(f"{module.path}: cannot tell what {name} is; teach tools/activities.py")

    def _passed(self, name: str, module: _Module, scope: ast.FunctionDef) -> set[str]:
        """What the callers in the same file hand in; callers elsewhere are found by themselves."""
        if scope.name in {"record", *WRITERS} or name == "activity":
            return set()
        place = [argument.arg for argument in scope.args.args].index(name)
        calls = [
            node
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == scope.name
        ]
        return {
            text
            for call in calls
            if len(call.args) > place
            for text in self.texts(call.args[place], module, None)
        }


def _targets(node: ast.Assign | ast.NamedExpr) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _named_by(call: ast.Call, module: _Module) -> list[ast.expr]:
    """The expressions that name an activity: the one that is written, and one that follows it at once (`then`)."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    own = module.functions.get(name)
    if name not in WRITERS or (own is not None and "activity" not in {one.arg for one in _arguments(own)}):
        return []
    by_word = [keyword.value for keyword in call.keywords if keyword.arg in {"activity", "then"}]
    place = WRITERS[name]
    named = any(keyword.arg == "activity" for keyword in call.keywords)
    if name == "record" and (named or not module.signing_in):
        place = None
    return by_word + (call.args[place : place + 1] if place is not None else [])


def _category(call: ast.Call, module: _Module) -> str:
    place = 1 if isinstance(call.func, ast.Name) and call.func.id == "Happened" else 3
    literals = [
        argument.value
        for argument in [
            *(() if module.signing_in else call.args[place : place + 1]),
            *(k.value for k in call.keywords if k.arg == "category"),
        ]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if literals:
        return literals[0]
    if module.signing_in:
        return "Authentication"
    inner = module.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
    written = (node for node in ast.walk(inner) if isinstance(node, ast.Call)) if inner is not None else ()
    return next(
        (found for node in written if _named_by(node, module) and (found := _category(node, module))), ""
    )


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Those of the module and of its classes."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    return [node for body in bodies for node in body if isinstance(node, ast.FunctionDef)]


def activities() -> list[Activity]:
    """Everything the services can write, sorted by name."""
    reader = _Reader()
    found = set()
    for module in reader.modules.values():
        # Outer functions only: what an inner one uses may be named in the outer one.
        for function in _functions(module.tree):
            for node in ast.walk(function):
                if not isinstance(node, ast.Call):
                    continue
                file = module.path.relative_to(SERVICES.parent).as_posix()
                for expr in _named_by(node, module):
                    for text in reader.texts(expr, module, function) - IMPOSSIBLE - {""}:
                        found.add(Activity(text, _category(node, module), file))
    return sorted(found)
