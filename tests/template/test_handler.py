"""Handler: an immutable description that refuses what Lambda would refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, SecretValue
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm

from tests.template.stacks import a_handler, a_queue, a_table, new_stack, refusal, resources, the_variables

NAMED = "be named by a letter, then letters, digits or _ (two or more)"

REFUSED: list[tuple[dict[str, Any], str]] = [
    *(
        (
            {"memory_size": value},
            f"memory_size must be a whole number from 128 to 10,240, got {value!r}: megabytes; 512 is a good start",
        )
        for value in (127, 10_241, True, 512.0, "512")
    ),
    *(
        (
            {"timeout": value},
            f"timeout must be a Duration from 1 to 900 seconds, got {got}: Lambda stops a function after 15 minutes",
        )
        for value, got in ((Duration.seconds(0), "0 seconds"), (Duration.seconds(901), "901 seconds"), (True, "True"))
    ),
    ({"timeout": 30}, "timeout must be a Duration from 1 to 900 seconds, got 30: say the unit: Duration.seconds(30)"),
    (
        {"reserved_concurrent_executions": 0},
        "reserved_concurrent_executions must be a whole number from 1 to 1,000,000, got 0: leave it out for none",
    ),
    (
        {"provisioned_concurrent_executions": 0},
        "provisioned_concurrent_executions must be a whole number from 1 to 1,000,000, got 0: leave it out for none",
    ),
    *(
        (
            {"environment": {name: "x"}},
            f"environment[{name!r}] must {NAMED}, got {name!r}: "
            "Lambda takes no other names; call it for example 'ORDERS'",
        )
        for name in ("A", "1A", "A-B", "", "_A", "Ä_A")
    ),
    *(
        (
            {"environment": {name: "x"}},
            f"environment[{name!r}] must have a name that Lambda does not set itself, got {name!r}: "
            "choose another name",
        )
        for name in ("AWS_REGION", "LAMBDA_TASK_ROOT", "AWS_SESSION_TOKEN")
    ),
    ({"environment": {"COUNT": 1}}, "environment['COUNT'] must be a string, got 1: write it as text"),
    (
        {"environment": {"KEY": SecretValue.secrets_manager("shop")}},
        "environment['KEY'] must be a string, got a SecretValue: "
        "pass secrets={'KEY': ...} to the Handler: the function gets the ARN and reads the value",
    ),
    (
        {"tables": ["orders"]},
        "tables must be a dictionary by name, got a value of type list: write tables={'ORDERS': orders}",
    ),
    (
        {"secrets": "shop"},
        "secrets must be a dictionary by name, got a value of type str: write secrets={'PASSWORD': secret}",
    ),
    (
        {"parameters": None},
        "parameters must be a dictionary by name, got None: write parameters={'LIMIT': parameter}",
    ),
    (
        {"environment": [("CURRENCY", "EUR")]},
        "environment must be a dictionary by name, got a value of type list: write environment={'CURRENCY': 'EUR'}",
    ),
    *(
        (
            {argument: len},
            f"{argument} must be a list, got a value of type {type(len).__name__}: write {argument}=[...]",
        )
        for argument in ("grants", "layers", "security_groups")
    ),
    *(
        (
            {argument: {"ORDERS": "orders"}},
            f"{argument}['ORDERS'] must be {what}, got 'orders': "
            "pass the construct; one that exists already is imported by a from_... method",
        )
        for argument, what in (
            ("tables", "a DynamoDB table"),
            ("secrets", "a secret"),
            ("parameters", "an SSM parameter"),
        )
    ),
    (
        {"runtime": lambda_.Runtime.NODEJS_22_X},
        "runtime must be Python 3.11 or later, got nodejs22.x: "
        "leave it out for the newest; a function in another language is passed as an IFunction",
    ),
    (
        {"runtime": lambda_.Runtime.PYTHON_3_10},
        "runtime must be Python 3.11 or later, got python3.10: "
        "leave it out for the newest; a function in another language is passed as an IFunction",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "message"), REFUSED, ids=[f"{' '.join(a)} {i}" for i, (a, _) in enumerate(REFUSED)]
)
def test_a_bad_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    assert refusal(lambda: a_handler(**arguments)) == f"Handler(orders:fulfil): {message}"


@pytest.mark.parametrize(
    ("define", "fix"),
    [
        (
            secretsmanager.Secret,
            "pass secrets={'KEY': ...} to the Handler: the function gets the ARN and reads the value",
        ),
        (
            lambda stack, id: secretsmanager.Secret.from_secret_name_v2(stack, id, "shop"),
            "pass secrets={'KEY': ...} to the Handler: the function gets the ARN and reads the value",
        ),
        (
            lambda stack, id: ssm.StringParameter(stack, id, string_value="5"),
            "pass parameters={'KEY': ...} to the Handler: the function gets the name and may use it",
        ),
        (a_table, "pass tables={'KEY': ...} to the Handler: the function gets the name and may use it"),
        (sqs.Queue, "pass its name or ARN, and the permission through grants"),
    ],
    ids=["secret", "imported secret", "parameter", "table", "something else"],
)
def test_a_construct_in_a_variable_is_refused_with_where_it_belongs(define: Callable[..., Any], fix: str) -> None:
    construct = define(new_stack(), "Thing")
    assert refusal(lambda: a_handler(environment={"KEY": construct})) == (
        f"Handler(orders:fulfil): environment['KEY'] must be a string, got Shop/Thing: {fix}"
    )


def test_one_name_for_two_things_is_refused() -> None:
    stack = new_stack()
    both = {"tables": {"ORDERS": a_table(stack)}, "secrets": {"ORDERS": secretsmanager.Secret(stack, "Secret")}}
    assert refusal(lambda: a_handler(**both)) == (
        "Handler(orders:fulfil): secrets['ORDERS'] must have a name of its own, got 'ORDERS', also in tables: "
        "rename one of them"
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(refusal(lambda: a_handler("orders:nothing", memory_size=1, environment={"A": "x"})).splitlines()) == 3


def test_nobody_can_change_it() -> None:
    handler = a_handler(environment={"MODE": "fast"})
    with pytest.raises(AttributeError):
        handler.memory_size = 128  # pyright: ignore
    with pytest.raises(TypeError):
        handler.environment["MODE"] = "slow"  # pyright: ignore


def test_what_the_caller_does_later_to_its_dictionary_does_not_matter() -> None:
    variables = {"MODE": "fast"}
    handler = a_handler(environment=variables)
    variables["MODE"] = "slow"
    assert handler.environment == {"MODE": "fast"}


def test_one_handler_in_two_constructs_is_two_functions() -> None:
    stack, handler = new_stack(), a_handler()
    a_queue(stack, "First", consumer=handler)
    a_queue(stack, "Second", consumer=handler)
    assert len(resources(stack, "Lambda::Function")) == 2


def test_a_function_without_effects_is_told_so() -> None:
    stack = new_stack()
    a_queue(stack, consumer=a_handler("orders:call"))
    assert the_variables(stack)["RETURNS_EFFECTS"] == "false"
