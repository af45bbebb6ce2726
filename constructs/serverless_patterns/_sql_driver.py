"""A user's function that connects to a database: found and checked by parsing, never by importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from serverless_patterns_runtime.cqrs_sql.contract import DRIVER_ARGUMENTS

from ._checks import did_you_mean
from ._source import definitions, module_file, modules_of, parsed

if TYPE_CHECKING:
    from ._checks import Problems

_ARGUMENT = "sink driver"
_CALLED_WITH = ", ".join(DRIVER_ARGUMENTS)


def check_driver(problems: Problems, code: Path, reference: str) -> None:
    """Refuse a function that is not there, or that cannot be called as the runtime calls it.

    Args:
        problems: Takes what is wrong.
        code: The functions' folder.
        reference: `module:function`.
    """
    module_name, _, name = reference.partition(":")
    file = module_file(code, module_name)
    module = None if file is None else parsed(file)
    if file is None:
        got = f"{module_name!r}{did_you_mean(module_name, modules_of(code))}"
        problems.add(_ARGUMENT, f"name a module in {code}", got, f"add {module_name}.py there")
    elif module is None:
        problems.add(_ARGUMENT, "be in valid Python", str(file), "mend the file")
    else:
        _check_function(problems, module, file, name)


def _check_function(problems: Problems, module: ast.Module, file: Path, name: str) -> None:
    defined = {node.name: node for node in definitions(module.body)}
    function = defined.get(name)
    if function is None:
        if name not in _bound(module):  # imported, or made by another function: nobody sees what it takes
            got = f"{name!r}{did_you_mean(name, defined)}"
            fix = f"define it there: def {name}({_CALLED_WITH}): ..."
            problems.add(_ARGUMENT, f"be a function defined at the top of {file}", got, fix)
        return
    where = f"{name} ({file}:{function.lineno})"
    if isinstance(function, ast.AsyncFunctionDef):
        problems.add(_ARGUMENT, "be an ordinary function", f"async {where}", "return a DB-API connection")
    if wrong := [*_wrong(function.args)]:
        got = f"{'; '.join(wrong)} in {where}"
        fix = f"it is called with these by name: def {name}({_CALLED_WITH}): ..."
        problems.add(_ARGUMENT, f"take {_CALLED_WITH}", got, fix)


def _wrong(arguments: ast.arguments) -> Iterator[str]:
    named = [*arguments.args, *arguments.kwonlyargs]
    taken = {argument.arg for argument in named}
    if arguments.kwarg is None and (missing := [name for name in DRIVER_ARGUMENTS if name not in taken]):
        yield f"no {', '.join(missing)}"
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    required += [
        one for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    by_place = {argument.arg for argument in arguments.posonlyargs}
    if more := [one.arg for one in required if one.arg in by_place or one.arg not in DRIVER_ARGUMENTS]:
        yield f"{', '.join(more)}, which nobody gives by name"


def _bound(module: ast.Module) -> set[str]:
    """Names that the module has otherwise: by an import, or an assignment."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    stored = {node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return imported | stored
