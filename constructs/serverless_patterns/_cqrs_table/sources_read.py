"""Which views a document's `build` reads, as far as its source tells: held against `sources`."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._calls_in_source import first_text
from .._checks import did_you_mean
from .._source import module_file, parsed

if TYPE_CHECKING:
    from .._checks import Problems
    from ..handler import Handler

_METHODS = ("rows", "totals")


def check_sources_read(problems: Problems, build: Handler, kinds: Mapping[str, str]) -> None:
    """Refuse a `build` that reads what is no source, or is of another kind: each build would fail.

    Args:
        problems: Takes what is wrong.
        build: Checked.
        kinds: Of its sources, by name.
    """
    module_name, _, name = build.function.partition(":")
    file = module_file(build.code, module_name)
    module = None if file is None else parsed(file)
    functions = [] if module is None else [node for node in module.body if isinstance(node, ast.FunctionDef)]
    told = set[str]()
    for function in functions:
        if function.name != name or module is None:
            continue
        sources = [*function.args.posonlyargs, *function.args.args][0].arg
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


def _calls(function: ast.FunctionDef, sources: str) -> list[ast.Call]:
    found: list[ast.Call] = []
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if name == sources:
                if method in _METHODS:
                    found.append(node)
            case ast.Name(id=name, ctx=ast.Store()) if name == sources:
                return []  # another thing by then
            case _:
                pass
    return found
