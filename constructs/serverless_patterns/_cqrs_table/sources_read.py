"""Which views a document's `build` reads, as far as its source tells: held against `sources`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._calls_in_source import first_text
from .._checks import did_you_mean
from .._source import definitions, module_file, parsed
from .surely_run import surely_run

if TYPE_CHECKING:
    from .._checks import Problems
    from ..handler import Handler

_METHODS = ("rows", "totals")


def check_sources_read(problems: Problems, build: Handler, kinds: Mapping[str, str]) -> None:
    """Refuse a `build` that surely reads what is no source, or is of another kind: each build would fail.

    Args:
        problems: Takes what is wrong.
        build: Checked.
        kinds: Of its sources, by name.
    """
    module_name, _, name = build.function.partition(":")
    file = module_file(build.code, module_name)
    module = None if file is None else parsed(file)
    function = None if module is None else _only(module, name)
    if module is None or function is None:
        return
    sources = [*function.args.posonlyargs, *function.args.args][0].arg
    told = set[str]()
    for call in _calls(function, sources):
        asked = first_text(call, "view", module)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if asked is None or asked in told or kinds.get(asked) == method:
            continue
        told.add(asked)
        where = f"{ast.unparse(call.func)}({asked!r}) in {file}:{call.lineno}"
        if asked in kinds:
            fix = f"write {sources}.{kinds[asked]}({asked!r}): it is of {kinds[asked]}"
            problems.add("build", f"read {asked!r} as what it is", where, fix)
        else:
            has = ", ".join(map(repr, sorted(kinds))) or "none"
            got = f"{has}{did_you_mean(asked, kinds)}"
            problems.add("sources", f"hold the view {asked!r} of {where}", got, "add it there")


def _only(module: ast.Module, name: str) -> ast.FunctionDef | None:
    """What the name surely is: a function that nothing decorates, and that nothing else of the module replaces."""
    named = [node for node in definitions(module.body) if node.name == name]
    function = named[-1] if named else None
    if not isinstance(function, ast.FunctionDef) or function not in module.body or function.decorator_list:
        return None
    return None if name in _bound(module.body) else function


def _calls(function: ast.FunctionDef, sources: str) -> list[ast.Call]:
    """Those of each build; none where the parameter may be another thing by then."""
    found: list[ast.Call] = []
    inner = {node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    if sources in _bound(function.body) | inner:
        return found
    for node in surely_run(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name == sources:
                if method in _METHODS:
                    found.append(node)
            case _:
                pass
    return found


def _bound(body: list[ast.stmt]) -> set[str]:
    """Names that statements give to something, but for those of functions."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    imported = {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    other = (ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
    return names | imported | {node.name for node in nodes if isinstance(node, other) and node.name}
