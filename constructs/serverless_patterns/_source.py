"""A business function's source as far as the folder with the code has it: parsed, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def module_file(code: Path, module: str) -> Path | None:
    """The file of a module, or of a package, in the folder."""
    path = code.joinpath(*module.split("."))
    return next((file for file in (path.with_name(f"{path.name}.py"), path / "__init__.py") if file.is_file()), None)


def parsed(file: Path) -> ast.Module | None:
    """None for what is no Python."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None


def modules_of(code: Path) -> Iterator[str]:
    """Full names of all that the folder has."""
    for file in code.rglob("*.py"):
        path = file.relative_to(code)
        yield ".".join(path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts)


def definitions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions that the module has once it is imported: also those inside `if` and `try`."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.If):
            yield from definitions([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from definitions([*node.body, *node.orelse, *node.finalbody])


def imports(module: ast.Module, name: str, *, package: bool) -> Iterator[str]:
    """Full names of all that a module imports, of members too: nobody sees which of them are modules.

    Args:
        module: Parsed.
        name: Its own.
        package: Whether it is one, so that relative imports begin at it.
    """
    here = name.split(".") if package else name.split(".")[:-1]
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            found = ".".join([*above, *filter(None, [node.module])])
            yield found
            yield from (f"{found}.{alias.name}" if found else alias.name for alias in node.names)
