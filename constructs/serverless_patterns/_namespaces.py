"""Names in a shared table that belong to one construct each: namespaces of claims, circuit breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import IConstruct

from ._checks import Problems, is_token

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb

# By identity of the app, which is kept: jsii holds its Python object weakly, and another would forget.
_TAKEN: dict[int, tuple[IConstruct, dict[tuple[str, str], str]]] = {}


def check_free(
    problems: Problems, scope: IConstruct, table: dynamodb.ITable, argument: str, name: str, fix: str
) -> None:
    """Refuse a name that another construct of the app has in the table. Tokens pass."""
    has, where = _taken(scope).get((_name(table), name)), problems.where
    if has is not None and has != where and not is_token(name):  # `has == where`: it was removed from the tree
        problems.add(argument, "be its own in a shared table", f"{name!r}, which {has} has in {table.node.path}", fix)


def take(construct: IConstruct, table: dynamodb.ITable, name: str) -> None:
    """Remember that the construct has the name in the table."""
    _taken(construct)[_name(table), name] = construct.node.path


def _taken(scope: IConstruct) -> dict[tuple[str, str], str]:
    app = scope.node.root
    return _TAKEN.setdefault(id(app), (app, {}))[1]


def _name(table: dynamodb.ITable) -> str:
    """The same for one table that is imported twice, when its ARN can be read."""
    return table.node.path if is_token(table.table_arn) else table.table_arn
