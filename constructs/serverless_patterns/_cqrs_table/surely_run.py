"""Expressions of a function that each of its calls evaluates, as far as its source tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def surely_run(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """All that stands behind no condition, in no loop, no `try` or `with`, and before what may end the function."""
    for statement in function.body:
        yield from _of_statement(statement)
        if any(isinstance(node, _ENDS) for node in ast.walk(statement)):
            return


def _of_statement(statement: ast.stmt) -> Iterator[ast.expr]:
    match statement:
        case ast.If(test=first) | ast.While(test=first) | ast.For(iter=first) | ast.Match(subject=first):
            yield from _of_expression(first)
        case ast.Return() | ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            if statement.value is not None:
                yield from _of_expression(statement.value)
        case _:
            pass


def _of_expression(expression: ast.expr) -> Iterator[ast.expr]:
    yield expression
    match expression:
        case ast.IfExp(test=first) | ast.BoolOp(values=[first, *_]):
            yield from _of_expression(first)
        case ast.Compare(left=left, comparators=[right, *_]):
            yield from _of_expression(left)
            yield from _of_expression(right)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _of_expression(expression.generators[0].iter)
        case _ if isinstance(expression, _SCOPES):
            pass
        case _:
            yield from _within(expression)


def _within(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _of_expression(child)
        else:  # a keyword of a call, for one
            yield from _within(child)
