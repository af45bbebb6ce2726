"""Which commands a `decide` knows, as far as its source tells: held against `commands`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aws_cdk import Validations

from .._business_function import definition_of
from .._checks import did_you_mean
from .refusing import is_name_of, refuses_others

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from ..handler import Handler


def warn_of_commands(construct: Construct, decide: Handler, commands: Sequence[str]) -> None:
    """Warn of names that only one of both has: where each such command is refused, by us or visibly by `decide`."""
    function = definition_of(decide.code, decide.function)
    known = None if function is None else commands_known(function)
    if function is None or known is None or not commands:
        return
    unknown = [name for name in commands if name not in known]
    if unknown and refuses_others(function, _command_of(function)):
        for name in unknown:
            near = did_you_mean(name, known - {*commands})
            text = f"commands has {name!r}, and {decide} compares command.name with {_listed(known)} alone{near}"
            _warn(construct, f"{text}: it would refuse each such command")
    for name in sorted(known - {*commands}):
        text = f"{decide} knows the command {name!r}, and commands has {_listed(commands)} alone"
        _warn(construct, f"{text}: each such command is answered 400 before it; add it, or take it out there")


def commands_known(function: ast.FunctionDef) -> set[str] | None:
    """Texts that the name of the second parameter is compared with; None where it goes elsewhere, or to no text."""
    name = _command_of(function)
    told = {id(node) for node in _raised(function)}  # an error's words may say which command it was
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name]
    attributes = [node for node in ast.walk(function) if _is_of(node, name)]
    if len(uses) != len(attributes):  # it is given to somebody else, or is another thing by then
        return None
    known, compared = set[str](), set[int]()
    for subject, texts in _comparisons(function):
        if not is_name_of(subject, name):
            continue
        compared.add(id(subject))
        if texts is None:
            return None
        known |= texts
    others = [node for node in attributes if is_name_of(node, name) and id(node) not in compared | told]
    return known if known and not others else None


def _command_of(function: ast.FunctionDef) -> str:
    """Of a checked `decide`, which takes two or more."""
    return [*function.args.posonlyargs, *function.args.args][1].arg


def _comparisons(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, set[str] | None]]:
    """What is compared, and with which texts; None: with something else too."""
    for node in ast.walk(function):
        match node:
            case ast.Match(subject=subject, cases=cases):
                yield subject, _united([_of_pattern(case.pattern, case.body) for case in cases])
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=str(text))]):
                yield left, {text}
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[texts]):
                listed = texts.elts if isinstance(texts, ast.Tuple | ast.List | ast.Set) else None
                yield left, None if listed is None else _united([_text(each) for each in listed])
            case _:
                pass


def _of_pattern(pattern: ast.pattern, body: list[ast.stmt]) -> set[str] | None:
    match pattern:
        case ast.MatchValue(value=value):
            return _text(value)
        case ast.MatchOr(patterns=patterns):
            return _united([_of_pattern(each, body) for each in patterns])
        case ast.MatchAs(pattern=None, name=name) if name is None or isinstance(body[0], ast.Raise):
            return set()
        case _:
            return None


def _text(node: ast.expr) -> set[str] | None:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _united(found: list[set[str] | None]) -> set[str] | None:
    texts = [each for each in found if each is not None]
    return set[str]().union(*texts) if len(texts) == len(found) else None


def _raised(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        if isinstance(node, ast.Raise):
            yield from ast.walk(node)


def _is_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _listed(names: set[str] | Sequence[str]) -> str:
    return ", ".join(map(repr, sorted(names)))


def _warn(construct: Construct, text: str) -> None:
    Validations.of(construct).add_warning("serverless-patterns:unknown-command", text)
