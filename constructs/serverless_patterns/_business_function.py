"""A business function as its source tells: found and checked by parsing, never by importing it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ._checks import Problems, did_you_mean
from ._source import definitions, module_file, modules_of, parsed

_OURS = "serverless_patterns_runtime"
_SIGNATURE = "(payload) or (payload, invocation)"
_OF_DECIDE = "(state, command) or (state, command, invocation)"


def returns_effects(code: Path, reference: str, problems: Problems) -> bool:
    """Whether the function is annotated `-> Effects`. What is wrong with it goes to `problems`.

    Args:
        code: Absolute path of an existing folder.
        reference: `module:function`, importable from the root of that folder.
        problems: Takes what is wrong.
    """
    module_name, _, name = reference.partition(":") if isinstance(reference, str) else ("", "", "")  # pyright: ignore[reportUnnecessaryIsInstance]
    if not all(part.isidentifier() for part in [*module_name.split("."), name]):
        problems.add("function", "be 'module:function'", repr(reference), "for example 'orders:fulfil'")
        return False
    file = module_file(code, module_name)
    if file is None:
        near = did_you_mean(module_name, modules_of(code))
        problems.add("function", f"name a module in {code}", f"{module_name!r}{near}", f"add {module_name}.py there")
        return False
    try:
        module = ast.parse(file.read_bytes(), filename=str(file))
    except (SyntaxError, ValueError) as error:
        problems.add("function", f"be in valid Python ({file})", str(error), "mend the file")
        return False
    _check_imports(module, code, file, problems)
    return _check(module, file, name, problems)


def takes_request(code: Path, reference: str) -> bool:
    """Whether a checked function is annotated to take the `Request` of an API, and nothing else."""
    return payload_class(code, reference) == "Request"


def payload_class(code: Path, reference: str) -> str | None:
    """Name of the runtime's class that a checked function is annotated to take, and nothing else; `None`: of none."""
    module_name, _, name = reference.partition(":")
    file = module_file(code, module_name)
    if file is None:
        return None  # a function of ours
    module = ast.parse(file.read_bytes())
    arguments = {node.name: node.args for node in definitions(module.body)}[name]
    annotation = [*arguments.posonlyargs, *arguments.args][0].annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return None
    match annotation:
        case ast.Name(id=found):
            return {
                alias.asname or alias.name: alias.name
                for node in ast.walk(module)
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OURS)
                for alias in node.names
            }.get(found)
        case ast.Attribute(value=ast.Name(id=package), attr=found):
            imported = (alias for node in ast.walk(module) if isinstance(node, ast.Import) for alias in node.names)
            return found if any((it.asname or it.name) == package and it.name == _OURS for it in imported) else None
        case _:
            return None


def definition_of(code: Path, reference: str) -> ast.FunctionDef | None:
    """A checked function, as its source has it."""
    module_name, _, name = reference.partition(":")
    file = module_file(code, module_name)
    module = None if file is None else parsed(file)
    found = {} if module is None else {node.name: node for node in definitions(module.body)}
    function = found.get(name)
    return function if isinstance(function, ast.FunctionDef) else None


def _check_imports(module: ast.Module, code: Path, file: Path, problems: Problems) -> None:
    """The folder is the root of the deployed code: its own name is known to tests beside it, and not to Lambda."""
    own_name = code.name
    if (code / own_name).exists() or (code / f"{own_name}.py").exists():
        return
    for found, line in _absolute_imports(module):
        if found.split(".")[0] == own_name:
            fix = "leave the folder's name out and put the folder on the path of your tests, or pass its parent as code"
            problems.add("function", f"import from inside {code}", f"{found!r} ({file}:{line})", fix)


def _absolute_imports(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)


def _check(module: ast.Module, file: Path, name: str, problems: Problems) -> bool:
    defined = {node.name: node for node in definitions(module.body)}
    function = defined.get(name)
    if function is None:
        near = did_you_mean(name, defined)
        fix = f"define it there: def {name}(payload, invocation): ..."
        problems.add("function", f"be a function defined at the top of {file}", f"{name!r}{near}", fix)
        return False
    where = f"{name} ({file}:{function.lineno})"
    if isinstance(function, ast.AsyncFunctionDef):
        problems.add("function", "be an ordinary function", f"async {where}", f"write def {name}, without async")
    elif any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function)):
        problems.add(
            "function", "be an ordinary function", f"the generator {where}", "return one result, without yield"
        )
    _check_arguments(function, where, problems)
    names = _names_of_effects(module)
    annotated = function.returns is not None and _is_effects(function.returns, names)
    if not annotated and any(_returns_effects(node, names) for node in _own_nodes(function)):
        fix = f"write def {name}(...) -> Effects: without it nothing that it returns is committed"
        problems.add("function", "be annotated '-> Effects' where it returns Effects(...)", where, fix)
    return annotated


def _returns_effects(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.Return(value=ast.Call(func=called)):
            return _is_effects(called, names)
        case _:
            return False


def _check_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, where: str, problems: Problems) -> None:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    most = 3 if len(positional) > 1 and _takes_command(positional[1]) else 2  # a CqrsTable's: state, command
    if not 1 <= len(positional) <= most or arguments.vararg:
        names = [argument.arg for argument in positional] + ([f"*{arguments.vararg.arg}"] if arguments.vararg else [])
        got = f"({', '.join(names)}) in {where}"
        decides = len(positional) > 1 and _takes_command(positional[1])
        called = "a decide is called with two or three" if decides else "a business function is called with one or two"
        problems.add("function", f"take {_OF_DECIDE if decides else _SIGNATURE}", got, f"{called} values")
    required = [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    if required:
        got = f"keyword-only {', '.join(required)} in {where}"
        problems.add("function", f"take {_SIGNATURE}", got, "give it a default")


def _takes_command(argument: ast.arg) -> bool:
    match argument.annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name == "Command"
        case _:
            return argument.arg == "command"


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _own_nodes(child)


def _names_of_effects(module: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(module) if isinstance(node, ast.ImportFrom)]
    return {"Effects"} | {
        alias.asname for node in imports for alias in node.names if alias.name == "Effects" and alias.asname
    }


def _is_effects(annotation: ast.expr, names: set[str]) -> bool:
    match annotation:
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name):
            return name == "Effects"
        case ast.Constant(value=str(text)):
            try:
                return _is_effects(ast.parse(text, mode="eval").body, names)
            except SyntaxError:
                return False
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_effects(left, names) or _is_effects(right, names)
        case ast.Subscript(value=ast.Name(id=outer) | ast.Attribute(attr=outer), slice=inner):
            if outer not in ("Optional", "Union", "Annotated"):
                return False
            members = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return any(_is_effects(member, names) for member in members)
        case _:
            return False
