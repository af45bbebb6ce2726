"""Whether a `decide` visibly refuses each command whose name it does not know."""

from __future__ import annotations

import ast
from enum import Enum, auto


class _End(Enum):
    """How a statement may end, for a name that no text matches; in doubt as more than one of them."""

    ON = auto()
    RAISED = auto()
    OTHER = auto()
    """It returns, or nobody sees what it does."""


_NOBODY_SEES = {_End.ON, _End.RAISED, _End.OTHER}


def refuses_others(function: ast.FunctionDef, command: str) -> bool:
    """Whether every way through it raises, with a name that it compares with nothing.

    Args:
        function: A `decide`.
        command: Its second parameter.
    """
    return not function.decorator_list and _block(function.body, command) == {_End.RAISED}


def is_name_of(node: ast.AST, command: str) -> bool:
    """Whether this is `command.name`."""
    match node:
        case ast.Attribute(value=ast.Name(id=found), attr="name"):
            return found == command
        case _:
            return False


def _block(body: list[ast.stmt], command: str) -> set[_End]:
    ends = {_End.ON}
    for statement in body:
        if _End.ON not in ends:
            break
        ends = (ends - {_End.ON}) | _ends(statement, command)
    return ends


def _ends(statement: ast.stmt, command: str) -> set[_End]:
    match statement:
        case ast.Raise():
            return {_End.RAISED}
        case ast.Return():
            return {_End.OTHER}
        case ast.If(test=test, body=body, orelse=orelse):
            true = _truth(test, command)
            taken = [body] * (true is not False) + [orelse] * (true is not True)
            return set[_End]().union(*(_block(each, command) for each in taken))
        case ast.Match(subject=subject, cases=cases):
            return _cases(cases, command, of_name=is_name_of(subject, command))
        case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith() | ast.Try() | ast.TryStar():
            return _NOBODY_SEES
        case ast.Break() | ast.Continue():
            return _NOBODY_SEES
        case _:
            return {_End.ON}


def _cases(cases: list[ast.match_case], command: str, *, of_name: bool) -> set[_End]:
    ends = set[_End]()
    for case in cases:
        if of_name and _is_text(case.pattern):
            continue
        true = True if case.guard is None else _truth(case.guard, command)
        if true is False:
            continue
        ends |= _block(case.body, command)
        if true and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None:
            return ends
    return ends | {_End.ON}


def _is_text(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchValue(value=ast.Constant(value=str())):
            return True
        case ast.MatchOr(patterns=patterns):
            return all(map(_is_text, patterns))
        case _:
            return False


def _truth(test: ast.expr, command: str) -> bool | None:
    """None: who knows."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.In()]) if is_name_of(left, command):
            return False
        case ast.Compare(left=left, ops=[ast.NotEq() | ast.NotIn()]) if is_name_of(left, command):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            true = _truth(operand, command)
            return None if true is None else not true
        case ast.BoolOp(op=op, values=values):
            decides = isinstance(op, ast.Or)  # one such value is enough
            found = [_truth(value, command) for value in values]
            if decides in found:
                return decides
            return None if None in found else not decides
        case _:
            return None
