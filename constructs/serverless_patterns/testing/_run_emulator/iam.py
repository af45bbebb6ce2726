"""IAM as AWS checks it, where the emulator asks for other rights, or for none."""

import json
import re
from collections.abc import Callable
from typing import Any

HOOKS = {
    "ministack.core.iam_actions": ("dynamodb_transaction_checks", "extract_iam_action", "_dynamodb_table_arn"),
    "ministack.app": ("pin_request_origin",),
    "ministack.core.iam_evaluator": ("EvalContext", "_gather_role_policies", "evaluate"),
    "ministack.core.responses": ("get_account_id", "get_region"),
}
PARTIQL = ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement", "dynamodb:ExecuteTransaction")
STATEMENT = re.compile(
    r'\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM|SELECT\b.*?\bFROM)\s+"?([\w.-]+)', re.IGNORECASE | re.DOTALL
)
STATEMENT_ACTIONS = {"I": "PartiQLInsert", "U": "PartiQLUpdate", "D": "PartiQLDelete", "S": "PartiQLSelect"}
BATCHED = re.compile(r"^((?:sqs|sns):\w+)Batch$")

Check = tuple[str, str]


def authorize_partiql(actions: Any) -> None:
    """Check each statement as `dynamodb:PartiQLInsert` and so on, on its table.

    The emulator would check `dynamodb:BatchExecuteStatement`, which AWS does not have. Goes through the hook that
    splits a transaction into the actions of its items. AWS answers for each statement; here the first refusal fails
    the call.
    """
    of_transaction, table_arn = actions.dynamodb_transaction_checks, actions._dynamodb_table_arn

    def checks(iam_action: str, body: bytes, region: str, account_id: str) -> list[Check]:
        if iam_action not in PARTIQL:
            return of_transaction(iam_action, body, region, account_id)
        statements = _statements(json.loads(body))
        return [(f"dynamodb:{action}", table_arn(table, region, account_id)) for action, table in statements]

    actions.dynamodb_transaction_checks = checks


def authorize_batches(actions: Any) -> None:
    """Let a batch of messages need what one message needs: `sqs:SendMessageBatch` is no action."""
    as_shipped = actions.extract_iam_action

    def extract(*request: Any) -> str | None:
        found = as_shipped(*request)
        return found and BATCHED.sub(r"\1", found)

    actions.extract_iam_action = extract


def count_loopback_as_encrypted(server: Any) -> None:
    """Let `aws:SecureTransport` be true for every call.

    Queues that refuse what is not encrypted would refuse everybody, since the emulator speaks plain HTTP; on loopback
    there is no wire.
    """
    as_shipped = server.pin_request_origin

    def pin(source_ip: str, _secure_transport: bool) -> None:
        as_shipped(source_ip, True)

    server.pin_request_origin = pin


def what_roles_may(evaluator: Any, scope: Any) -> Callable[[str, str, str], bool]:
    """Whether a role may perform an action on a resource, for services that call others with a role.

    What is not an ARN is the resource's part of one, in the service of the action.
    """

    def may(role: str, action: str, resource: str) -> bool:
        account, region, name = scope.get_account_id(), scope.get_region(), role.rpartition("/")[2]
        if not resource.startswith("arn:"):
            resource = f"arn:aws:{action.partition(':')[0]}:{region}:{account}:{resource}"
        context = evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/service",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=region,
        )
        return evaluator.evaluate(context, evaluator._gather_role_policies(name, account)).decision == "Allow"

    return may


def _statements(request: dict[str, Any]) -> list[Check]:
    each = request.get("Statements") or request.get("TransactStatements") or [request]
    matches = (STATEMENT.match(str(one.get("Statement", ""))) for one in each)
    return [(STATEMENT_ACTIONS[found[1][0].upper()], found[2]) for found in matches if found]
