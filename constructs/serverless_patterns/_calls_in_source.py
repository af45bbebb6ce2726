"""Calls of the runtime's names that a business function makes, as far as its source tells."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

_OURS = "serverless_patterns_runtime"


def calls(module: ast.Module, function: str, wanted: Collection[str], *, called_too: bool) -> Iterator[ast.Call]:
    """In a function, and in those of its module that it calls, if these are asked for.

    Args:
        module: Parsed.
        function: Its name.
        wanted: What the runtime calls them.
        called_too: Whether to look into what it calls.
    """
    ours = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == _OURS
        for alias in node.names
        if alias.name in wanted
    }
    functions = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    waiting, seen = [function], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in ast.walk(functions[name]):
            match node:
                case ast.Call(func=ast.Name(id=called)) if called in ours:
                    yield node
                case ast.Call(func=ast.Attribute(value=ast.Name(id=package), attr=called)):
                    if package == _OURS and called in wanted:
                        yield node
                case ast.Call(func=ast.Name(id=called)) if called_too:
                    waiting.append(called)
                case _:
                    pass


def first_text(call: ast.Call, parameter: str, module: ast.Module) -> str | None:
    """The first argument: as a text, or by the name of the one text that it ever is.

    Args:
        call: Of a function.
        parameter: Its first one's name.
        module: Where the call is.

    Returns:
        None for what only the running function knows.
    """
    given = next((keyword.value for keyword in call.keywords if keyword.arg == parameter), None)
    match call.args[0] if call.args and given is None else given:
        case ast.Constant(value=str(text)):
            return text
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
