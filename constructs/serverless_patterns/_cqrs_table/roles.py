"""What a CqrsTable's functions take and give, read from their source: a wrong one is refused at synth."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._business_function import definition_of
from .._shapes import told
from ..handler import Handler

if TYPE_CHECKING:
    from .._checks import Problems

_OURS = ("Command", "Decision", "Effects", "Invocation", "Request", "Response", "Sources")


@dataclass(frozen=True)
class Role:
    """One way in which a function is called."""

    argument: str
    """What the user knows it as."""

    signature: str
    takes: tuple[tuple[str, ...], ...]
    """For each parameter, how it may be annotated; those of the runtime alone are looked at."""

    least: int
    gives: tuple[str, ...]
    """How its result may be annotated: names of types, without their brackets."""

    gives_text: str
    pure: bool
    """It is called again and again with the same values: nothing but these may decide what it gives."""


DECIDE = Role(
    "decide",
    "(state, command) or (state, command, invocation)",
    ((), ("Command",), ("Invocation",)),
    2,
    ("Decision",),
    "Decision",
    pure=False,
)
PROJECT = Role("project", "(state)", ((),), 1, ("list", "List", "Sequence", "Iterable"), "list[dict]", pure=True)
CONTRIBUTES = Role("contributes", "(state)", ((),), 1, ("dict", "Dict", "Mapping"), "dict[str, dict]", pure=True)
UPCAST = Role("upcast", "(state, schema)", ((), ()), 2, ("dict", "Dict", "Mapping"), "dict", pure=True)
BUILD = Role(
    "build",
    "(sources) or (sources, invocation)",
    (("Sources",), ("Invocation",)),
    1,
    ("dict", "Dict", "Mapping", "list", "List", "Sequence"),
    "dict",
    pure=False,
)


def check_role(problems: Problems, role: Role, handler: Any) -> bool:
    """Refuse what is no Handler, or whose function could not be called so. Whether it is one."""
    if not isinstance(handler, Handler):
        fix = f"our runtime calls it as {role.argument}{role.signature}: write Handler(code, 'module:function')"
        problems.add(role.argument, "be a Handler", told(handler), fix)
        return False
    function = definition_of(handler.code, handler.function)
    if function is not None and _check_parameters(problems, role, handler, function):
        _check_result(problems, role, handler, function)
    if role.pure:
        _check_pure(problems, role, handler)
    return True


def _check_parameters(problems: Problems, role: Role, handler: Handler, function: ast.FunctionDef) -> bool:
    """Whether there are as many as there have to be."""
    positional = [*function.args.posonlyargs, *function.args.args]
    if not role.least <= len(positional) <= len(role.takes):
        got = f"({', '.join(each.arg for each in positional)}) in {handler.function}"
        problems.add(f"{role.argument} function", f"take {role.signature}", got, "it is called with these values")
        return False
    for allowed, parameter in zip(role.takes, positional, strict=False):
        for name in sorted({*_names(parameter.annotation)} & {*_OURS} - {*allowed}):
            got = f"{parameter.arg}: {name} in {handler.function}"
            fix = "correct the parameter, or its annotation"
            problems.add(f"{role.argument} function", f"take {role.signature}", got, fix)
    return True


def _check_result(problems: Problems, role: Role, handler: Handler, function: ast.FunctionDef) -> None:
    named = _outermost(function.returns)
    if named and not {*named} <= {*role.gives, "None"}:
        got = f"-> {ast.unparse(function.returns) if function.returns else ''} of {handler.function}"
        fix = {
            "Effects": "what it writes is its result: a CqrsTable's functions have no effects of their own",
        }.get(named[0], "correct what it returns, or its annotation")
        problems.add(f"{role.argument} function", f"return {role.gives_text}", got, fix)


def _check_pure(problems: Problems, role: Role, handler: Handler) -> None:
    for argument in ("tables", "secrets", "parameters", "grants"):
        if getattr(handler, argument):
            fix = "it is a pure function of one state, which a rebuild calls for every aggregate: keep it in the state"
            problems.add(f"{role.argument} {argument}", "be left out", "a value", fix)


def _outermost(annotation: ast.expr | None) -> Sequence[str]:
    """Names of the types of an annotation, without what is in brackets; none for what cannot be read."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.Constant(value=None):
            return ["None"]
        case ast.Constant(value=str(text)):
            try:
                return _outermost(ast.parse(text, mode="eval").body)
            except SyntaxError:
                return []
        case ast.Subscript(value=outer, slice=inner):
            name = _outermost(outer)
            return _outermost(inner) if name in (["Optional"], ["Annotated"]) else name
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*_outermost(left), *_outermost(right)]
        case _:
            return []


def _names(annotation: ast.expr | None) -> Iterator[str]:
    if annotation is None:
        return
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
