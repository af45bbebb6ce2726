"""Which tables a business function's `Effects` name, as far as its source tells, and whether it has them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from ._checks import Problems, did_you_mean
from ._source import module_file, parsed

_WRITES = ("Put", "Update", "Delete", "Check")
_OURS = "serverless_patterns_runtime"


def check_tables(code: Path, reference: str, tables: Iterable[str], problems: Problems) -> None:
    """Refuse a write to a table that the function does not have: it would fail whenever it is reached.

    Args:
        code: Folder with the function.
        reference: `module:function`, checked, annotated `-> Effects`.
        tables: Logical names of the tables that it has.
        problems: Takes what is wrong.
    """
    module_name, _, name = reference.partition(":")
    file = module_file(code, module_name)
    module = None if file is None else parsed(file)
    if file is None or module is None:
        return
    had, told = sorted(tables), set[str]()
    # Another Handler of other tables may share what it calls.
    for call in _writes(module, name, called_too=not had):
        table = _table(call, module)
        if (table is None and had) or table in had or str(table) in told:
            continue
        told.add(str(table))
        what = "the table that it writes to" if table is None else repr(table)
        got = f"{', '.join(map(repr, had)) or 'none'}{did_you_mean(table or '', had)}"
        fix = f"pass tables={{{'...' if table is None else repr(table)}: table}}, or no write of it is ever committed"
        problems.add("tables", f"hold {what} of {ast.unparse(call.func)}(...) in {file}:{call.lineno}", got, fix)


def _writes(module: ast.Module, name: str, *, called_too: bool) -> Iterator[ast.Call]:
    """In a function, and in those of its module that it calls, if these are asked for."""
    ours = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _OURS
        for alias in node.names
        if alias.name in _WRITES
    }
    functions = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    waiting, seen = [name], set[str]()
    while waiting:
        function = waiting.pop()
        if function in seen or function not in functions:
            continue
        seen.add(function)
        for node in ast.walk(functions[function]):
            match node:
                case ast.Call(func=ast.Name(id=called)) if called in ours:
                    yield node
                case ast.Call(func=ast.Attribute(value=ast.Name(id=package), attr=called)):
                    if package == _OURS and called in _WRITES:
                        yield node
                case ast.Call(func=ast.Name(id=called)) if called_too:
                    waiting.append(called)
                case _:
                    pass


def _table(call: ast.Call, module: ast.Module) -> str | None:
    """As a text, or by the name of the one text that it ever is; None for what only the running function knows."""
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "table"), None)
    match call.args[0] if call.args and given is None else given:
        case ast.Constant(value=str(table)):
            return table
        case ast.Name(id=name):
            return _text(name, module)
        case _:
            return None


def _text(name: str, module: ast.Module) -> str | None:
    bound, texts = 0, list[str]()
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=str(text))) if found == name:
                texts.append(text)
            case ast.Name(id=found, ctx=ast.Store()) | ast.arg(arg=found) | ast.MatchAs(name=found) if found == name:
                bound += 1
            case ast.alias(name=given, asname=other) if name == (other or given):
                bound += 1
            case _:
                pass
    return texts[0] if texts and bound == 1 else None
