"""Nothing is formatted into SQL: Pony evaluates `$...` in query text, so that would be code execution."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import otari_daemon
from otari_daemon.store import sql

DAEMON = Path(otari_daemon.__file__).parent
RUNS_SQL = frozenset(
    (
        "say",
        "one_row",
        "execute",
        "executemany",
        "executescript",
        "select",
        "get_by_sql",
        "select_by_sql",
        "raw_sql",
    )
)
SQL_MODULES = ("sql", "sql_postgres", "sql_copy", "sql_shared", "sql_usage")
LOOPED = {
    ("store/engines/sqlite.py", "setting"): "for setting, question, wanted in (*sql.PRAGMAS, *pragmas):",
    ("store/engines/sqlite.py", "question"): "for setting, question, wanted in (*sql.PRAGMAS, *pragmas):",
    ("store/engines/sqlite.py", "statement"): "for statement in sql.GROW_WAL:",
    ("store/migrate.py", "statement"): "for statement in revision.statements:",
}
"""Names that stand for constants one after the other, and the loop that makes them so."""


PASSED_ON = {
    ("store/engines/postgres_connection.py", "cursor.execute(text, values)"),
    ("store/engines/postgres_connection.py", "cursor.execute(text, without_nul(values))"),
    ("store/engines/postgres_connection.py", "self.execute(statement, row)"),
}
"""Where the engine's own connection passes on what it was given."""


def test_every_statement_that_is_run_is_a_constant_of_the_sql_module() -> None:
    offences = [
        f"{path.relative_to(DAEMON)}:{call.lineno}"
        for path in DAEMON.rglob("*.py")
        for call in _offences(str(path.relative_to(DAEMON)), path.read_text())
    ]

    assert offences == []


@pytest.mark.parametrize(
    "planted",
    [
        "con.execute(f'SELECT {name}')",
        "con.execute('SELECT %s' % name)",
        "con.execute('SELECT ' + name)",
        "con.execute(text)",
        "con.executemany(sql.KEYS.format(name), [])",
        "db.select(sql.KEYS + name)",
        "Key.get_by_sql('SELECT ' + name)",
        "select(k for k in Key if raw_sql(text))",
        "con.execute(sql=text)",
    ],
)
def test_the_lint_sees_a_statement_that_is_put_together(planted: str) -> None:
    assert list(_offences("store/keys.py", planted))


@pytest.mark.parametrize(
    "fine",
    ["con.execute(sql.KEYS)", "con.execute(sql.ROWS['key'], v)", "Key.select()[:]", "con.execute('BEGIN')"],
)
def test_the_lint_lets_constants_pass(fine: str) -> None:
    assert not list(_offences("store/keys.py", fine))


@pytest.mark.parametrize(
    "path", sorted(Path(sql.__file__).parent.glob("sql*.py")), ids=lambda path: path.name
)
def test_the_sql_modules_join_literals_with_literals_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        for target in [node.target]
        if isinstance(target, ast.Name)
    }

    for node in tree.body:
        if isinstance(node, ast.AnnAssign):
            assert node.value is not None
            assert all(_literal(part, names) for part in ast.walk(node.value)), ast.unparse(node)
        else:
            assert isinstance(node, ast.ImportFrom | ast.Expr), ast.unparse(node)


def test_only_the_store_imports_pony_or_a_driver() -> None:
    guilty = [
        str(path.relative_to(DAEMON))
        for path in DAEMON.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and {"pony", "sqlite3", "psycopg2"} & {name.split(".")[0] for name in _imported(node)}
        and path.relative_to(DAEMON).parts[0] != "store"
    ]

    assert guilty == []


def _offences(path: str, source: str) -> Iterator[ast.Call]:
    tree = ast.parse(source)
    loops = {ast.unparse(node).splitlines()[0] for node in ast.walk(tree) if isinstance(node, ast.For)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in RUNS_SQL and not _constant_call(path, node, loops) and not _passed_on(path, node):
            yield node


def _passed_on(path: str, call: ast.Call) -> bool:
    return (path, ast.unparse(call)) in PASSED_ON


def _constant_call(path: str, call: ast.Call, loops: set[str]) -> bool:
    if not call.args:
        return not call.keywords
    text = call.args[0]
    if isinstance(text, ast.Name):
        return LOOPED.get((path, text.id)) in loops
    if isinstance(text, ast.Subscript):
        text = text.value
    if isinstance(text, ast.Attribute) and isinstance(text.value, ast.Name):
        return text.value.id.partition("_")[0] == "sql" and text.attr.isupper()
    return isinstance(text, ast.Constant)


def _literal(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names or node.id in SQL_MODULES
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value) in SQL_MODULES and node.attr.isupper()
    allowed = (
        ast.Constant,
        ast.BinOp,
        ast.Add,
        ast.Dict,
        ast.Tuple,
        ast.Load,
        ast.UnaryOp,
        ast.USub,
        ast.Subscript,
    )
    return isinstance(node, allowed)


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
