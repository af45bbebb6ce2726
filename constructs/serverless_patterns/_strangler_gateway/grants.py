"""Permissions of a gateway's functions: what each calls, on what is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._grants import grant_breaker, grant_table_key, statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_

_ROUTING = ("dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
_COMMANDS = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
_BREAKERS = ("dynamodb:DeleteItem", "dynamodb:Scan")


def grant_routing(router: lambda_.Function, control: dynamodb.ITable, breakers: dynamodb.ITable) -> None:
    """See how routes stand, pin keys, count, roll back; ask and tell breakers."""
    router.add_to_role_policy(statement(_ROUTING, [control.table_arn]))
    grant_table_key(router, control)
    grant_breaker(router, breakers)


def grant_commands(function: lambda_.Function, control: dynamodb.ITable) -> None:
    """See how routes stand and stood; change, mark and forget that, with its history."""
    function.add_to_role_policy(statement(_COMMANDS, [control.table_arn]))
    grant_table_key(function, control)


def grant_sweep(function: lambda_.Function, breakers: dynamodb.ITable) -> None:
    """Find and forget the breakers of routes that are gone."""
    function.add_to_role_policy(statement(_BREAKERS, [breakers.table_arn]))
    grant_table_key(function, breakers)


def grant_calls(caller: lambda_.Function, functions: Iterable[lambda_.IFunction]) -> None:
    """Invoke these: exactly the function, or the alias, that is given."""
    arns = {function.node.path: function.function_arn for function in functions}
    if arns:
        caller.add_to_role_policy(statement(["lambda:InvokeFunction"], [arns[path] for path in sorted(arns)]))
