"""Names in a shared table that belong to one construct each: namespaces of claims, circuit breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from constructs import IConstruct

from ._checks import Problems, is_token

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb


class _Place(NamedTuple):
    """Where a table is, as far as that is known."""

    name: str
    account: str | None
    region: str | None

    def may_be(self, other: _Place) -> bool:
        """Whether both can be one table: what is unknown of one may be what the other is."""
        known = [(self.account, other.account), (self.region, other.region)]
        return self.name == other.name and all(None in pair or pair[0] == pair[1] for pair in known)


# By identity of the app, which is kept: jsii holds its Python object weakly, and another would forget.
_TAKEN: dict[int, tuple[IConstruct, dict[str, set[tuple[str, _Place]]]]] = {}


def check_free(
    problems: Problems, scope: IConstruct, table: dynamodb.ITable, argument: str, name: str, fix: str
) -> None:
    """Refuse a name that another construct of the app has in the table. Tokens pass."""
    has = None if is_token(name) else holder(scope, problems.where, table, name)
    if has is not None:
        problems.add(argument, "be its own in a shared table", f"{name!r}, which {has} has in {table.node.path}", fix)


def holder(scope: IConstruct, where: str, table: dynamodb.ITable, name: str) -> str | None:
    """Path of another construct of the app that has the name in the table."""
    place = _place(table)
    holders = sorted(path for path, theirs in _taken(scope, name) if theirs.may_be(place))
    return next((path for path in holders if path != where), None)  # `path == where`: it was removed from the tree


def take(construct: IConstruct, table: dynamodb.ITable, name: str) -> None:
    """Remember that the construct has the name in the table."""
    _taken(construct, name).add((construct.node.path, _place(table)))


def _taken(scope: IConstruct, name: str) -> set[tuple[str, _Place]]:
    """Paths of the constructs that have the name, and where."""
    app = scope.node.root
    return _TAKEN.setdefault(id(app), (app, {}))[1].setdefault(name, set())


def _place(table: dynamodb.ITable) -> _Place:
    """The same for one table that is imported twice, by its ARN or its name, when these can be read."""
    if is_token(table.table_name):
        return _Place(f"at {table.node.path}", None, None)
    account, region = (table.env.account, table.env.region)
    if not is_token(table.table_arn):
        _, _, _, region, account, _ = table.table_arn.split(":", 5)
    return _Place(table.table_name, *(None if is_token(known) else known for known in (account, region)))
