"""The house rules that ruff, mypy and import-linter cannot hold. `make check` prints each fault as `file:line: code why`.

HR001  a file under src/ has at most 500 lines: one noun or one verb for each file
HR002  a database library is imported under src/openpim/store/ only, and by the connectors to such databases
HR003  SQL is written there only
HR004  text() takes a literal: values travel as parameters, never inside the statement
HR005  no package index in a file that builds: no option that names one, no address but this machine's
HR006  an act raises no HTTP error and knows no status code: no `status_code` under core/, ports/ and services/

A line that has a good reason to differ says so: `# house: HR003 the reason`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINES = 500
DATABASE_LIBRARIES = frozenset({"alembic", "psycopg", "pymysql", "sqlalchemy", "sqlite3"})
# Their databases are other people's.
DATABASE_CONNECTORS = ("src/openpim/connectors/mariadb/", "src/openpim/connectors/postgresql/")
SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX)\s)",
    re.IGNORECASE | re.DOTALL,
)
BUILD_FILES = re.compile(r"(requirements/.*|pyproject\.toml|Makefile|\.ci/.*|.*\.(cfg|ini|toml|lock|ya?ml))$")
INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|(?<!emit-)\b(index|registry)-url\b|^\s*-[if]\s+\S"
)
ADDRESS = re.compile(
    r"https?://(?!localhost\b|127\.0\.0\.1\b|\[::1\]|[\w.-]*\.?example(\.\w+)?\b)[\w.-]+", re.IGNORECASE
)
EXCUSE = re.compile(r"#\s*house:\s*(HR\d{3})\s+\S")
WITHOUT_HTTP = ("src/openpim/core/", "src/openpim/ports/", "src/openpim/services/")


@dataclass(frozen=True, slots=True)
class Fault:
    path: str
    line: int
    code: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.why}"


def faults_in(path: str, content: str) -> list[Fault]:
    """All faults of one file. path: relative to the root of the repository, with forward slashes."""
    found: list[Fault] = []
    if path.startswith("src/") and path.endswith(".py"):
        if "/migrations/versions/" not in path:  # made by a tool, read once
            found += _too_long(path, content)
        found += _in_code(path, ast.parse(content, path))
    if BUILD_FILES.fullmatch(path):
        found += _index_named(path, content)
    lines = content.splitlines()
    return [fault for fault in found if not _excused(fault, lines)]


def _excused(fault: Fault, lines: list[str]) -> bool:
    line = lines[fault.line - 1] if fault.line <= len(lines) else ""
    excuse = EXCUSE.search(line)
    return excuse is not None and excuse[1] == fault.code


def _too_long(path: str, content: str) -> Iterator[Fault]:
    lines = content.count("\n")
    if lines > MAX_LINES:
        yield Fault(
            path, 1, "HR001", f"{lines} lines, {MAX_LINES} at most: give each noun or verb its own file"
        )


def _in_code(path: str, tree: ast.Module) -> Iterator[Fault]:
    in_store = path.startswith("src/openpim/store/")
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        if not in_store and not path.startswith(DATABASE_CONNECTORS):
            for library in _imported(node) & DATABASE_LIBRARIES:
                yield Fault(path, _line(node), "HR002", f"{library} is for src/openpim/store/")
            if node not in docstrings and SQL.match(_text(node)):
                yield Fault(path, _line(node), "HR003", "SQL belongs to src/openpim/store/")
        if isinstance(node, ast.Call) and _name(node.func) == "text" and in_store and not _literal(node):
            yield Fault(path, node.lineno, "HR004", "text() takes a literal; bind values as parameters")
        if path.startswith(WITHOUT_HTTP) and "status_code" in _names(node):
            yield Fault(path, _line(node), "HR006", "status codes belong to the faces")


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr):
                found.add(first.value)
    return found


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module.split(".")[0]}
    return set()


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.arg | ast.keyword) and node.arg:
        return {node.arg}
    return set()


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _literal(call: ast.Call) -> bool:
    return all(isinstance(argument, ast.Constant) for argument in call.args)


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))


def _index_named(path: str, content: str) -> Iterator[Fault]:
    for number, line in enumerate(content.splitlines(), start=1):
        if INDEX.search(line):
            yield Fault(path, number, "HR005", "names a package index: everyone uses his own")
        elif address := ADDRESS.search(line):
            yield Fault(path, number, "HR005", f"{address[0]}: a build reaches no address of its own choice")


def main() -> int:
    """Look at every file that git knows or would take; 1 when there is a fault."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    faults: list[Fault] = []
    for path in sorted(filter(None, listed)):
        if (path.endswith(".py") or BUILD_FILES.fullmatch(path)) and Path(path).is_file():
            faults += faults_in(path, Path(path).read_text(encoding="utf-8"))
    for fault in faults:
        print(fault)
    print(f"house rules: {len(faults)} faults" if faults else "house rules: kept")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
