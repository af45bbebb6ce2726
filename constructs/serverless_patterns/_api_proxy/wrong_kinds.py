"""What is not what an argument takes, and what its giver meant: the fix that the error names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._checks import Problems
from .._running import is_function
from .._shapes import several
from ..cors import Cors
from ..handler import Handler

if TYPE_CHECKING:
    from .functions import ToldFunctions


def refused_authorizer(given: Any) -> tuple[str, str]:
    """What was given, and what to write instead."""
    got = f"a value of type {type(given).__name__}"
    if isinstance(given, type):
        return f"the class {given.__name__}", f"write {given.__name__}(...)"
    if isinstance(given, Handler):
        return got, "wrap it: LambdaAuthorizer(Handler(...))"
    if is_function(given):
        return got, "wrap it: aws_apigateway.RequestAuthorizer, or LambdaAuthorizer(Handler(...))"
    return got, "or another authorizer of aws_apigateway for a REST API; public=True lets everybody in"


def instead_of_target(given: Any) -> str:
    """What to write instead of something that no route leads to."""
    if isinstance(given, type):
        return f"write {given.__name__}(...)"
    if hasattr(given, "queue_arn"):
        return "pass the LoadLeveledQueue itself, which knows how its messages have to look"
    if hasattr(given, "topic_arn"):
        return "pass the FanOutTopic itself, which checks what is published"
    if hasattr(getattr(given, "__self__", None), "state_machine"):
        return f"call it: saga.{given.__name__}(...)"
    if hasattr(getattr(given, "__self__", None), "node") and hasattr(given, "__name__"):
        return f"call it: {given.__name__}(...)"
    if hasattr(given, "command_function"):
        return "a CqrsTable has command('place') and get(), its views and documents query(): pass one of these"
    if hasattr(given, "grant_query"):
        return "call its query()"
    if hasattr(given, "state_machine_arn"):
        return "pass the ParallelMap itself, or a saga's start(), status() or decision(approval)"
    if hasattr(given, "state_machine"):
        return "a saga has start(), status() and decision(approval): pass one of these"
    if isinstance(given, str) and "://" in given:
        return f"write HttpBackend({given!r})"
    return "wrap your Python function in a Handler"


def check_kinds(
    problems: Problems, told: ToldFunctions, web_acl: object, encryption_key: object, alarm_actions: object | None
) -> None:
    """Refuse what the CDK would refuse in words of its own."""
    if told.cors is not None and not isinstance(told.cors, Cors):  # pyright: ignore[reportUnnecessaryIsInstance]
        problems.add("cors", "be a Cors", repr(told.cors), "write Cors(allow_origins=['https://shop.example.com'])")
    claims = told.once.claims
    if claims is not None and not hasattr(claims, "table_arn"):
        fix = "pass the construct; one that exists already is imported by dynamodb.Table.from_table_name"
        problems.add("claims", "be a DynamoDB table", repr(claims), fix)
    if web_acl is not None and not isinstance(web_acl, str):
        problems.add("web_acl", "be the ARN of a web ACL", repr(web_acl), "pass web_acl.attr_arn of a CfnWebACL")
    if encryption_key is not None and not hasattr(encryption_key, "key_arn"):
        fix = "pass the construct; one that exists already is imported by kms.Key.from_key_arn"
        problems.add("encryption_key", "be a KMS key", repr(encryption_key), fix)
    for action in () if alarm_actions is None else several(problems, "alarm_actions", alarm_actions):
        if not callable(getattr(action, "bind", None)):
            problems.add("alarm_actions", "be actions of CloudWatch", repr(action), "write [SnsAction(topic)]")
