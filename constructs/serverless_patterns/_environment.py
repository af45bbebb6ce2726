"""A function's environment variables: what the pattern sets, what the user names, and no two with one name."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from aws_cdk import Stack

from ._checks import Problems, is_token

if TYPE_CHECKING:
    from constructs import Construct

    from .handler import Handler

_MAX_BYTES = 4096  # Lambda quota on all names and values together
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]+")  # Lambda's rule: two characters or more
_SECRET = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")
_SECRET_FIX = "the function gets the ARN and reads the value"
# What a variable may stand for: the attribute that tells it, and its name.
_RESOURCES = {
    "tables": ("table_arn", "a DynamoDB table"),
    "secrets": ("secret_arn", "a secret"),
    "parameters": ("parameter_arn", "an SSM parameter"),
}
# Lambda sets these itself and refuses a function that does.
_RESERVED_BY_LAMBDA = (
    "_HANDLER _X_AMZN_TRACE_ID AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EXECUTION_ENV "
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION "
    "AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API "
    "AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT"
)
_RESERVED = frozenset(_RESERVED_BY_LAMBDA.split())


def check_names(handler: Handler, problems: Problems) -> None:
    """Refuse names that Lambda refuses, and one name for two things."""
    taken: dict[str, str] = {}
    for argument in ("tables", "secrets", "parameters", "environment"):
        for name in sorted(getattr(handler, argument)):
            label = f"{argument}[{name!r}]"
            if not _NAME.fullmatch(name):
                fix = "Lambda takes no other names; call it for example 'ORDERS'"
                problems.add(label, "be named by a letter, then letters, digits or _ (two or more)", repr(name), fix)
            elif name in _RESERVED:
                problems.add(label, "have a name that Lambda does not set itself", repr(name), "choose another name")
            elif name in taken:
                problems.add(label, "have a name of its own", f"{name!r}, also in {taken[name]}", "rename one of them")
            taken.setdefault(name, argument)
    for argument, (attribute, what) in _RESOURCES.items():
        for name, value in getattr(handler, argument).items():
            if not hasattr(value, attribute):
                fix = "pass the construct; one that exists already is imported by a from_... method"
                problems.add(f"{argument}[{name!r}]", f"be {what}", _shown(value), fix)


def check_values(problems: Problems, environment: Mapping[str, Any]) -> None:
    """Refuse what is no text, and say where it belongs."""
    for name, value in environment.items():
        if not isinstance(value, str):
            problems.add(f"environment[{name!r}]", "be a string", _shown(value), _instead(name, value))


def _instead(name: str, value: object) -> str:
    if hasattr(value, "unsafe_unwrap"):  # a SecretValue
        return f"pass secrets={{{name!r}: ...}} to the Handler: {_SECRET_FIX}"
    for argument, (attribute, _) in _RESOURCES.items():
        if hasattr(value, attribute):
            so = _SECRET_FIX if argument == "secrets" else "the function gets the name and may use it"
            return f"pass {argument}={{{name!r}: ...}} to the Handler: {so}"
    if hasattr(value, "node"):
        return "pass its name or ARN, and the permission through grants"
    return "write it as text"


def _shown(value: Any) -> str:
    """Constructs by their path; and no secret."""
    if hasattr(value, "node"):
        return str(value.node.path)
    return "a SecretValue" if hasattr(value, "unsafe_unwrap") else repr(value)


def variables(
    handler: Handler, contract: Mapping[str, str], service: str, inherited: Mapping[str, str]
) -> dict[str, str]:
    """Every variable of a function.

    Args:
        handler: The description.
        contract: What the pattern's `Env` tuples hold.
        service: Name of the function in logs and metrics.
        inherited: `environment` of `Defaults`; the handler's own wins.
    """
    return {
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **inherited,
        **{name: table.table_name for name, table in handler.tables.items()},
        **{name: secret.secret_arn for name, secret in handler.secrets.items()},
        **{name: parameter.parameter_name for name, parameter in handler.parameters.items()},
        **handler.environment,
        **contract,
    }


def check_against(
    problems: Problems,
    argument: str,
    handler: Handler,
    scope: Construct,
    contract: Collection[str],
    inherited: Mapping[str, str],
) -> None:
    """Refuse a name that the pattern needs, and a secret in the open."""
    for group in ("tables", "secrets", "parameters", "environment"):
        for name in sorted({*getattr(handler, group)} & {*contract}):
            fix = "the pattern sets that variable: choose another name"
            problems.add(f"{argument} {group}[{name!r}]", "have a name of its own", repr(name), fix)
    for name in sorted({*inherited} & {*contract}):
        problems.add(f"environment[{name!r}] of Defaults", "have a name of its own", repr(name), "choose another name")
    for name, value in sorted(handler.environment.items()):
        _check_secret(problems, f"{argument} environment[{name!r}]", scope, value)
    for name, value in sorted(inherited.items()):
        _check_secret(problems, f"environment[{name!r}] of Defaults", scope, value)


def _check_secret(problems: Problems, argument: str, scope: Construct, value: str) -> None:
    if (is_token(value) or "{{" in value) and _SECRET.search(json.dumps(Stack.of(scope).resolve(value))):
        problems.add(argument, "be no secret", "a reference to one", f"pass secrets={{...}}: {_SECRET_FIX}")


def check_size(problems: Problems, argument: str, told: Mapping[str, str]) -> None:
    """Refuse more variables than Lambda takes. Tokens, and what the deployment will fill in, count as empty."""
    size = sum(_size(name) + _size(value) for name, value in told.items())
    if size > _MAX_BYTES:
        fix = "move long values to parameters or into the code"
        must = f"hold at most {_MAX_BYTES:,} bytes of names and values"
        problems.add(f"{argument} environment", must, f"{size:,}", fix)


def _size(text: Any) -> int:
    return 0 if is_token(text) else len(str(text).encode())
