"""Views and totals of a table, as their user has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from constructs import Construct

from serverless_patterns_runtime.cqrs_queries.contract import MAX_WAIT_SECONDS

from .._checks import Problems, seconds
from .._grantee import check_grantee
from .doors import query_door
from .names import check_variable
from .reading import Readable

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_secretsmanager as secretsmanager

    from .projection import Projection
    from .projector import Projector
    from .route_targets import Door
    from .seen import Seen
    from .write_model import WriteModel

_MAX_WAIT = Duration.seconds(10)


class CqrsView(Construct):
    """A view of a `CqrsTable`, or totals over it: made by `view` and `totals`, and passed to `document`.

    Attributes:
        name: Its own among views, totals and documents.
        projector_function: Fills it.
        rebuild_function: Fills it anew.
    """

    def __init__(
        self,
        scope: Construct,
        seen: Seen,
        model: WriteModel,
        projection: Projection,
        secret: Callable[[], secretsmanager.ISecret],
        key: kms.IKey | None,
        readables: dict[str, Readable],
    ) -> None:
        super().__init__(scope, f"View{seen.name}")
        self.name = seen.name
        self._table = None if seen.sink is not None else cast("dynamodb.ITable", seen.define_table(self, key))
        self._id, self._model, self._secret = scope.node.id, model, secret
        if self._table is not None:
            control = cast("dynamodb.ITable", projection.control_table)
            readables[seen.name] = Readable(seen, self._table, control)
        self._readables = readables
        self._projector: Projector = projection.add_view(seen, self._table)
        self._doors: dict[int, Door] = {}
        if seen.sink is not None:
            seen.sink.warn(self)

    @property
    def table(self) -> dynamodb.ITable:
        """Where its rows are; the page says in which shape. ValueError: they are in another store."""
        return self._readable("table").table

    @property
    def projector_function(self) -> lambda_.IFunction:
        """Shared by all views that run alike."""
        return cast("lambda_.IFunction", self._projector.function)

    @property
    def rebuild_function(self) -> lambda_.IFunction:
        """Likewise."""
        return cast("lambda_.IFunction", self._projector.rebuild_function)

    def query(self, *, max_wait: Duration = _MAX_WAIT) -> Door:
        """For a `Route`: `Route("GET /customers/{customer_id}/orders", by_customer.query())`.

        Args:
            max_wait: How long a request with `min_version` waits for the view: up to 20 seconds, and less than the
                API's time-out.

        Raises:
            ValueError: for another time, and for rows in another store than DynamoDB.
        """
        problems = Problems(f"{self.node.path}.query")
        problems.duration("max_wait", max_wait, 0, MAX_WAIT_SECONDS, "then the caller is told to ask again")
        if seconds(max_wait) is None and not problems.have("max_wait"):
            problems.add("max_wait", "be known at synth", "a token", "write its number")
        problems.raise_any()
        readable = self._readable("query()")
        wait = seconds(max_wait) or 0
        if wait not in self._doors:  # the same one twice is one function
            known_as = f"{self._id} {self.name}" + ("" if max_wait is _MAX_WAIT else f" within {wait}")
            self._doors[wait] = query_door(known_as, self._model, readable, self._secret(), wait)
        return self._doors[wait]

    def reader(self, name: str) -> Callable[[lambda_.Function], object]:
        """For `Handler(grants=[by_customer.reader("BY_CUSTOMER")])`: then `read_view("BY_CUSTOMER")` may, and knows.

        Raises:
            ValueError: for a name that no variable can have, and for rows in another store than DynamoDB.
        """
        problems = Problems(f"{self.node.path}.reader")
        check_variable(problems, name)
        problems.raise_any()
        return self._readable(f"reader({name!r})").as_grant(name)

    def grant_query(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading the view's table, and which generation of it is read."""
        check_grantee(self, "grant_query", grantee)
        return self._readable("grant_query()").grant(grantee)

    def _readable(self, asked: str) -> Readable:
        if self.name not in self._readables:
            raise ValueError(f"{self.node.path}.{asked}: its rows are in the store of its sink: read them there")
        return self._readables[self.name]
