"""What the tests of CqrsTable share: orders with a view, totals and a document."""

from typing import Any

from aws_cdk import Stack

from serverless_patterns import ApiProxy, CqrsTable, Handler, IamAuthorizer, Route
from tests.template.stacks import HANDLERS


def a_function(function: str = "decide", **arguments: Any) -> Handler:
    return Handler(HANDLERS, f"shopping:{function}", **arguments)


def orders(stack: Stack, id: str = "Orders", **arguments: Any) -> CqrsTable:
    return CqrsTable(stack, id, **{"key": "order_id", "decide": a_function(), "commands": ["place"], **arguments})


def by_customer(table: CqrsTable, name: str = "ByCustomer", **arguments: Any) -> Any:
    given = {"project": a_function("by_customer"), "partition_key": "customer_id", "sort_key": "order_id"}
    return table.view(name, **{**given, **arguments})


def revenue(table: CqrsTable, name: str = "Revenue", **arguments: Any) -> Any:
    return table.totals(name, **{"contributes": a_function("revenue"), "group": "product_id", **arguments})


def sales(table: CqrsTable, name: str = "Sales", **arguments: Any) -> Any:
    return table.document(name, **{"sources": [*table.views.values()], "build": a_function("sales"), **arguments})


def everything(stack: Stack, **arguments: Any) -> CqrsTable:
    """A table with a view, totals, a document, and routes to all of it."""
    table = orders(stack, **arguments)
    view, totals = by_customer(table), revenue(table)
    routes = [
        Route("POST /orders", table.command("place")),
        Route("GET /orders/{order_id}", table.get()),
        Route("GET /customers/{customer_id}/orders", view.query()),
        Route("GET /revenue/{product_id}", totals.query()),
        Route("GET /sales", sales(table).query()),
    ]
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=routes)
    return table
