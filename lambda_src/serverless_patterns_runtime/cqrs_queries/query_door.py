"""The route that answers from a view: a page of the rows of one partition, or the total of one group."""

import os
import random
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_queries import contract
from serverless_patterns_runtime.cqrs_queries.as_json import as_json
from serverless_patterns_runtime.cqrs_queries.asking import (
    FROM,
    PREFIX,
    TO,
    SortKind,
    UnusableQuery,
    limit_of,
    number,
    partition_of,
    sort_range,
)
from serverless_patterns_runtime.cqrs_queries.newness import MinVersion, Newness, Patience, shows
from serverless_patterns_runtime.cqrs_queries.pages import Looked, Pages, Query
from serverless_patterns_runtime.cqrs_queries.pointer import Pointer
from serverless_patterns_runtime.cqrs_queries.reading import Rows
from serverless_patterns_runtime.cqrs_queries.signing_keys import SigningKeys
from serverless_patterns_runtime.cqrs_queries.tokens import Tokens
from serverless_patterns_runtime.cqrs_queries.totals_reading import Totals
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.contract import ViewTold
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.stores import store_of
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.views import View
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import NotNow
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response

__all__ = ["Door", "answer_query"]

LIMIT, CURSOR, ORDER, MIN_VERSION = "limit", "cursor", "order", "min_version"
_OF_ROWS = (LIMIT, CURSOR, ORDER, MIN_VERSION)
_OF_SORTED = (*_OF_ROWS, FROM, TO, PREFIX)
_OF_TOTALS = (MIN_VERSION,)
_ORDERS = {"asc": False, "desc": True}


def answer_query(request: Request, invocation: Invocation) -> Response:
    """200 with `{"rows": [...], "cursor": ...}`, or with the group's total.

    400 for a parameter that there is not, 410 for a cursor of a view that was rebuilt too long ago, 503 with
    `Retry-After` before the view's first build is done, and while it does not show `min_version`.
    """
    return _door().answer(request, invocation)


class Door(NamedTuple):
    told: ViewTold
    pointer: Pointer
    pages: Pages
    totals: Totals
    newness: Newness
    patience: Patience

    def answer(self, request: Request, invocation: Invocation) -> Response:
        """The same over any tables. Raises UnusableQuery, UnusableCursor, GenerationGone, NotNow, ClientError."""
        try:
            if self.told["kind"] == "totals":
                return Response(200, as_json(self._total(request, invocation)))
            looked = self._page(request, invocation)
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise NotNow("the view takes no more requests just now") from error
            raise
        return Response(200, {"rows": [as_json(row.row) for row in looked.found.rows], "cursor": looked.cursor})

    def _page(self, request: Request, invocation: Invocation) -> Looked:
        query, remaining = self._query(request), invocation.remaining
        asked = _min_version(request)
        if asked is None:
            return self.pages.look(query, remaining)
        expected = self.newness.rows(self.newness.aggregate(asked, invocation), invocation)

        def look() -> Looked | None:
            looked = self.pages.look(query, remaining, newest=True)
            return looked if shows(looked, query, asked, expected) else None

        return self.patience.until(look, remaining)

    def _query(self, request: Request) -> Query:
        kind: SortKind = self.told.get("sk_type", "S") if "sk" in self.told else ""
        given = _given(request, _OF_SORTED if kind else _OF_ROWS)
        partition = partition_of(request.params[self.told["pk"]])
        order = given.get(ORDER, "asc")
        if order not in _ORDERS:
            raise UnusableQuery("order is asc or desc")
        said = {name: given[name] for name in (FROM, TO, PREFIX) if name in given}
        if kind == "N":
            said = {name: text if name == PREFIX else number(text, name) for name, text in said.items()}
        between = sort_range(said or None, kind)
        return Query(partition or "", between, _limit(given), given.get(CURSOR), _ORDERS[order])

    def _total(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        _given(request, _OF_TOTALS)
        name = self.told["pk"]
        group = partition_of(request.params[name])
        asked = _min_version(request)
        read = partial(self._measures, group)
        measures = read(self.pointer.read().live) if asked is None else self._new_total(asked, invocation, read)
        return {name: request.params[name], **measures}

    def _new_total(self, asked: MinVersion, invocation: Invocation, read: Callable[[int], Any]) -> Any:
        expected = self.newness.amounts(self.newness.aggregate(asked, invocation), invocation)

        def look() -> Any:
            generation = self.pointer.read(fresh=True).live
            known = self.totals.contribution(generation, asked.key)
            # First this, then the sum: both were written in one transaction.
            return read(generation) if known.version >= asked.version or known.amounts == expected else None

        return self.patience.until(look, invocation.remaining)

    def _measures(self, group: str | None, generation: int) -> Any:
        return {} if group is None else self.totals.of(generation, group)


def _given(request: Request, known: Sequence[str]) -> dict[str, Any]:
    """Each once, not empty, and no other. Raises UnusableQuery."""
    given: dict[str, Any] = {}
    for name in request.query:
        values = request.query.all(name)
        if name not in known:
            raise UnusableQuery(f"the query string has a parameter that there is not; there are {', '.join(known)}")
        if len(values) != 1 or values[0] == "" or isinstance(values[0], list):
            raise UnusableQuery(f"{name} comes once, and is not empty")
        given[name] = values[0] if name == LIMIT else str(values[0])
    return given


def _limit(given: dict[str, Any]) -> int:
    said = given.get(LIMIT, contract.DEFAULT_LIMIT)
    if isinstance(said, str):  # the route has no schema for it
        said = int(said) if said.isascii() and said.isdigit() and len(said) <= 4 else None
    return limit_of(said)


def _min_version(request: Request) -> MinVersion | None:
    said = request.query.get(MIN_VERSION)
    return None if said is None else MinVersion.parse(str(said))


@cache
def _door() -> Door:
    env = environment.read(contract.Env)
    told = cast("ViewTold", unpacked(env.QUERY_VIEW)["view"])
    dynamodb = client("dynamodb")
    keys = SigningKeys(lambda: client("secretsmanager"), env.QUERY_SECRET_ARN, time.time)
    store = store_of(env.QUERY_TABLE_NAME, told["kind"], told["pk"], told.get("sk"))
    pointer = Pointer(dynamodb, env.QUERY_CONTROL_TABLE_NAME, told["name"], store, time.time)
    rows = Rows(dynamodb, env.QUERY_TABLE_NAME, "sk" in told)
    call = BusinessFunction.load(told["call"], returns_effects=False).call
    sink = DynamoDbSink(dynamodb, env.QUERY_TABLE_NAME, "sk" in told, Together())
    return Door(
        told,
        pointer,
        Pages(told["name"], rows, pointer, Tokens(keys.known, keys.newest, time.time)),
        Totals(dynamodb, env.QUERY_TABLE_NAME),
        Newness(WriteModel.from_environment(), View.of(told, call, sink)),
        Patience(float(env.QUERY_WAIT_SECONDS), time.time, time.sleep, random.SystemRandom()),
    )


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _door()  # at init, which Lambda runs with more CPU
    client("secretsmanager")
